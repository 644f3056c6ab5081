"""Every metric equals scikit-learn's on random tables, with ties, absent classes and weights."""

import warnings
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as sk

from mds_lightning.statistics.intervals.newcombe import newcombe_interval
from mds_lightning.statistics.metric import Measure
from mds_lightning.statistics.metric_registry import find_metric
from mds_lightning.statistics.sample import Sample
from mds_lightning.statistics.sample_metrics import SampleMetrics

NAMES = ("donor", "MDS", "AML", "CMML")


@st.composite
def samples(draw: Any) -> tuple[Sample, np.ndarray]:
    """A sample with few distinct scores, any number of present classes, and integer weights of patients."""
    n_classes = draw(st.integers(2, 4))
    n = draw(st.integers(1, 25))
    target = np.array(draw(st.lists(st.integers(0, n_classes - 1), min_size=n, max_size=n)))
    grid = st.integers(0, draw(st.sampled_from([1, 4, 1000])))
    raw = np.array(draw(st.lists(grid, min_size=n * n_classes, max_size=n * n_classes)), float)
    # Powers of two keep the division exact, so that ties stay ties.
    scores = np.floor(raw.reshape(n, n_classes)) + 1
    probabilities = scores / 2.0 ** np.ceil(np.log2(scores.sum(axis=1, keepdims=True)))
    probabilities[:, 0] += 1 - probabilities.sum(axis=1)
    patient = np.arange(n)
    weights = np.array(draw(st.lists(st.integers(0, 3), min_size=n, max_size=n)), float)
    weights[draw(st.integers(0, n - 1))] = 1
    sample = Sample(NAMES[:n_classes], target, probabilities, patient, target, np.zeros(n, np.int64))
    return sample, weights


def by_sklearn(sample: Sample, weights: np.ndarray) -> dict[Measure, float]:
    """The same metrics, NaN where scikit-learn leaves them undefined or calls them 0 for want of rows."""
    labels = list(range(len(sample.classes)))
    y, p, predicted = sample.target, sample.probabilities, sample.predicted
    keep = weights > 0
    y, p, predicted, w = y[keep], p[keep], predicted[keep], weights[keep]
    found = {Measure("accuracy", "overall"): sk.accuracy_score(y, predicted, sample_weight=w)}
    parts = sk.precision_recall_fscore_support(
        y, predicted, labels=labels, sample_weight=w, zero_division=np.nan
    )[:3]
    for metric, values in zip(("precision", "recall", "f1"), parts, strict=True):
        found |= {Measure(metric, sample.classes[k]): values[k] for k in labels}
    found[Measure("balanced_accuracy", "overall")] = float(np.mean(parts[1]))
    found[Measure("precision", "macro")] = float(np.mean(parts[0]))
    found[Measure("f1", "macro")] = float(np.mean(parts[2]))
    one_sided = len(set(y)) == 1 or len(set(predicted)) == 1
    mcc = sk.matthews_corrcoef(y, predicted, sample_weight=w)
    found[Measure("mcc", "overall")] = np.nan if one_sided else mcc
    for k in labels:
        positive = y == k
        name = sample.classes[k]
        rest = ~positive
        specificity = np.average(predicted[rest] != k, weights=w[rest]) if rest.any() else np.nan
        found[Measure("specificity", name)] = specificity
        if len(labels) == 2 and k == 0:
            continue
        two_sided = positive.any() and rest.any()
        auc = sk.roc_auc_score(positive, p[:, k], sample_weight=w) if two_sided else np.nan
        found[Measure("roc_auc", name)] = auc
        average = sk.average_precision_score(positive, p[:, k], sample_weight=w) if positive.any() else np.nan
        found[Measure("average_precision", name)] = average
    if len(labels) > 2:
        for metric in ("roc_auc", "average_precision"):
            values = [found[Measure(metric, name)] for name in sample.classes]
            found[Measure(metric, "macro")] = float(np.mean(values))
    return found


@settings(max_examples=60, deadline=None)
@given(samples())
def test_equals_scikit_learn(drawn: tuple[Sample, np.ndarray]) -> None:
    sample, weights = drawn
    metrics = SampleMetrics.of(sample)
    both = metrics(np.stack([np.ones_like(weights), weights]))
    for row, w in enumerate((np.ones_like(weights), weights)):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            expected = by_sklearn(sample, w)
        assert both.keys() == expected.keys()
        for measure, value in expected.items():
            np.testing.assert_allclose(both[measure][row], value, atol=1e-12, err_msg=str(measure))


@settings(max_examples=60, deadline=None)
@given(samples())
def test_what_is_undefined_has_a_reason_and_nothing_else_is_nan(drawn: tuple[Sample, np.ndarray]) -> None:
    sample, _ = drawn
    for measure, value in SampleMetrics.of(sample).point().items():
        if np.isnan(value):
            assert find_metric(measure.metric).explain_undefined(sample, measure.class_name)
        else:
            assert -1 <= value <= 1


def test_reasons_name_the_class(make_sample: Any) -> None:
    sample = make_sample([0, 0, 0], [0.1, 0.2, 0.3])
    point = SampleMetrics.of(sample).point()
    for measure, words in {
        Measure("roc_auc", "MDS"): "no row is MDS",
        Measure("recall", "MDS"): "no row is MDS",
        Measure("precision", "MDS"): "no row is predicted as MDS",
        Measure("specificity", "donor"): "every row is donor",
        Measure("mcc", "overall"): "all rows are of one class",
        Measure("f1", "MDS"): "no row is MDS, and none is predicted as MDS",
    }.items():
        assert np.isnan(point[measure])
        assert find_metric(measure.metric).explain_undefined(sample, measure.class_name) == words
    assert point[Measure("accuracy", "overall")] == 1


def test_an_absent_class_leaves_the_macro_average_undefined() -> None:
    """torchmetrics 1.9 makes 0.667 of perfect scores here, for the third class is absent."""
    probabilities = np.array([[0.8, 0.1, 0.1], [0.7, 0.2, 0.1], [0.1, 0.8, 0.1], [0.2, 0.7, 0.1]])
    target = np.array([0, 0, 1, 1])
    sample = Sample(NAMES[:3], target, probabilities, np.arange(4), target, np.zeros(4, np.int64))
    point = SampleMetrics.of(sample).point()
    assert point[Measure("roc_auc", "donor")] == 1
    assert np.isnan(point[Measure("roc_auc", "AML")])
    assert np.isnan(point[Measure("roc_auc", "macro")])


def test_auc_within_folds_compares_scores_of_one_model_only(make_sample: Any) -> None:
    # The second model scores everything 0.4 higher: pooling ranks its negatives above the first's positives.
    target = [0, 1, 0, 1]
    sample = make_sample(target, [0.1, 0.3, 0.5, 0.7], fold=[0, 0, 1, 1])
    within = SampleMetrics.within_folds(sample)(np.ones((1, 4)))
    assert within[Measure("roc_auc_within_folds", "MDS")] == 1
    assert SampleMetrics.of(sample).point()[Measure("roc_auc", "MDS")] == 0.75


def test_auc_within_folds_weights_folds_by_their_pairs(correlated: Any) -> None:
    predictions = correlated(patients=23, folds=3, seed=4)
    won = total = 0.0
    for fold in range(3):
        part = predictions.of_fold(fold)
        pairs = (part.target == 1).sum() * (part.target == 0).sum()
        won += pairs * sk.roc_auc_score(part.target, part.probabilities[:, 1])
        total += pairs
    within = SampleMetrics.within_folds(Sample.of(predictions))(np.ones((1, 23)))
    assert within[Measure("roc_auc_within_folds", "MDS")] == pytest.approx(won / total, abs=1e-12)


def test_auc_within_folds_of_several_classes_has_a_macro_average(correlated: Any) -> None:
    sample = Sample.of(correlated(patients=24, classes=NAMES[:3], folds=2))
    within = SampleMetrics.within_folds(sample)(np.ones((2, 24)))
    parts = [within[Measure("roc_auc_within_folds", name)] for name in NAMES[:3]]
    np.testing.assert_allclose(within[Measure("roc_auc_within_folds", "macro")], np.mean(parts, axis=0))


def test_ties_are_predicted_as_the_first_class(make_sample: Any) -> None:
    assert make_sample([1, 1], [0.5, 0.500001]).predicted.tolist() == [0, 1]


def test_auc_within_folds_of_patients_has_newcombes_interval(make_sample: Any) -> None:
    sample = make_sample([0, 1, 0, 1, 0], [0.1, 0.3, 0.5, 0.4, 0.2], fold=[0, 0, 1, 1, 1])
    metric, weighted = (
        find_metric("roc_auc_within_folds"),
        SampleMetrics.within_folds(sample).prepared.unweighted,
    )
    expected = newcombe_interval(2 / 3, [1, 1], [1, 2], 0.9)
    assert metric.intervals(weighted, "MDS", "patient", 0.9) == [expected]
    assert metric.intervals(weighted, "MDS", "image", 0.9) == []
