"""A metric is one file in `statistics/metrics/`: it reaches `metrics.csv`, the tables and the report."""

import importlib
import shutil
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from io import StringIO
from pathlib import Path

import pandas as pd
import pytest
from rich.console import Console
from sklearn.metrics import cohen_kappa_score

from mds_lightning import load_study
from mds_lightning.reporting.evaluation import Evaluation, evaluate_study
from mds_lightning.reporting.page.html_report import write_report
from mds_lightning.reporting.page.model_card import write_model_card
from mds_lightning.statistics import metrics
from mds_lightning.statistics.estimates import Settings, estimate
from mds_lightning.statistics.metric_registry import list_metrics

SETTINGS = Settings(n_resamples=100)
NAME = "Cohen's kappa"

#: The whole of a new metric.
KAPPA = '''
"""Cohen's kappa."""

import numpy as np

from mds_lightning.statistics.metric import ClassValues, Metric
from mds_lightning.statistics.sample import Sample
from mds_lightning.statistics.weighted_sample import WeightedSample


def compute_kappa(weighted: WeightedSample) -> ClassValues:
    """Overall."""
    confusion = weighted.confusion
    observed = confusion.correct.sum(axis=1) / confusion.total
    expected = (confusion.actual * confusion.predicted).sum(axis=1) / confusion.total**2
    return {"overall": (observed - expected) / (1 - expected)}


def explain_undefined(_sample: Sample, _class_name: str) -> str:
    """Where one class is all there is."""
    return "all rows are of one class and predicted as it"


METRIC = Metric(
    name="kappa",
    label="Cohen's kappa",
    compute=compute_kappa,
    explain_undefined=explain_undefined,
    on_screen=True,
    at_operating_points=True,
)
'''


@pytest.fixture(scope="module")
def kappa(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """The file in a second folder of the package, which is found like the first."""
    folder = tmp_path_factory.mktemp("metrics")
    (folder / "kappa.py").write_text(KAPPA)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(metrics, "__path__", [*metrics.__path__, str(folder)])
        importlib.invalidate_caches()
        list_metrics.cache_clear()
        yield
    del sys.modules[f"{metrics.__name__}.kappa"], metrics.kappa
    list_metrics.cache_clear()


@pytest.fixture(scope="module")
def study(made_study: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return shutil.copytree(made_study, tmp_path_factory.mktemp("study") / made_study.name)


@pytest.fixture(scope="module")
def evaluation(kappa: None, study: Path) -> Evaluation:
    return evaluate_study(study, SETTINGS)


def test_metrics_csv_holds_it_with_its_intervals(evaluation: Evaluation, study: Path) -> None:
    table = pd.read_csv(study / "evaluation" / "resnet18" / "metrics.csv")
    found = table[(table["metric"] == "kappa") & (table["patients"] == "held-out patients, folds pooled")]
    assert set(found["level"]) == {"image", "patient"}
    assert set(found["interval"]) == {
        "bootstrap over patients, percentile", "bootstrap over patients, BCa", "Student t over folds",
    }  # fmt: skip
    rows = evaluation.evidence["resnet18"].test["image"]
    value = cohen_kappa_score(rows.target, rows.probabilities.argmax(axis=1))
    line = found.query("level == 'image' and interval.str.endswith('BCa')").iloc[0]
    assert line["value"] == pytest.approx(value)
    assert line["low"] < line["value"] < line["high"]
    for name in ("folds", "operating_points"):
        assert "kappa" in set(pd.read_csv(study / "evaluation" / "resnet18" / f"{name}.csv")["metric"]), name


def test_its_reason_is_given_where_it_is_undefined(kappa: None, make_pooled) -> None:
    rows = make_pooled(signal=30.0).split("test")
    one_class = rows.where(rows.table["label"] == "MDS")
    notes = estimate(one_class, "MDS", SETTINGS).query("metric == 'kappa'")["note"]
    assert set(notes) == {"all rows are of one class and predicted as it"}


def test_tables_show_it(evaluation: Evaluation, study: Path) -> None:
    table = pd.read_csv(study / "evaluation" / "table2_performance.csv")
    ours = table[~table["model"].str.contains("doi")]
    assert ours[NAME].str.match(r"-?\d\.\d{3} \[").all()
    assert list(table.columns)[-1] == NAME, "after the metrics that have a position"
    console = Console(width=80, record=True, file=StringIO())
    console.print(*evaluation.summary)
    assert NAME in console.export_text()


def test_report_and_model_card_show_it(evaluation: Evaluation, study: Path, tmp_path: Path) -> None:
    date = datetime(2026, 1, 1, tzinfo=UTC)
    page = write_report(load_study(study), SETTINGS, tmp_path / "report.html", date)
    line = next(line for line in page.metrics if line.metric == "kappa")
    html = (tmp_path / "report.html").read_text()
    assert "Cohen&#39;s kappa" in html
    assert html.count(line.levels["patient"].number) > 0
    assert NAME in write_model_card(page, tmp_path / "card.md").read_text()
