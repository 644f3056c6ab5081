import subprocess
import sys

import numpy as np
import pytest

from mds_lightning.statistics.aggregate import aggregate_patients
from mds_lightning.statistics.estimates import Settings, estimate
from mds_lightning.statistics.intervals.delong import interval_of_auc
from mds_lightning.statistics.intervals.wilson import wilson_interval
from mds_lightning.statistics.sample import Sample


@pytest.fixture
def table(correlated):
    return estimate(correlated(patients=40, images=3, folds=4), "all", Settings(n_resamples=200))


def pick(table, level: str, metric: str, interval: str, class_name: str = "MDS"):
    keys = {"level": level, "metric": metric, "interval": interval, "class": class_name}
    chosen = np.logical_and.reduce([table[key] == value for key, value in keys.items()])
    return table[chosen]


def test_each_kind_of_interval_where_it_is_valid(table, correlated) -> None:
    kinds = {
        ("image", "roc_auc"): {"DeLong, clustered by patient (Obuchowski)"},
        ("patient", "roc_auc"): {"DeLong", "Newcombe"},
        ("image", "recall"): set(),
        ("patient", "recall"): {"Wilson"},
        ("patient", "f1"): set(),
    }
    common = {"bootstrap over patients, percentile", "bootstrap over patients, BCa", "Student t over folds"}
    for (level, metric), extra in kinds.items():
        rows = table[(table["level"] == level) & (table["metric"] == metric) & (table["class"] == "MDS")]
        assert set(rows["interval"]) == common | extra, (level, metric)


def test_intervals_are_those_of_their_own_functions(table, correlated) -> None:
    images = correlated(patients=40, images=3, folds=4)
    patients = aggregate_patients(images)
    for level, rows in (("image", images), ("patient", patients)):
        sample = Sample.of(rows)
        expected = interval_of_auc(sample.target == 1, sample.probabilities[:, 1], sample.patient)
        line = pick(table, level, "roc_auc", expected.method).iloc[0]
        assert (line["low"], line["high"]) == (expected.low, expected.high)
    positive = patients.target == 1
    called = patients.probabilities[:, 1] > 0.5
    for metric, hits, trials in (
        ("recall", called & positive, positive),
        ("precision", called & positive, called),
        ("specificity", ~called & ~positive, ~positive),
    ):
        expected = wilson_interval(hits.sum(), trials.sum())
        line = pick(table, "patient", metric, "Wilson").iloc[0]
        assert line["value"] == pytest.approx(hits.sum() / trials.sum())
        assert (line["low"], line["high"]) == pytest.approx((expected.low, expected.high))


def test_t_over_folds_is_centred_on_the_mean_of_the_folds(table) -> None:
    line = pick(table, "image", "roc_auc", "Student t over folds").iloc[0]
    pooled = pick(table, "image", "roc_auc", "bootstrap over patients, percentile").iloc[0]
    assert line["value"] == pytest.approx((line["low"] + line["high"]) / 2)
    assert line["value"] != pooled["value"]


def test_undefined_metrics_have_a_reason(make_predictions) -> None:
    table = estimate(make_predictions([0, 0, 1, 1], [0.1, 0.2, 0.3, 0.4]), "all", Settings(n_resamples=100))
    rows = table[(table["metric"] == "precision") & (table["class"] == "MDS")]
    assert rows["value"].isna().all()
    assert (rows["note"] == "no row is predicted as MDS").all()


def test_statistics_need_neither_torch_nor_hydra() -> None:
    code = (
        "import pkgutil, importlib, sys, mds_lightning.statistics as s\n"
        "for m in pkgutil.walk_packages(s.__path__, 'mds_lightning.statistics.'):\n"
        "    importlib.import_module(m.name)\n"
        "print([m for m in ('torch', 'lightning', 'hydra', 'sklearn', 'matplotlib') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
