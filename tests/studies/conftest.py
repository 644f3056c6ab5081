"""Whole commands, run as a user runs them, on a cohort small enough for seconds."""

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

Run = Callable[..., subprocess.CompletedProcess[str]]

#: The smallest study that still has every part: two classes, two folds, external patients, occlusion maps.
SMALL = (
    "cohort.simulation.patients={MDS:8,AML:0,donor:8}",
    "cohort.simulation.fields={MDS:2,AML:1,donor:1}",
    "cohort.simulation.external_patients={MDS:2}",
    "cohort.simulation.width=160",
    "cohort.simulation.height=120",
    "folds.n_splits=2",
    "backbone=squeezenet1_1",
    "data.image_size=64",
    "trainer.max_epochs=2",
    "callbacks.occlusion_maps.images=2",
    "explain.window=0.5",
    "explain.stride=0.5",
)


@pytest.fixture(scope="session")
def small() -> tuple[str, ...]:
    """Overrides of the smallest study."""
    return SMALL


@pytest.fixture(scope="session")
def workplace(tmp_path_factory, mds_lightning) -> Path:
    """A folder in which the small cohort is drawn and one study of two folds is trained and evaluated."""
    folder = tmp_path_factory.mktemp("workplace")
    trained = mds_lightning("train", "-m", "study=small", *SMALL, cwd=folder)
    assert trained.returncode == 0, trained.stderr
    return folder
