"""The loss, which must stay a number."""

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from mds_lightning.models.hyperparameters import Hyperparameters


class NonFiniteLossError(RuntimeError):
    """The loss became NaN or infinite; the message says when, and what to try."""


@dataclass(frozen=True)
class Moment:
    """Where in a training a loss belongs: stage, epoch and step (both from 0), Lightning's precision."""

    stage: str
    epoch: int
    step: int
    precision: str


def classification_loss(
    logits: Tensor,
    target: Tensor,
    class_weights: Tensor | None,
    hyperparameters: Hyperparameters,
    moment: Moment,
) -> Tensor:
    """Cross-entropy with the label smoothing of `hyperparameters`, a scalar.

    Args:
        logits: Float (n, classes).
        target: Class indices, int64 (n).
        class_weights: Float (classes), or None: all the same.
        hyperparameters: Of the classifier.
        moment: For the message, should the loss not be finite.

    Raises:
        NonFiniteLossError: The loss is NaN or infinite.
    """
    loss = functional.cross_entropy(
        logits, target, weight=class_weights, label_smoothing=hyperparameters.label_smoothing
    )
    if not torch.isfinite(loss):
        raise NonFiniteLossError(
            f"the {moment.stage} loss is {float(loss.detach())} in epoch {moment.epoch}, step {moment.step} "
            f"(both from 0): try a lower classifier.learning_rate (now {hyperparameters.learning_rate:g}), "
            f"more classifier.warmup_epochs (now {hyperparameters.warmup_epochs:g}), "
            f"or trainer.precision=32-true (now {moment.precision})"
        )
    return loss
