import pytest

from mds_lightning.models.hyperparameters import Hyperparameters
from mds_lightning.studies.settings import (
    ChangedSettingsError,
    decisive_settings,
    nest_settings,
    refuse_changed_settings,
    with_learning_rate,
    write_settings,
)

SETTINGS = {
    "seed": 0,
    "study": "a",
    "classifier": {"learning_rate": 0.001},
    "data": {"num_workers": 0, "batch_size": 8},
}


@pytest.fixture
def stored(tmp_path):
    path = tmp_path / "config.yaml"
    write_settings(path, SETTINGS)
    return path


def test_the_same_settings_are_accepted_and_unchanged(stored):
    before = stored.read_bytes()
    refuse_changed_settings(stored, SETTINGS)
    assert stored.read_bytes() == before


def test_settings_that_change_no_result_may_differ(stored):
    other = SETTINGS | {"study": "b", "data": {"num_workers": 4, "batch_size": 8}}
    refuse_changed_settings(stored, other)
    assert decisive_settings(other) == decisive_settings(SETTINGS)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"seed": 1}, "seed: 0 there, 1 now"),
        ({"classifier": {"learning_rate": 0.1}}, "classifier.learning_rate: 0.001 there, 0.1 now"),
        ({"data": {"num_workers": 0, "batch_size": 9}}, "data.batch_size: 8 there, 9 now"),
        ({"extra": 3}, "extra: None there, 3 now"),
    ],
)
def test_settings_that_change_results_are_refused_by_key(stored, change, said):
    with pytest.raises(ChangedSettingsError, match=said):
        refuse_changed_settings(stored, SETTINGS | change)


def test_flat_settings_are_nested_again():
    settings = {"seed": 1, "data": {"image_size": [2, 3], "batch_size": 4}, "a": {"b": {"c": None}}}
    assert nest_settings(decisive_settings(settings)) == settings


def test_a_key_that_was_added_later_has_its_default(stored):
    default = Hyperparameters().dropout
    newer = SETTINGS | {"classifier": {"learning_rate": 0.001, "dropout": default}}
    refuse_changed_settings(stored, newer)
    newer["classifier"]["dropout"] = 0.5
    with pytest.raises(ChangedSettingsError, match=r"classifier\.dropout: 0\.0 there, 0\.5 now"):
        refuse_changed_settings(stored, newer)


@pytest.mark.parametrize(
    ("backbone", "given", "rate"),
    [
        ({"pretrained": False, "weights": None}, None, 3e-3),
        ({"pretrained": True, "weights": None}, None, 3e-4),
        ({"pretrained": False, "weights": "file.safetensors"}, None, 3e-4),
        ({"pretrained": False, "weights": None}, 0.01, 0.01),
    ],
)
def test_a_run_stores_the_learning_rate_that_null_stands_for(backbone, given, rate):
    settings = {"backbone": backbone, "classifier": {"learning_rate": given, "optimizer": "sgd"}, "seed": 1}
    stored = with_learning_rate(settings)
    assert stored == settings | {"classifier": {"learning_rate": rate, "optimizer": "sgd"}}
