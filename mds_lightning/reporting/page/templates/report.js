"use strict";
// Interactive ROC plot and image sliders. Without this script, all contents are shown statically.
(() => {
  const plot = document.querySelector(".roc");
  const data = JSON.parse(document.getElementById("roc-data").textContent);
  const familyBox = document.getElementById("roc-family");
  const curveBox = document.getElementById("roc-curve");
  const pointBox = document.getElementById("roc-point");
  const area = Object.fromEntries(
    ["left", "top", "width", "height", "size"].map((key) => [key, Number(plot.dataset[key])]));
  const figures = [...plot.querySelectorAll(".family")];
  const out = Object.fromEntries([...plot.querySelectorAll("[data-out]")].map((cell) => [cell.dataset.out, cell]));
  let family = 0;

  const place = (curve, [, tp, fp]) => [
    area.left + area.width * fp / curve.negatives, area.top + area.height * (1 - tp / curve.positives)];
  const ratio = (part, whole) => `${(part / whole).toFixed(3)}`;

  function show() {
    const curve = data[family].curves[curveBox.selectedIndex];
    const point = curve.points[pointBox.valueAsNumber];
    const [threshold, tp, fp] = point;
    const [x, y] = place(curve, point);
    const marker = figures[family].querySelector(".marker");
    marker.setAttribute("cx", x);
    marker.setAttribute("cy", y);
    figures[family].querySelectorAll("svg:first-child [data-curve]").forEach((path) =>
      path.classList.toggle("active", Number(path.dataset.curve) === curveBox.selectedIndex));
    const text = threshold > 1 ? "above all scores: none predicted positive" : `probability ${threshold.toFixed(3)}`;
    out.threshold.textContent = text;
    out.sensitivity.textContent = ratio(tp, curve.positives);
    out.specificity.textContent = ratio(curve.negatives - fp, curve.negatives);
    out.tp.textContent = tp;
    out.fn.textContent = curve.positives - tp;
    out.fp.textContent = fp;
    out.tn.textContent = curve.negatives - fp;
    out.rows.textContent = `${data[family].rows}, ${curve.name}`;
    pointBox.setAttribute("aria-valuetext", text);
  }

  // Index of the point with the smallest threshold of at least 0.5.
  function middle(curve) {
    const below = curve.points.findIndex((point) => point[0] < 0.5);
    return Math.max(0, (below < 0 ? curve.points.length : below) - 1);
  }

  function chooseCurve(index, point) {
    const curve = data[family].curves[index];
    curveBox.selectedIndex = index;
    pointBox.max = curve.points.length - 1;
    pointBox.value = point ?? middle(curve);
    show();
  }

  function chooseFamily(index) {
    family = index;
    figures.forEach((figure, k) => { figure.hidden = k !== index; });
    curveBox.replaceChildren(...data[index].curves.map((curve) => new Option(curve.name)));
    chooseCurve(data[index].curves.length - 1);
  }

  function point(event) {
    const box = event.currentTarget.getBoundingClientRect();
    const scale = area.size / box.width;
    const at = [(event.clientX - box.left) * scale, (event.clientY - box.top) * scale];
    let best = [Infinity, 0, 0];
    data[family].curves.forEach((curve, c) => curve.points.forEach((one, p) => {
      const [x, y] = place(curve, one);
      const distance = Math.hypot(x - at[0], y - at[1]);
      if (distance < best[0]) best = [distance, c, p];
    }));
    chooseCurve(best[1], best[2]);
  }

  if (data.length) {
    familyBox.addEventListener("change", () => chooseFamily(familyBox.selectedIndex));
    curveBox.addEventListener("change", () => chooseCurve(curveBox.selectedIndex));
    pointBox.addEventListener("input", show);
    figures.forEach((figure) => {
      figure.querySelector("svg").addEventListener("pointermove", point);
      figure.querySelector("svg").addEventListener("pointerdown", point);
    });
    chooseFamily(0);
  } else {
    plot.hidden = true;
  }

  document.querySelectorAll(".compare").forEach((figure) => {
    const slider = figure.querySelector("input");
    const stack = figure.querySelector(".stack");
    const slide = () => {
      figure.style.setProperty("--at", slider.value);
      slider.setAttribute("aria-valuetext", `${slider.value} % image, ${100 - slider.value} % map`);
    };
    const drag = (event) => {
      if (event.type === "pointermove" && !event.buttons) return;
      const box = stack.getBoundingClientRect();
      slider.value = Math.round(100 * (event.clientX - box.left) / box.width);
      slide();
    };
    slider.addEventListener("input", slide);
    stack.addEventListener("pointerdown", drag);
    stack.addEventListener("pointermove", drag);
    stack.querySelectorAll("img").forEach((image) => { image.draggable = false; });
    slide();
  });

  window.addEventListener("beforeprint", () => {
    document.querySelectorAll("details.printed").forEach((part) => { part.open = true; });
  });
})();
