import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as sklearn_metrics

from mds_lightning.models.epoch_metrics import EpochMetrics

CLASSES = ["donor", "AML", "MDS"]


def watch(probabilities: torch.Tensor, target: torch.Tensor, batch: int = 4) -> dict[str, float]:
    monitor = EpochMetrics(CLASSES[: probabilities.shape[1]])
    for start in range(0, len(target), batch):
        monitor.update(probabilities[start : start + batch], target[start : start + batch])
    return {name: float(value) for name, value in monitor.compute().items()}


@settings(deadline=None, max_examples=20)
@given(st.integers(2, 3), st.integers(0, 10_000))
def test_values_equal_scikit_learn(n_classes: int, seed: int) -> None:
    random = np.random.default_rng(seed)
    target = random.permutation(np.arange(18) % n_classes)
    # Few distinct scores, so that there are ties.
    logits = random.integers(0, 4, size=(18, n_classes)) + 1.5 * np.eye(n_classes)[target]
    probabilities = torch.tensor(logits, dtype=torch.float32).softmax(dim=1)
    values = watch(probabilities, torch.tensor(target))
    score = probabilities.numpy().astype(float)
    score = score / score.sum(axis=1, keepdims=True)
    predicted = probabilities.argmax(dim=1).numpy()
    weights = 1 / np.bincount(target)[target]
    nan = {"zero_division": np.nan}
    expected = {
        "auroc": sklearn_metrics.roc_auc_score(
            target, score[:, 1] if n_classes == 2 else score, multi_class="ovr", average="macro"
        ),
        "balanced_loss": sklearn_metrics.log_loss(target, score, sample_weight=weights),
        "accuracy": sklearn_metrics.accuracy_score(target, predicted),
        "f1": sklearn_metrics.f1_score(target, predicted, average="macro"),
    }
    precision = sklearn_metrics.precision_score(
        target, predicted, average=None, labels=range(n_classes), **nan
    )
    recall = sklearn_metrics.recall_score(target, predicted, average=None, labels=range(n_classes), **nan)
    for name, p, r in zip(CLASSES, precision, recall, strict=False):
        expected |= {f"precision_{name}": p, f"recall_{name}": r}
    assert values == pytest.approx(expected, abs=1e-6, nan_ok=True)


def test_perfect_scores_with_a_class_absent_have_no_auroc() -> None:
    # torchmetrics itself says 0.667 here, with three classes, and 0 with two.
    three = watch(torch.eye(3)[[0, 1, 0, 1]], torch.tensor([0, 1, 0, 1]))
    two = watch(torch.eye(2)[[0, 0]], torch.tensor([0, 0]))
    assert np.isnan([three["auroc"], two["auroc"], three["balanced_loss"], two["balanced_loss"]]).all()
    assert np.isnan([three["f1"], three["recall_MDS"], three["precision_MDS"], two["recall_AML"]]).all()
    assert three["recall_AML"] == three["accuracy"] == two["recall_donor"] == 1


def test_a_class_that_is_never_predicted_has_no_precision_but_a_recall_of_zero() -> None:
    values = watch(torch.eye(2)[[0, 0]], torch.tensor([0, 1]))
    assert np.isnan(values["precision_AML"])
    assert values["recall_AML"] == 0
    assert values["f1"] == pytest.approx((2 / 3 + 0) / 2)


def test_accuracy_is_micro() -> None:
    target = torch.tensor([0] * 90 + [1] * 9 + [2])
    assert watch(torch.eye(3)[torch.zeros(100, dtype=torch.long)], target)["accuracy"] == pytest.approx(0.9)


def test_reset_discards_batches_and_missing_classes_are_named() -> None:
    monitor = EpochMetrics(CLASSES)
    monitor.update(torch.eye(3)[[0, 2]], torch.tensor([0, 2]))
    assert monitor.missing_classes() == ["AML"]
    monitor.reset()
    monitor.update(torch.eye(3)[[1]], torch.tensor([1]))
    assert monitor.missing_classes() == ["donor", "MDS"]
    assert monitor.state_dict() == {}


def test_a_certain_error_has_a_finite_loss() -> None:
    assert np.isfinite(watch(torch.eye(2)[[0, 0]], torch.tensor([0, 1]))["balanced_loss"])
