"""The registry finds the metrics of the folder, orders them, and refuses files without one."""

import importlib
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mds_lightning.statistics import metrics
from mds_lightning.statistics.metric_registry import find_metric, list_metrics

AGAIN = """
from dataclasses import replace
from mds_lightning.statistics.metrics.recall import METRIC as RECALL

METRIC = replace(RECALL, label="Sensitivity")
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A second folder of `statistics/metrics/`, so that files can be added to it."""
    monkeypatch.setattr(metrics, "__path__", [*metrics.__path__, str(tmp_path)])
    list_metrics.cache_clear()
    yield tmp_path
    for file in tmp_path.glob("*.py"):
        del sys.modules[f"{metrics.__name__}.{file.stem}"]
        delattr(metrics, file.stem)
    list_metrics.cache_clear()


def test_metrics_are_in_the_order_of_the_tables() -> None:
    found = list_metrics()
    assert [metric.name for metric in found] == [
        "roc_auc", "roc_auc_within_folds", "accuracy", "precision", "recall", "specificity", "f1",
        "average_precision", "balanced_accuracy", "mcc",
    ]  # fmt: skip
    assert len({metric.label for metric in found}) == len(found)


def test_a_file_without_a_metric_is_refused(folder: Path) -> None:
    (folder / "empty.py").write_text("X = 1\n")
    importlib.invalidate_caches()
    with pytest.raises(ValueError, match=r"metrics\.empty holds no METRIC: define METRIC = Metric"):
        list_metrics()


def test_a_second_metric_of_the_same_name_is_refused(folder: Path) -> None:
    (folder / "sensitivity.py").write_text(AGAIN)
    importlib.invalidate_caches()
    with pytest.raises(ValueError, match=r"metrics\.sensitivity: there is another metric named 'recall'"):
        list_metrics()


def test_an_unknown_metric_is_refused() -> None:
    with pytest.raises(ValueError, match=r"no metric 'auc': choose one of roc_auc, "):
        find_metric("auc")


@pytest.mark.parametrize("target", [0, 1])
def test_every_metric_gives_a_reason(make_sample: Any, target: int) -> None:
    sample = make_sample([target, target], np.array([0.2, 0.3]))
    for metric in list_metrics():
        assert metric.explain_undefined(sample, sample.classes[1 - target]).strip(), metric.name
