"""A small search as `train` leaves it: two complete trials and a pruned one, none of them tested."""

import shutil
from pathlib import Path

import optuna
import pandas as pd
import pytest
from hydra import compose, initialize_config_dir
from omegaconf import DictConfig

from mds_lightning.cli import conf_directory
from mds_lightning.commands.schema import register_schemas
from mds_lightning.commands.train import train
from mds_lightning.data.field_source import DecodedFields, StoredFields
from mds_lightning.search.plugin import register_search
from mds_lightning.search.trial import JobTrial, available

SMALL = (
    "cohort.simulation.patients={MDS:8,AML:0,donor:8}",
    "cohort.simulation.fields={MDS:2,AML:1,donor:1}",
    "cohort.simulation.external_patients={MDS:2}",
    "cohort.simulation.width=160",
    "cohort.simulation.height=120",
    "folds.n_splits=2",
    "folds.val_share=0.5",
    "backbone=shufflenet_v2_x0_5",
    "data.image_size=64",
    "trainer=smoke",
    "logger=none",
    "~callbacks.progress",
    "callbacks.occlusion_maps.images=2",
    "explain.window=0.5",
    "explain.stride=0.5",
)
#: One of the trials is a pruned one: it has a fold, and the best score of all in it.
RATES = (3e-3, 1e-4, 1e-2)


def compose_train(folder: Path, *more: str) -> DictConfig:
    register_schemas()
    register_search()
    with initialize_config_dir(str(conf_directory())):
        return compose("train", [*SMALL, f"paths.runs={folder}/runs", f"paths.data={folder}/data", *more])


def make_search(folder: Path) -> tuple[list[float], set[str]]:
    """Train the trials below `folder`; their objectives, and the images that were read."""
    study = optuna.create_study(direction="maximize")
    handles = {number: JobTrial(study, study.ask()._trial_id) for number in range(len(RATES))}
    read: set[int] = set()
    objectives = []
    with available(handles), pytest.MonkeyPatch.context() as patch:
        for source in (StoredFields, DecodedFields):
            patch.setattr(source, "read", spying(source.read, read))
        for number, rate in enumerate(RATES):
            hpo = [
                f"+hpo.{key}"
                for key in (f"trial={number}", "study=searched", f"variant=trial-{number}", "blind=true")
            ]
            config = compose_train(folder, "study=searched", f"classifier.learning_rate={rate}", *hpo)
            objectives.append(train(config))
    shutil.rmtree(folder / "runs/searched/trial-2/fold-1")
    shutil.rmtree(folder / "runs/searched/trial-2/fold-0/occlusion", ignore_errors=True)
    images = manifest_of(folder)["image"]
    return objectives, {images[row] for row in read}


def spying(original, read: set[int]):
    def spy(self, row, form):
        read.add(row)
        return original(self, row, form)

    return spy


def manifest_of(folder: Path) -> pd.DataFrame:
    (manifest,) = folder.glob("data/simulated-*/manifest.csv")
    return pd.read_csv(manifest)
