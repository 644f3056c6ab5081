"""Contents of the figures, distinction in greyscale, and reproducible files."""

from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib.colors import to_rgb
from PIL import Image

from mds_lightning.reporting.figures.map_panels import ExplainedField, draw_maps
from mds_lightning.reporting.figures.ranks import draw_ranks
from mds_lightning.reporting.figures.roc import draw_roc
from mds_lightning.reporting.figures.style import COLOURS, DASHES, SINGLE_COLUMN, save_figure
from mds_lightning.statistics.aggregate import aggregate_patients
from mds_lightning.statistics.comparison import compare_models
from mds_lightning.statistics.curves.roc import trace_roc


def curves(n: int = 5) -> dict[str, Any]:
    generator = np.random.default_rng(0)
    positive = np.arange(40) % 2 == 0
    return {f"fold {k}": trace_roc(positive, generator.normal(size=40) + positive) for k in range(n)}


def legend(figure: Any) -> list[str]:
    return [text.get_text() for text in figure.axes[0].get_legend().get_texts()]


def test_roc_figure_has_fold_curves_their_average_and_areas() -> None:
    drawn = curves()
    remarks = ["pooled: AUC 0.8 [0.7, 0.9]", "within folds: AUC 0.9"]
    figure = draw_roc(drawn, "MDS vs donor", drawn["fold 0"], remarks)
    texts = legend(figure)
    for name, curve in drawn.items():
        assert f"{name}: AUC {curve.auc:.3f}" in texts
    mean = np.mean([curve.auc for curve in drawn.values()])
    assert any(text.startswith(f"macro average: AUC {mean:.3f}") for text in texts)
    assert "±1 SD over folds" in texts
    assert texts[-2:] == remarks
    pooled = next(line for line in figure.axes[0].get_lines() if line.get_label() == remarks[0])
    np.testing.assert_array_equal(pooled.get_xdata(), drawn["fold 0"].false_positive_rate)
    styles = {
        (line.get_color(), line.get_linestyle(), str(line._dash_pattern))
        for line in figure.axes[0].get_lines()
        if line.get_label().startswith("fold")
    }
    assert len(styles) == 5


def test_one_fold_has_no_average() -> None:
    assert legend(draw_roc(curves(1), "one")) == [f"fold 0: AUC {curves(1)['fold 0'].auc:.3f}"]


def test_neighbours_differ_in_grey_or_in_dashes() -> None:
    grey = [np.dot(to_rgb(colour), [0.299, 0.587, 0.114]) for colour in COLOURS]
    for k in range(len(COLOURS) - 1):
        dashes_differ = DASHES[k % len(DASHES)] != DASHES[(k + 1) % len(DASHES)]
        assert dashes_differ or abs(grey[k] - grey[k + 1]) > 0.2


def test_files_have_journal_width_and_are_reproducible(tmp_path: Path) -> None:
    written = [save_figure(draw_roc(curves(), "t"), tmp_path / name / "roc") for name in "ab"]
    for one, other in zip(*written, strict=True):
        assert one.read_bytes() == other.read_bytes()
    with Image.open(written[0][0]) as picture:
        assert picture.width == pytest.approx(SINGLE_COLUMN * 300, abs=2)
    svg = written[0][1].read_text()
    assert "macro average" in svg, "text stays text"
    assert mpl.rcParams["font.size"] != 7, "the caller's style is left alone"


def test_ranks_show_every_model_and_fraction(make_pooled: Any) -> None:
    models = {
        name: aggregate_patients(make_pooled(signal=signal, seed=3).split("test"))
        for name, signal in (("good", 2.0), ("bad", 0.3))
    }
    comparison = compare_models(models, "good", n_resamples=200)
    figure = draw_ranks(comparison, "study")
    assert [text.get_text() for text in figure.axes[0].get_yticklabels()] == ["good", "bad"]
    fractions = [text.get_text() for text in figure.axes[1].texts]
    assert f"{comparison.rank_fractions[0, 0]:.0%}" in fractions


def test_maps_are_drawn_next_to_their_images() -> None:
    field = ExplainedField(
        np.full((30, 40, 3), 200, np.uint8),
        np.linspace(0, 1, 1200, dtype=np.float32).reshape(30, 40),
        "MDS 0.9",
    )
    figure = draw_maps([field, field])
    titles = [axes.get_title(loc="left") for axes in figure.axes[:4]]
    assert titles == ["A  MDS 0.9", "B  ", "C  MDS 0.9", "D  "]
    assert len(figure.axes) == 5, "and a colour bar"
    with pytest.raises(ValueError, match="1 to 13 images, not 0"):
        draw_maps([])
