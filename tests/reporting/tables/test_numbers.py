"""Estimates as text, also where they are undefined or have no interval."""

import pandas as pd
import pytest

from mds_lightning.reporting.tables.headline import choose_headlines
from mds_lightning.reporting.tables.numbers import Estimate, list_groups, list_metric_lines
from mds_lightning.statistics.estimates import Settings, estimate
from mds_lightning.statistics.intervals.bootstrap import BCA
from mds_lightning.statistics.intervals.newcombe import NEWCOMBE
from mds_lightning.statistics.intervals.wilson import WILSON
from mds_lightning.statistics.subgroups import estimate_subgroups
from mds_lightning.studies.pooled_rows import HELD_OUT

NAN = float("nan")


@pytest.mark.parametrize(
    ("one", "text"),
    [
        (Estimate(0.93, 0.88, 0.97), "0.930 [0.880 to 0.970]"),
        (Estimate(-0.1, -0.25, 0.05), "−0.100 [−0.250 to 0.050]"),
        (Estimate(1.0, 1.0, 1.0), "1.000 [no spread]"),
        (Estimate(0.5, NAN, NAN), "0.500 [no interval]"),
        (Estimate(1.0, 0.8, 1.0, kind="Wilson"), "1.000 [0.800 to 1.000, Wilson]"),
        (Estimate(NAN, NAN, NAN, "no row is MDS"), "undefined"),
    ],
)
def test_an_estimate_as_text(one, text):
    assert str(one) == text


def test_without_errors_patients_have_an_interval_and_images_have_none(make_pooled):
    test = make_pooled(signal=12.0).split("test")
    table = estimate(test, HELD_OUT, Settings(n_resamples=100))
    lines = {line.name: line.levels for line in list_metric_lines(table, HELD_OUT)}
    recall = lines["Recall, MDS"]["patient"]
    # Wilson, J Am Stat Assoc 22 (1927) 209: n / (n + z²) where all n succeed.
    assert (recall.value, recall.high) == (1.0, 1.0)
    assert recall.low == pytest.approx(30 / (30 + 1.959964**2), abs=1e-6)
    auc = lines["ROC-AUC, MDS"]["patient"]
    assert (auc.value, auc.high, auc.kind) == (1.0, 1.0, "Newcombe")
    assert 0.85 < auc.low < 0.95
    assert lines["ROC-AUC, MDS"]["image"].limits == "no spread", "images are no independent trials"
    assert lines["Recall, MDS"]["image"].limits == "no spread"


def test_proportions_of_patients_have_wilson_intervals_and_others_bootstrap_intervals(make_pooled):
    table = estimate(make_pooled().split("test"), HELD_OUT, Settings(n_resamples=100))
    shown = choose_headlines(table).set_index(["level", "metric", "class"])["interval"]
    assert shown.index.is_unique
    assert set(map(tuple, table[["level", "metric", "class"]].to_numpy())) == set(shown.index)
    proportions = {"accuracy", "precision", "recall", "specificity"}
    for (level, metric, class_name), kind in shown.items():
        wilson = level == "patient" and metric in proportions and class_name != "macro"
        newcombe = level == "patient" and metric == "roc_auc_within_folds"
        expected = WILSON if wilson else NEWCOMBE if newcombe else BCA
        assert kind == expected, (level, metric, class_name)


def test_groups_of_too_few_patients_have_one_line_without_estimates(make_pooled):
    patients = make_pooled().split("test")
    ids = sorted(set(patients.table["patient_id"]))
    values = pd.Series(
        {name: "large" if k < 50 else f"small {k % 2}" for k, name in enumerate(ids)}, name="type"
    )
    patients = patients.where(~patients.table.duplicated("patient_id"))
    lines = list_groups(estimate_subgroups(patients, values, n_resamples=100))
    assert [(line.group, line.size) for line in lines] == [
        ("large", "50"), ("small 0, small 1", "fewer than 10 each"),
    ]  # fmt: skip
    assert all(one.is_defined for one in lines[0].estimates.values())
    assert not any(one.is_defined for one in lines[1].estimates.values())
