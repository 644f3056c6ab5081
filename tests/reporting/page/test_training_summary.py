import math
from types import SimpleNamespace

import pytest

from mds_lightning.reporting.page.training_summary import (
    compute_chance_loss,
    describe_checkpoint,
    describe_training,
)

SETTINGS = {
    "backbone": {"name": "resnet18", "pretrained": False, "weights": None},
    "classifier": {"optimizer": "adamw", "learning_rate": 0.001, "weight_decay": 0.01},
    "augmentation": {"flips": True},
    "sampling": {"name": "balanced"},
    "trainer": {"max_epochs": 6},
    "callbacks": {"checkpoint": {"monitor": "val/balanced_loss", "mode": "min"}},
}
WHOLE = "the whole field of view, scaled to 320 pixels on its longer side"


def describe(**data):
    settings = {**SETTINGS, "data": {"image_size": 320, "batch_size": 8, **data}}
    return describe_training([SimpleNamespace(settings=settings)])["Input"]


@pytest.mark.parametrize("data", [{}, {"view": "whole", "tile_overlap": 0.0, "magnification": 1.0}])
def test_whole_fields_are_described_as_scaled(data):
    assert describe(**data) == f"{WHOLE}; no clinical data"


def test_tiles_are_described_as_cut_and_averaged():
    text = describe(view="tiles", image_size=[240, 320], tile_overlap=0.25, magnification=1.0)
    assert text == (
        "tiles of 320 × 240 pixels cut from the field of view at full resolution, drawn at random in "
        "training; for prediction, tiles cover the field with an overlap of at least 25%, and their "
        "probabilities are averaged; no clinical data"
    )
    assert WHOLE not in text


def test_both_scales_are_described():
    text = describe(view="multi_scale", tile_overlap=0.0, magnification=0.5)
    assert text.startswith("two scales")
    assert WHOLE in text
    assert "at 0.5 of its resolution" in text
    assert "overlap" not in text


@pytest.mark.parametrize(
    ("callbacks", "expected"),
    [
        (
            {"checkpoint": {"monitor": "val/auroc", "mode": "max"}},
            "the epoch with the largest ROC-AUC on validation images",
        ),
        (
            {
                "checkpoint": {"monitor": "val/balanced_loss", "mode": "min"},
                "weight_averaging": {"decay": 0.95},
            },
            "the epoch with the smallest class-balanced loss on validation images; weights are exponential "
            "moving averages over steps with decay 0.95",
        ),
        ({"checkpoint": {"monitor": "val/f1", "mode": "max"}}, "the epoch with the largest val/f1"),
        (
            {
                "checkpoint": {
                    "_target_": "mds_lightning.callbacks.fold_checkpoint.FoldCheckpoint",
                    "monitor": "val/loss",
                    "mode": "min",
                }
            },
            "of the epochs from 3 (counted from 0) on, the one with the smallest loss on validation images",
        ),
    ],
)
def test_the_rule_that_kept_the_checkpoint_is_named(callbacks, expected):
    assert describe_checkpoint({"callbacks": callbacks, "trainer": {"max_epochs": 7}}) == expected


def test_the_loss_of_a_constant_prediction():
    def settings(sampling, smoothing=0.0):
        return {"sampling": {"name": sampling}, "classifier": {"label_smoothing": smoothing}}

    assert compute_chance_loss(settings("balanced"), [10, 90]) == pytest.approx(math.log(2))
    assert compute_chance_loss(settings("weighted_loss"), [10, 20, 70]) == pytest.approx(math.log(3))
    entropy = -0.1 * math.log(0.1) - 0.9 * math.log(0.9)
    assert compute_chance_loss(settings("natural"), [10, 90]) == pytest.approx(entropy)
    assert entropy < compute_chance_loss(settings("natural", 0.2), [10, 90]) < math.log(2)
