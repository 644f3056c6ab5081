"""The optimizer and its learning-rate schedule."""

import math
from collections.abc import Iterable

from torch import nn
from torch.optim import SGD, AdamW, Optimizer
from torch.optim.lr_scheduler import LambdaLR

from mds_lightning.models.hyperparameters import Hyperparameters


def build_optimizer(parameters: Iterable[nn.Parameter], hyperparameters: Hyperparameters) -> Optimizer:
    """AdamW or SGD with two parameter groups: weights, with weight decay, and biases and norms, without.

    Raises:
        ValueError: The hyperparameters have no learning rate (see `Hyperparameters.with_learning_rate`).
    """
    rate = hyperparameters.learning_rate
    if rate is None:
        raise ValueError("the hyperparameters have no learning_rate: use Hyperparameters.with_learning_rate")
    parameters = list(parameters)
    groups = [
        {
            "params": [value for value in parameters if value.ndim > 1],
            "weight_decay": hyperparameters.weight_decay,
        },
        {"params": [value for value in parameters if value.ndim <= 1], "weight_decay": 0.0},
    ]
    if hyperparameters.optimizer == "sgd":
        return SGD(groups, lr=rate, momentum=hyperparameters.momentum)
    return AdamW(groups, lr=rate)


def build_schedule(optimizer: Optimizer, warmup_steps: int, total_steps: int) -> LambdaLR:
    """The schedule of `learning_rate_factor`, stepped after every optimizer step."""
    return LambdaLR(optimizer, lambda step: learning_rate_factor(step, warmup_steps, total_steps))


def learning_rate_factor(step: int, warmup_steps: int, total_steps: int) -> float:
    """Fraction of the highest learning rate at `step` (from 0): a linear rise to 1, then a cosine to 0.

    Args:
        step: Number of optimizer steps taken so far.
        warmup_steps: Number of steps of the linear rise; the last of them has the full rate.
        total_steps: Number of steps of the training; from here on the factor is 0.
    """
    if step < min(warmup_steps, total_steps):
        return (step + 1) / warmup_steps
    progress = (step - warmup_steps) / max(1, total_steps - warmup_steps)
    return 0.5 * (1 + math.cos(math.pi * min(1.0, progress)))
