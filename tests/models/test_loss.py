import numpy as np
import pytest
import torch

from mds_lightning.models.hyperparameters import Hyperparameters
from mds_lightning.models.loss import Moment, NonFiniteLossError, classification_loss

MOMENT = Moment("train", 3, 57, "bf16-mixed")


def test_the_loss_by_hand() -> None:
    logits, target = torch.tensor([[2.0, 0.0], [0.5, 1.0], [0.0, 3.0]]), torch.tensor([0, 0, 1])
    hyperparameters = Hyperparameters(label_smoothing=0.1)
    loss = classification_loss(logits, target, torch.tensor([1.0, 3.0]), hyperparameters, MOMENT)
    logs = np.log(np.exp(logits.numpy()) / np.exp(logits.numpy()).sum(axis=1, keepdims=True))
    weight = np.array([1.0, 3.0])
    smooth = 0.9 * np.eye(2)[target.numpy()] + 0.05
    expected = -(smooth * weight * logs).sum() / weight[target.numpy()].sum()
    assert float(loss) == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_loss_that_is_no_number_says_when_and_what_to_try(value: float) -> None:
    logits = torch.tensor([[value, 0.0], [0.0, 0.0]])
    with pytest.raises(NonFiniteLossError) as caught:
        classification_loss(logits, torch.tensor([1, 1]), None, Hyperparameters(learning_rate=0.5), MOMENT)
    message = str(caught.value)
    assert "epoch 3, step 57" in message
    assert "lower classifier.learning_rate (now 0.5)" in message
    assert "bf16-mixed" in message
