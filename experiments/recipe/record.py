"""Train folds and record the logits of every epoch, for `compare.py`.

    python experiments/recipe/record.py NAME [--seeds 0 1 2 3 4] [--folds 0 1 2 3 4] \
        [--decays 0.9 0.95 0.98] [--directory runs/recipe] [--processes 2] --overrides experiment=demo

Trains each fold with each seed in a process of its own and writes `DIRECTORY/NAME/seed-S-fold-F.npz`; files
that exist are kept, so that an interrupted recording continues. The overrides are those of
`mds-lightning train`. Numerics are chosen from outside: OMP_NUM_THREADS=1 or 2, ATEN_CPU_CAPABILITY=default.

Validation and test images are predicted after every epoch with the weights as they are and with
exponential moving averages of them. There is no early stopping, and nothing is chosen here.

Arrays of a file, with E epochs, A averages, V validation and T test images:
    logits: (E, A, V + T, classes) float32.
    decays: (A,) float64; 0 stands for the weights as they are.
    loss: (E,) float64, mean training loss of the epochs.
    val_patient, test_patient: names; val_target, test_target: numbers of the classes.
"""

import argparse
import copy
import subprocess
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, cast

import lightning
import numpy as np
import torch
from hydra import compose, initialize_config_dir
from omegaconf import OmegaConf
from torch import Tensor
from tqdm.auto import tqdm

from mds_lightning.callbacks.step_seed import StepSeed
from mds_lightning.cli import conf_directory
from mds_lightning.cli.verb import quieten_libraries
from mds_lightning.commands.schema import register_schemas
from mds_lightning.data.datamodule import SmearDataModule
from mds_lightning.models.classifier import SmearClassifier
from mds_lightning.search.plugin import register_search
from mds_lightning.studies.layout import RunDirectory
from mds_lightning.studies.run_components import build_classifier, build_datamodule
from mds_lightning.studies.study_cohort import prepare_study_cohort

SPLITS = ("val", "test")


class EpochRecorder(lightning.Callback):
    """Predicts validation and test images after every epoch, for every decay of the moving average."""

    def __init__(self, datamodule: SmearDataModule, decays: Sequence[float]) -> None:
        self.datamodule = datamodule
        self.decays = decays
        self.averages: dict[float, dict[str, Tensor]] = {}
        self.logits: list[np.ndarray] = []
        self.loss: list[float] = []
        self.identity: dict[str, np.ndarray] = {}

    def on_fit_start(self, trainer: lightning.Trainer, pl_module: lightning.LightningModule) -> None:
        """Prepare the images to predict."""
        images = []
        for split in SPLITS:
            rows = self.datamodule.rows(split)
            images += [self.datamodule.image(row) for row in rows]
            table = self.datamodule.cohort.table.loc[list(rows)]
            classes = list(self.datamodule.task.classes)
            self.identity[f"{split}_patient"] = table["patient_id"].to_numpy(str)
            self.identity[f"{split}_target"] = np.array([classes.index(label) for label in table["label"]])
        self.images = torch.stack(images)

    def on_train_batch_end(
        self, trainer: lightning.Trainer, pl_module: lightning.LightningModule, *batch: Any
    ) -> None:
        """Update the averages."""
        state = cast(SmearClassifier, pl_module).network.state_dict()
        for decay in self.decays:
            average = self.averages.setdefault(decay, {key: value.clone() for key, value in state.items()})
            for key, value in state.items():
                if value.is_floating_point():
                    average[key].lerp_(value, 1 - decay)
                else:
                    average[key].copy_(value)

    def on_train_epoch_end(self, trainer: lightning.Trainer, pl_module: lightning.LightningModule) -> None:
        """Predict with the weights and with their averages."""
        self.loss.append(float(trainer.callback_metrics["train/loss"]))
        classifier = cast(SmearClassifier, pl_module)
        network = copy.deepcopy(classifier.network).eval()
        found = []
        with torch.inference_mode():
            for state in (classifier.network.state_dict(), *self.averages.values()):
                network.load_state_dict(state)
                parts = [network(classifier.normalise(part)).float() for part in self.images.split(16)]
                found.append(torch.cat(parts).numpy())
        self.logits.append(np.stack(found))


def record(path: Path, decays: list[float], overrides: list[str]) -> None:
    """Train one fold and write its file."""
    register_schemas()
    register_search()
    with initialize_config_dir(str(conf_directory())):
        config = compose("train", overrides=[*overrides, "logger=none", f"paths.runs={path.with_suffix('')}"])
    settings = cast(dict[str, Any], OmegaConf.to_container(config, resolve=True))
    run = RunDirectory(Path(config.run_directory))
    run.path.mkdir(parents=True, exist_ok=True)
    opened = prepare_study_cohort(settings)
    datamodule = build_datamodule(settings, run, opened, opened.folds.fold(config.fold), SPLITS)
    classifier = build_classifier(settings, opened.task, datamodule)
    recorder = EpochRecorder(datamodule, decays)
    quieten_libraries()
    trainer = lightning.Trainer(
        **{key: value for key, value in settings["trainer"].items() if key != "_target_"},
        callbacks=[StepSeed(config.seed), recorder],
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        limit_val_batches=0,
        default_root_dir=str(run.path),
    )
    trainer.fit(classifier, datamodule=datamodule)
    part = path.with_suffix(".part.npz")
    np.savez_compressed(
        part, logits=np.stack(recorder.logits), decays=[0.0, *decays], loss=recorder.loss, **recorder.identity
    )
    part.replace(path)


def main() -> None:
    """Train the folds that are missing, some at a time."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("name")
    parser.add_argument("--overrides", nargs="*", default=[])
    parser.add_argument("--seeds", type=int, nargs="+", default=list(range(5)))
    parser.add_argument("--folds", type=int, nargs="+", default=list(range(5)))
    parser.add_argument("--decays", type=float, nargs="*", default=[0.9, 0.95, 0.98])
    parser.add_argument("--directory", type=Path, default=Path("runs/recipe"))
    parser.add_argument("--processes", type=int, default=1)
    parser.add_argument("--one", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.one:
        record(arguments.one, arguments.decays, arguments.overrides)
        return
    folder = arguments.directory / arguments.name
    folder.mkdir(parents=True, exist_ok=True)
    files = {
        (seed, fold): folder / f"seed-{seed}-fold-{fold}.npz"
        for seed in arguments.seeds
        for fold in arguments.folds
    }

    def run(seed: int, fold: int) -> None:
        command = [sys.executable, __file__, arguments.name, "--one", str(files[seed, fold])]
        began = time.monotonic()
        overrides = [*arguments.overrides, f"seed={seed}", f"fold={fold}"]
        decays = map(str, arguments.decays)
        subprocess.run([*command, "--decays", *decays, "--overrides", *overrides], check=True)
        tqdm.write(f"{files[seed, fold]}: {time.monotonic() - began:.0f} s")

    missing = [key for key, file in files.items() if not file.exists()]
    with ThreadPoolExecutor(arguments.processes) as pool:
        list(tqdm(pool.map(lambda key: run(*key), missing), total=len(missing)))


if __name__ == "__main__":
    main()
