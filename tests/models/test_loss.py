import numpy as np
import pytest
import torch

from mds_lightning.models.hyperparameters import Hyperparameters
from mds_lightning.models.loss import NonFiniteLossError, StepContext, classification_loss

CONTEXT = StepContext("train", 3, 57, "bf16-mixed")


def test_the_loss_equals_the_weighted_smoothed_cross_entropy() -> None:
    logits, target = torch.tensor([[2.0, 0.0], [0.5, 1.0], [0.0, 3.0]]), torch.tensor([0, 0, 1])
    hyperparameters = Hyperparameters(label_smoothing=0.1)
    loss = classification_loss(logits, target, torch.tensor([1.0, 3.0]), hyperparameters, CONTEXT)
    logs = np.log(np.exp(logits.numpy()) / np.exp(logits.numpy()).sum(axis=1, keepdims=True))
    weight = np.array([1.0, 3.0])
    smooth = 0.9 * np.eye(2)[target.numpy()] + 0.05
    expected = -(smooth * weight * logs).sum() / weight[target.numpy()].sum()
    assert float(loss) == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_loss_that_is_not_finite_raises_with_step_and_remedy(value: float) -> None:
    logits = torch.tensor([[value, 0.0], [0.0, 0.0]])
    with pytest.raises(NonFiniteLossError) as caught:
        classification_loss(logits, torch.tensor([1, 1]), None, Hyperparameters(learning_rate=0.5), CONTEXT)
    message = str(caught.value)
    assert "epoch 3, step 57" in message
    assert "lower classifier.learning_rate (now 0.5)" in message
    assert "bf16-mixed" in message
    # Three epochs are finished, and bind the present settings.
    assert "study=NAME" in message
