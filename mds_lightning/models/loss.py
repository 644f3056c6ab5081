"""The training loss, checked to be finite."""

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from mds_lightning.models.hyperparameters import Hyperparameters


class NonFiniteLossError(RuntimeError):
    """The loss is NaN or infinite; the message names the step and what to change."""


@dataclass(frozen=True)
class StepContext:
    """The step a loss was computed in: stage, epoch and step (both from 0), and Lightning's precision."""

    stage: str
    epoch: int
    step: int
    precision: str


def classification_loss(
    logits: Tensor,
    target: Tensor,
    class_weights: Tensor | None,
    hyperparameters: Hyperparameters,
    context: StepContext,
) -> Tensor:
    """Cross-entropy with the label smoothing of `hyperparameters`, a scalar.

    Args:
        logits: Float (n, classes).
        target: int64 (n), class indices.
        class_weights: Float (classes), or None for equal weights.
        hyperparameters: Hyperparameters of the classifier.
        context: For the error message.

    Raises:
        NonFiniteLossError: The loss is NaN or infinite.
    """
    loss = functional.cross_entropy(
        logits, target, weight=class_weights, label_smoothing=hyperparameters.label_smoothing
    )
    if not torch.isfinite(loss):
        # Finished epochs were trained with the present values, and are not continued with others.
        study = ", and give the study another name (study=NAME)" if context.epoch else ""
        raise NonFiniteLossError(
            f"the {context.stage} loss is {float(loss.detach())} in epoch {context.epoch}, "
            f"step {context.step} (both from 0): try a lower "
            f"classifier.learning_rate (now {hyperparameters.learning_rate:g}), "
            f"more classifier.warmup_epochs (now {hyperparameters.warmup_epochs:g}), "
            f"or trainer.precision=32-true (now {context.precision}){study}"
        )
    return loss
