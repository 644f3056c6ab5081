"""Hyperparameters of the training of a classifier."""

from dataclasses import dataclass, fields, replace
from types import NoneType
from typing import Any, Literal, Self, get_args, get_type_hints

Optimizer = Literal["adamw", "sgd"]

_KINDS: dict[type, str] = {bool: "true or false", int: "a whole number", float: "a number", str: "a name"}

#: Learning rates where none is given, for weights that were trained before and for random weights: with few
#: patients an epoch has few steps, in which a small rate does not train random weights (experiments/recipe).
_PRETRAINED_RATE, _RANDOM_RATE = 3e-4, 3e-3


@dataclass(frozen=True)
class Hyperparameters:
    """The keys `classifier.*` of a configuration.

    Attributes:
        optimizer: `adamw`, or `sgd` with `momentum`.
        learning_rate: Highest learning rate of the schedule, above 0; null: 3e-4 if the training starts from
            trained weights, 3e-3 if it starts from random ones.
        weight_decay: Applied to weights of two dimensions or more, not to biases and norms; 0 or more.
        momentum: Momentum of `sgd`, 0 <= momentum < 1.
        warmup_epochs: Number of epochs in which the learning rate rises linearly; after them it falls to zero
            as a cosine. 0 or more, also fractions.
        label_smoothing: Fraction of the target that is spread over all classes, 0 <= label_smoothing < 1.
        freeze_epochs: Number of first epochs in which only the head is trained.
        dropout: Fraction of the features dropped before the head in training, 0 <= dropout < 1.
    """

    optimizer: Optimizer = "adamw"
    learning_rate: float | None = None
    weight_decay: float = 1e-2
    momentum: float = 0.9
    warmup_epochs: float = 1.0
    label_smoothing: float = 0.0
    freeze_epochs: int = 0
    dropout: float = 0.0

    def __post_init__(self) -> None:
        # Checkpoints with NumPy's numbers do not load with weights_only: convert them to Python's.
        hints = get_type_hints(type(self))
        for field in fields(self):
            given, hint = getattr(self, field.name), hints[field.name]
            if given is None and NoneType in get_args(hint):
                continue
            kind = _kind(hint)
            try:
                plain = kind(given)
            except (TypeError, ValueError, OverflowError):
                plain = None
            # NaN differs from itself; the range checks below refuse it.
            if plain is None or (plain != given and given == given):
                raise ValueError(f"classifier.{field.name} is {given!r}: give {_KINDS[kind]}")
            object.__setattr__(self, field.name, plain)
        if self.optimizer not in get_args(Optimizer):
            raise ValueError(
                f"classifier.optimizer is {self.optimizer!r}: give {' or '.join(get_args(Optimizer))}"
            )
        if self.learning_rate is not None and not 0 < self.learning_rate < float("inf"):
            raise ValueError(f"classifier.learning_rate is {self.learning_rate}: give a number above 0")
        for name in ("weight_decay", "warmup_epochs", "freeze_epochs"):
            if not 0 <= getattr(self, name) < float("inf"):
                raise ValueError(f"classifier.{name} is {getattr(self, name)}: give 0 or more")
        for name in ("momentum", "label_smoothing", "dropout"):
            if not 0 <= getattr(self, name) < 1:
                raise ValueError(
                    f"classifier.{name} is {getattr(self, name)}: give a number from 0 to below 1"
                )

    def with_learning_rate(self, is_pretrained: bool) -> Self:
        """The same with a learning rate, if none was given.

        Args:
            is_pretrained: Whether the training starts from trained weights.
        """
        if self.learning_rate is not None:
            return self
        return replace(self, learning_rate=_PRETRAINED_RATE if is_pretrained else _RANDOM_RATE)


def _kind(hint: Any) -> Any:
    """The type of the plain values of a field: `float` of `float | None`, `str` of a choice of names."""
    return next((kind for kind in (hint, *get_args(hint)) if kind in _KINDS), str)


@dataclass(frozen=True)
class BackboneParameters:
    """The settings `backbone` of a configuration.

    Attributes:
        name: Name of the network in its library.
        pretrained: Start from the published ImageNet weights.
        weights: File with the weights to start from (.safetensors, .pth, .pt); null: `pretrained` decides.
    """

    name: str
    pretrained: bool = False
    weights: str | None = None
