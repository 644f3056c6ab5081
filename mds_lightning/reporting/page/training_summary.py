"""Summary of the training of a variant's folds: settings in words and learning curves."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import entropy

from mds_lightning.studies.candidate_epochs import first_candidate_epoch
from mds_lightning.studies.fold_run import FoldRun

#: Monitored value to its name in sentences.
_MONITORED = {
    "val/auroc": "ROC-AUC on validation images",
    "val/balanced_loss": "class-balanced loss on validation images",
    "val/loss": "loss on validation images",
}


@dataclass(frozen=True)
class FoldTraining:
    """Training of one fold.

    Attributes:
        fold: Number of the fold.
        variant: Name of the variant.
        epochs: Number of trained epochs.
        best: Epoch (from 0) whose checkpoint was kept; None where the monitored value was not logged.
        val_auroc: ROC-AUC on validation images with that checkpoint.
        minutes: Duration of training, testing and explaining.
        train_loss: Training loss of the last epoch; None where it was not logged.
        chance_loss: The smallest training loss of a model that predicts the same for every image.
        curves: Columns epoch, train/loss, val/loss, val/auroc and the monitored value, as far as they were
            logged.
    """

    fold: int
    variant: str
    seed: int | None
    epochs: int
    best: int | None
    val_auroc: float
    minutes: float
    train_loss: float | None
    chance_loss: float
    curves: pd.DataFrame


def read_fold_training(runs: Sequence[FoldRun], images: Mapping[int, Sequence[int]]) -> list[FoldTraining]:
    """Read the learning curves of finished folds.

    Args:
        runs: The folds.
        images: Fold to the number of its training images of each class.
    """
    folds = []
    for run in runs:
        done = run.done or {}
        monitor, sign = _monitored(run.settings)
        columns = list(dict.fromkeys(["epoch", "train/loss", "val/loss", "val/auroc", monitor]))
        curves = run.curves if run.directory.metrics.is_file() else pd.DataFrame(columns=columns)
        kept = [name for name in columns if name in curves]
        curves = curves[kept].dropna(subset=[name for name in kept if name != "epoch"], how="all")
        values = curves.dropna(subset=[monitor]) if monitor in curves else curves.iloc[:0]
        candidates = values[values["epoch"] >= _first_candidate(run.settings)]
        # Until there is a candidate the newest epoch is kept.
        values = candidates if len(candidates) else values.tail(1)
        best = int(values["epoch"].iloc[int((sign * values[monitor]).argmax())]) if len(values) else None
        folds.append(
            FoldTraining(
                run.index,
                run.variant,
                run.seed,
                int(done["epochs"]),
                best,
                float(done["val_auroc"]),
                done["seconds"] / 60,
                _last_loss(curves),
                compute_chance_loss(run.settings, images[run.index]),
                curves,
            )
        )
    return folds


def compute_chance_loss(settings: Mapping[str, Any], images: Sequence[int]) -> float:
    """The smallest training loss of a model that predicts the same probabilities for every image.

    It is the entropy of the classes as they are sampled (weights of classes act like even sampling), with the
    smoothing of the labels.

    Args:
        settings: Settings of the run.
        images: Number of training images of each class.
    """
    fractions = np.full(len(images), 1 / len(images))
    if settings["sampling"]["name"] == "natural":
        fractions = np.asarray(images, float) / sum(images)
    smoothing = settings["classifier"].get("label_smoothing", 0.0)
    fractions = (1 - smoothing) * fractions + smoothing / len(images)
    return float(entropy(fractions))


def _last_loss(curves: pd.DataFrame) -> float | None:
    if "train/loss" not in curves:
        return None
    logged = curves["train/loss"].dropna()
    return float(logged.iloc[-1]) if len(logged) else None


def describe_training(runs: Sequence[FoldRun]) -> dict[str, str]:
    """Settings of the training in words, by topic; values that differ between runs are joined by ` / `."""
    described = [_describe(run.settings) for run in runs]
    return {key: " / ".join(dict.fromkeys(one[key] for one in described)) for key in described[0]}


def _describe(settings: Mapping[str, Any]) -> dict[str, str]:
    backbone, data, classifier = settings["backbone"], settings["data"], settings["classifier"]
    start = "random weights"
    if backbone["weights"]:
        start = f"weights of {backbone['weights']}"
    elif backbone["pretrained"]:
        start = "weights pretrained on ImageNet"
    augmentation = ", ".join(
        key.replace("_", " ") if value is True else f"{key.replace('_', ' ')} {value}"
        for key, value in settings["augmentation"].items()
        if value
    )
    stopping = settings["callbacks"].get("early_stopping")
    n_epochs, first = settings["trainer"]["max_epochs"], _first_candidate(settings)
    length = f"{n_epochs} epochs"
    if stopping and first + stopping["patience"] < n_epochs:
        counted = f", counted from epoch {first} on" if first else ""
        length = f"up to {length}, stopped after {stopping['patience']} epochs without improvement{counted}"
    optimizer = (
        f"{classifier['optimizer']}, learning rate {classifier['learning_rate']:g}, "
        f"weight decay {classifier['weight_decay']:g}, batches of {data['batch_size']}"
    )
    return {
        "Input": f"{_describe_view(data)}; no clinical data",
        "Network": f"{backbone['name']}, from {start}",
        "Augmentation": augmentation or "none",
        "Sampling of classes": str(settings["sampling"]["name"]).replace("_", " "),
        "Optimization": optimizer,
        "Length": length,
        "Checkpoint": describe_checkpoint(settings),
    }


def describe_checkpoint(settings: Mapping[str, Any]) -> str:
    """Which weights a finished run is tested with, in words, from its settings."""
    checkpoint = settings["callbacks"]["checkpoint"]
    name = _MONITORED.get(checkpoint["monitor"], checkpoint["monitor"])
    first = _first_candidate(settings)
    epochs = f"of the epochs from {first} (counted from 0) on, the one" if first else "the epoch"
    epoch = f"{epochs} with the {'smallest' if checkpoint['mode'] == 'min' else 'largest'} {name}"
    averaging = settings["callbacks"].get("weight_averaging")
    if not averaging:
        return epoch
    return f"{epoch}; weights are exponential moving averages over steps with decay {averaging['decay']:g}"


def _first_candidate(settings: Mapping[str, Any]) -> int:
    # Other callbacks, and those of runs before `FoldCheckpoint`, compare all epochs.
    if not settings["callbacks"]["checkpoint"].get("_target_", "").endswith(".FoldCheckpoint"):
        return 0
    return first_candidate_epoch(settings["trainer"]["max_epochs"])


def _monitored(settings: Mapping[str, Any]) -> tuple[str, int]:
    """Name of the monitored value in the learning curves, and 1 where larger is better, else -1."""
    checkpoint = settings["callbacks"]["checkpoint"]
    return checkpoint["monitor"], -1 if checkpoint["mode"] == "min" else 1


def _describe_view(data: Mapping[str, Any]) -> str:
    # Runs without this key predate tiles and used whole fields.
    size, view = _describe_size(data["image_size"]), data.get("view", "whole")
    whole = f"the whole field of view, scaled to {size}"
    if view == "whole":
        return whole
    scale, overlap = data["magnification"], data["tile_overlap"]
    tiles = (
        f"tiles of {size} cut from the field of view "
        f"{'at full resolution' if scale == 1 else f'at {scale:g} of its resolution'}, drawn at random in "
        "training; for prediction, tiles cover the field"
        f"{f' with an overlap of at least {overlap:.0%}' if overlap else ''}, and their probabilities are "
        "averaged"
    )
    if view == "tiles":
        return tiles
    both = "two scales, drawn with equal probability in training and averaged for prediction"
    return f"{both}: {whole}, and {tiles}"


def _describe_size(size: Any) -> str:
    if isinstance(size, list | tuple):
        return f"{size[1]} × {size[0]} pixels"
    return f"{size} pixels on its longer side"
