from types import SimpleNamespace

import pytest

from mds_lightning.reporting.page.training_summary import describe_training

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
