from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import pytest

from mds_lightning.models.hyperparameters import Hyperparameters


def test_numpy_numbers_are_converted_to_python_numbers() -> None:
    given = Hyperparameters(learning_rate=np.float64(0.5), freeze_epochs=np.int64(2), warmup_epochs=3)  # type: ignore[arg-type]
    assert [type(getattr(given, field.name)) for field in fields(given)] == [str, *[float] * 5, int, float]
    assert (given.learning_rate, given.freeze_epochs, given.warmup_epochs) == (0.5, 2, 3.0)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("optimizer", "adam"),
        ("learning_rate", 0.0),
        ("learning_rate", float("nan")),
        ("learning_rate", float("inf")),
        ("weight_decay", -1e-3),
        ("momentum", 1.0),
        ("warmup_epochs", -1),
        ("warmup_epochs", float("nan")),
        ("label_smoothing", 1.0),
        ("freeze_epochs", 1.5),
        ("freeze_epochs", -1),
        ("dropout", 1.0),
        ("dropout", -0.1),
        ("dropout", None),
        ("learning_rate", "fast"),
    ],
)
def test_values_out_of_range_are_named(key: str, value: Any) -> None:
    with pytest.raises(ValueError, match=rf"classifier\.{key} is .*: give"):
        Hyperparameters(**{key: value})


@dataclass(frozen=True)
class OptionalHyperparameters(Hyperparameters):
    clip: float | None = None
    averaged: bool = False


def test_a_hyperparameter_may_be_none_by_default() -> None:
    assert OptionalHyperparameters().clip is None
    given = OptionalHyperparameters(clip=np.float64(0.5)).clip  # type: ignore[arg-type]
    assert (type(given), given) == (float, 0.5)


@pytest.mark.parametrize(
    ("key", "value", "wanted"), [("clip", "high", "a number"), ("averaged", "no", "true or false")]
)
def test_the_type_that_is_needed_is_named(key: str, value: str, wanted: str) -> None:
    with pytest.raises(ValueError, match=rf"classifier\.{key} is '{value}': give {wanted}"):
        OptionalHyperparameters(**{key: value})  # type: ignore[arg-type]


def test_random_weights_get_a_higher_learning_rate_than_trained_ones_unless_one_is_given():
    default, given = Hyperparameters(), Hyperparameters(learning_rate=0.01)
    assert default.with_learning_rate(is_pretrained=True).learning_rate == 3e-4
    assert default.with_learning_rate(is_pretrained=False).learning_rate == 3e-3
    assert given.with_learning_rate(is_pretrained=False) == given
