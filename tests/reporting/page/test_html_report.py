"""The report as text: main result, escaping of user text, and statements on missing parts."""

import json
import re
import shutil
from datetime import UTC, datetime
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path

import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

from mds_lightning import load_study
from mds_lightning.reporting.page.contents import gather_page
from mds_lightning.reporting.page.html_report import render_report, write_report
from mds_lightning.reporting.page.model_card import write_model_card
from mds_lightning.reporting.page.provenance_summary import summarise_provenance
from mds_lightning.statistics.estimates import Settings

QUICK = Settings(n_resamples=100)
DATE = datetime(2026, 1, 1, tzinfo=UTC)


class Outline(HTMLParser):
    """Elements of a page: (tag, attributes), and its text."""

    def __init__(self, text):
        super().__init__()
        self.elements, self.text = [], []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data):
        self.text.append(data)

    def all(self, tag):
        return [attributes for name, attributes in self.elements if name == tag]

    @property
    def content(self):
        return " ".join(" ".join(self.text).split())


@pytest.fixture(scope="module")
def page(made_study, tmp_path_factory):
    return write_report(load_study(made_study), QUICK, tmp_path_factory.mktemp("page") / "report.html", DATE)


@pytest.fixture(scope="module")
def outline(page):
    return Outline(render_report(page, DATE))


def test_the_report_starts_with_the_patient_auc_and_the_study_population(made_study, outline):
    rows = pd.concat(
        pd.read_parquet(file) for file in sorted((made_study / "resnet18").glob("*/predictions.parquet"))
    )
    test = rows[rows["split"] == "test"].groupby(["fold", "patient_id"])[["target", "prob_MDS"]].mean()
    folds = [roc_auc_score(one["target"], one["prob_MDS"]) for _, one in test.groupby("fold")]
    expected = f"{sum(folds) / 3:.3f}"
    opening = outline.content.split("Study population")[2]
    answer = outline.content.split("Main result")[2]
    assert answer.index(expected) < 100
    assert f"range over the 3 folds: {min(folds):.3f} to {max(folds):.3f}" in answer
    assert (
        "These 3 models: each model ranks a random MDS patient of its own test fold above a random donor "
        f"patient of that fold with probability {expected}" in answer
    )
    assert "Weights in each fold: the epoch with the largest ROC-AUC on validation images" in answer
    assert "48 patients, 96 images" in answer
    assert "24 donor, 24 MDS" in answer
    assert "55 patients, 109 images" in opening, "the manifest contains patients of another label"
    assert "Excluded: lymphoma" in opening
    assert "label not part of the task" in opening


def test_a_prevalence_has_a_table_and_a_line_in_the_main_result(made_study):
    page = gather_page(load_study(made_study), Settings(n_resamples=100, prevalence=0.1))
    text = Outline(render_report(page, DATE)).content
    assert "Positive predictive value at a prevalence of 0.1" in text.split("Study population")[1]
    assert "Net benefit per patient at a prevalence of 0.1" in text
    assert "prevalence=0.1" in text


def test_models_that_have_not_learned_are_a_limitation(made_study, tmp_path):
    study = Path(shutil.copytree(made_study.parent.parent, tmp_path / "moved")) / "runs" / "made"
    for file in study.glob("*/*/metrics.csv"):
        table = pd.read_csv(file)
        file.write_text(table.assign(**{"train/loss": 0.69}).to_csv(index=False))
    cautions = gather_page(load_study(study), QUICK).cautions
    assert (
        sum("has not learned: its training loss in the last epoch is 0.690" in one for one in cautions) == 3
    )
    assert not any("alone separates" in one for one in cautions), "sex, age and site are balanced"


def test_the_counts_behind_each_point_of_a_curve_are_those_of_the_rows(page, outline):
    text = render_report(page, DATE)
    data = json.loads(re.search(r'id="roc-data">(.*?)</script>', text, re.S).group(1))
    patients = page.evidence.test["patient"]
    score, positive = patients.probabilities[:, 1], patients.target == 1
    pooled = data[0]["curves"][-1]
    assert (data[0]["rows"], pooled["positives"], pooled["negatives"]) == ("patients", 24, 24)
    for threshold, true_positives, false_positives in pooled["points"]:
        predicted = score >= threshold - 1e-6
        assert (true_positives, false_positives) == (
            (predicted & positive).sum(),
            (predicted & ~positive).sum(),
        )


def test_every_section_exists_and_every_link_has_a_target(outline):
    places = {attributes["id"] for _, attributes in outline.elements if "id" in attributes}
    links = [attributes["href"] for attributes in outline.all("a")]
    assert {link.removeprefix("#") for link in links} <= places
    assert {
        "answer", "selection", "cautions", "cohort", "folds", "patients", "performance", "roc", "confusion",
        "thresholds", "external", "calibration", "decision", "variants", "subgroups", "sites",
        "maps", "training", "provenance", "checklists",
    } <= places  # fmt: skip
    assert len(outline.all("img")) >= 8
    assert all(image["alt"] for image in outline.all("img"))


def test_the_page_is_accessible(outline):
    levels = [int(tag[1]) for tag, _ in outline.elements if re.fullmatch("h[1-6]", tag)]
    assert levels.count(1) == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))
    assert all(header.get("scope") in ("row", "col") for header in outline.all("th"))
    assert len(outline.all("caption")) == len(outline.all("table"))
    for drawing in outline.all("svg"):
        assert drawing.get("aria-hidden") == "true" or (drawing["role"] == "img" and drawing["aria-label"])
    labels = {attributes.get("for") for attributes in outline.all("label")}
    for control in outline.all("input"):
        assert control.get("aria-label") or control["id"] in labels
    assert next(iter(outline.all("html")))["lang"] == "en"


def test_the_page_requests_nothing_from_the_network(outline):
    for tag, attributes in outline.elements:
        for key in ("src", "href", "srcset", "action", "data", "poster"):
            value = attributes.get(key) or "#"
            assert value.startswith(("#", "data:")), (tag, key, value[:80])
    assert "default-src 'none'" in str(outline.all("meta"))


def test_the_report_is_reproducible(page, made_study, tmp_path):
    again = write_report(load_study(made_study), QUICK, tmp_path / "again.html", DATE)
    text = (tmp_path / "again.html").read_text()
    assert text == render_report(page, DATE)
    later = render_report(again, datetime(2027, 2, 3, tzinfo=UTC))
    assert later.replace("2027-02-03", "2026-01-01") == text


def test_names_from_user_files_are_escaped(make_study, tmp_path):
    # The marks of a terminal and of the writing direction are shown as codes.
    script = "<script>alert(1)</script>\x1b[2J\u202e"
    shown = r"<script>alert(1)</script>\x1b[2J\u202e"
    maker = make_study(tmp_path, classes=("donor", f"MDS{script}"))
    maker.names = dict.fromkeys([0], f"{script}0") | {1: '"><img src=x onerror=alert(1)>'}
    maker.images = {number: f"a<script>{number}.png" for number in range(48)}
    maker.images[5] = "b' onload='alert(1).png"
    page = write_report(load_study(maker.write()), QUICK, tmp_path / "report.html", DATE)
    outline = Outline((tmp_path / "report.html").read_text())
    assert len(outline.all("script")) == 2, "the data of the curves, and the script of the page"
    assert not [key for _, attributes in outline.elements for key in attributes if key.startswith("on")]
    assert all(image["src"].startswith("data:image/jpeg;base64,") for image in outline.all("img"))
    assert f"MDS{shown}" in outline.content
    written = (tmp_path / "report.html").read_text()
    assert not set(written) & {"\x1b", "\u202e"}
    card = write_model_card(page, tmp_path / "card.md").read_text()
    assert "<script>" not in re.sub(r"\\<", "", card)
    assert not set(card) & {"\x1b", "\u202e"}


def test_missing_parts_are_stated_and_open_in_the_checklists(make_study, tmp_path):
    maker = make_study(tmp_path, external=0)
    study = maker.write()
    (tmp_path / "smears" / "manifest.csv").unlink()
    write_report(load_study(study), QUICK, tmp_path / "report.html", DATE)
    outline = Outline((tmp_path / "report.html").read_text())
    content = outline.content
    assert "exclusions cannot be counted" in content
    assert "There are no external patients" in content
    assert "so no variant was selected" in content
    assert "not available in this study: no patient is external" in content
    assert "not available in this study: the manifest has no clinical columns or was not found" in content
    assert not {"external", "patients", "maps", "variants"} & {
        attributes.get("id") for _, attributes in outline.elements
    }


def test_a_model_with_constant_probabilities_is_reported(make_study, tmp_path):
    study = make_study(tmp_path).write()
    file = study / "resnet18" / "fold-0" / "predictions.parquet"
    pd.read_parquet(file).assign(prob_MDS=0.25, prob_donor=0.75).to_parquet(file, index=False)
    write_report(load_study(study), QUICK, tmp_path / "report.html", DATE)
    content = Outline((tmp_path / "report.html").read_text()).content
    assert "All images have the same probability in fold 0: the model has not learned" in content


def test_three_classes(make_study, tmp_path):
    maker = make_study(tmp_path, patients=54, classes=("donor", "MDS", "AML"))
    write_report(load_study(maker.write(("resnet18", "resnet34"))), QUICK, tmp_path / "report.html", DATE)
    outline = Outline((tmp_path / "report.html").read_text())
    assert "donor, MDS and AML" in outline.content
    assert "macro average, one class against all others" in outline.content
    assert "MDS against all others, patient level" in outline.content
    assert "thresholds are chosen for two classes only" in outline.content


def test_an_unfinished_study_is_refused(make_study, tmp_path):
    study = make_study(tmp_path).write()
    (study / "resnet18" / "fold-1" / "done.json").unlink()
    with pytest.raises(ValueError, match="fold 1 is not finished"):
        write_report(load_study(study), QUICK, tmp_path / "report.html", DATE)
    assert not (tmp_path / "report.html").exists()


def test_differences_in_provenance_between_folds_are_reported(make_study, tmp_path):
    study = load_study(make_study(tmp_path, patients=6).write())
    runs = [run.directory for run in study.runs()]
    assert summarise_provenance(runs).differing == ()
    record = json.loads(runs[2].provenance.read_text())
    runs[2].provenance.write_text(json.dumps(record | {"git": "b" * 40, "packages": {"torch": "2.15.0"}}))
    summary = summarise_provenance(runs)
    assert set(summary.differing) == {"torch", "numpy", "code (git commit)"}
    assert summary.packages["torch"] == "2.14.1 / 2.15.0"
    assert summary.packages["numpy"] == "2.4.6 / not installed"


def test_unreadable_images_are_counted_in_the_flow(make_study, tmp_path):
    study = make_study(tmp_path, patients=12, external=0).write()
    for fold in range(3):
        run = study / "resnet18" / f"fold-{fold}"
        rows = pd.read_parquet(run / "predictions.parquet")
        rows[rows["image"] != "003_1.png"].to_parquet(run / "predictions.parquet")
        (run / "skipped.csv").write_text("image,reason\n003_1.png,is cut off\n")
    page = gather_page(load_study(study), Settings(n_resamples=100))
    assert (page.flow.unreadable.patients, page.flow.unreadable.images) == (1, 1)
    left_out = sum(one.images for one in page.flow.left_out)
    assert page.flow.manifest.images == page.flow.studied.images + left_out + 1
