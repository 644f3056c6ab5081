from types import SimpleNamespace

import pytest

from mds_lightning.reporting.page.training_summary import describe_runs

SETTINGS = {
    "backbone": {"name": "resnet18", "pretrained": False, "weights": None},
    "classifier": {"optimizer": "adamw", "learning_rate": 0.001, "weight_decay": 0.01},
    "augmentation": {"flips": True},
    "sampling": {"name": "balanced"},
    "trainer": {"max_epochs": 6},
    "callbacks": {},
}
WHOLE = "the whole field of view, scaled to 320 pixels on its longer side"


def describe(**data):
    settings = {**SETTINGS, "data": {"image_size": 320, "batch_size": 8, **data}}
    return describe_runs([SimpleNamespace(settings=settings)])["Input"]


@pytest.mark.parametrize("data", [{}, {"view": "whole", "tile_overlap": 0.0, "magnification": 1.0}])
def test_whole_fields_are_said_to_be_scaled(data):
    assert describe(**data) == f"{WHOLE}; no clinical data"


def test_tiles_are_said_to_be_cut_and_averaged():
    said = describe(view="tiles", image_size=[240, 320], tile_overlap=0.25, magnification=1.0)
    assert said == (
        "tiles of 320 × 240 pixels out of the field of view in its own resolution, drawn at random in "
        "training; for a prediction they cover the field and overlap by 25% or more, and their probabilities "
        "are averaged; no clinical data"
    )
    assert WHOLE not in said


def test_two_scales_are_both_said():
    said = describe(view="multi_scale", tile_overlap=0.0, magnification=0.5)
    assert "at two scales" in said
    assert WHOLE in said
    assert "at 0.5 of its resolution" in said
    assert "overlap" not in said
