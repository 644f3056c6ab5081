"""A finished run is predicted with a trainer of which the study gives plain values only."""

from pathlib import Path

import pytest

from mds_lightning.studies.prediction_trainer import PredictionTrainerParameters, build_prediction_trainer


def test_what_a_study_names_is_not_built(tmp_path: Path) -> None:
    marker = tmp_path / "marker"
    payload = {
        "_target_": "lightning.pytorch.cli.instantiate_class",
        "args": [f"touch {marker}"],
        "init": {"class_path": "os.system"},
    }
    stored = {
        "_target_": "os.system", "command": f"touch {marker}", "accelerator": "cpu", "precision": 32,
        "barebones": payload, "profiler": payload, "plugins": [payload], "callbacks": [payload],
        "limit_test_batches": 2, "deterministic": True,
    }  # fmt: skip
    parameters = PredictionTrainerParameters.from_settings(stored)
    assert parameters == PredictionTrainerParameters("cpu", "32-true", True, 2)
    trainer = build_prediction_trainer(parameters, tmp_path, [])
    assert trainer.precision == "32-true"
    assert trainer.limit_test_batches == 2
    assert not marker.exists()


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("accelerator", {"_target_": "os.system"}),
        ("accelerator", "tpu.Evil"),
        ("precision", ["32-true"]),
        ("deterministic", "${oc.env:HOME}"),
        ("limit_test_batches", "2"),
        ("limit_predict_batches", -1),
        ("limit_predict_batches", True),
    ],
)
def test_other_values_than_lightnings_are_refused_with_their_key(key: str, value: object) -> None:
    with pytest.raises(ValueError, match=rf"trainer\.{key} is "):
        PredictionTrainerParameters.from_settings({key: value})


def test_the_command_may_choose_another_accelerator() -> None:
    assert PredictionTrainerParameters.from_settings({"accelerator": "gpu"}, "cpu").accelerator == "cpu"
