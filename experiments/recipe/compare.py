"""Compare rules for the checkpoint and averages of the weights on the epochs that `record.py` recorded.

    python experiments/recipe/compare.py runs/recipe/*/

One table for each folder TASK-NUMERICS, of all seeds of which every fold is recorded; then one of what
a seed's result changes with the numerics. All figures are of patients: the mean probability of a patient's
images. Each line has one average of the weights and one rule, which chooses each fold's epoch on validation
images:

    AUROC: the first epoch with the largest ROC-AUC.
    AUROC, loss: the same; among equal ones the smallest class-balanced loss.
    loss: the smallest class-balanced loss.
    loss, 2nd half: the same among the epochs of the second half, the rule of the product.
    last: the last epoch.
"""

import argparse
import re
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import astuple, dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.special import log_softmax, softmax
from sklearn.metrics import roc_auc_score

from mds_lightning.statistics.recalibration import learn_recalibration
from mds_lightning.studies.candidate_epochs import first_candidate_epoch

RULES = ("AUROC", "AUROC, loss", "loss", "loss, 2nd half", "last")
Recorded = Mapping[str, NDArray]


@dataclass(frozen=True)
class Result:
    """Test patients of the five folds of one seed."""

    within: float
    worst: float
    pooled: float
    recalibrated: float


def choose_epoch(fold: Recorded, average: int, rule: str) -> int:
    """The epoch whose weights are kept."""
    target = fold["val_target"]
    logits = fold["logits"][:, average, : len(target)]
    if rule == "last":
        return len(logits) - 1
    losses = -log_softmax(logits, axis=2)[:, np.arange(len(target)), target]
    loss = np.mean([losses[:, target == k].mean(axis=1) for k in (0, 1)], axis=0)
    auroc = np.array([roc_auc_score(target, epoch[:, 1] - epoch[:, 0]) for epoch in logits])
    if rule == "loss, 2nd half":
        first = first_candidate_epoch(len(loss))
        return first + int(loss[first:].argmin())
    keys = {"AUROC": (-auroc,), "AUROC, loss": (loss, -auroc), "loss": (loss,)}
    return int(np.lexsort(keys[rule])[0])


def mean_by_patient(fold: Recorded, split: str, logits: NDArray) -> tuple[NDArray, NDArray]:
    """Class and mean probabilities (patients, 2) of the patients of a split."""
    size = len(fold["val_target"])
    rows = logits[:size] if split == "val" else logits[size:]
    _, first, patient = np.unique(fold[f"{split}_patient"], return_index=True, return_inverse=True)
    sums = [np.bincount(patient, column) for column in softmax(rows.astype(float), axis=1).T]
    return fold[f"{split}_target"][first], np.stack(sums, axis=1) / np.bincount(patient)[:, None]


def evaluate(folds: list[Recorded], average: int, rule: str) -> Result:
    """Choose each fold's epoch, recalibrate on its validation patients, and score its test patients."""
    targets, raw, recalibrated, areas, pairs = [], [], [], [], []
    for fold in folds:
        logits = fold["logits"][choose_epoch(fold, average, rule), average]
        target, probabilities = mean_by_patient(fold, "test", logits)
        recalibration = learn_recalibration(*mean_by_patient(fold, "val", logits))
        targets.append(target)
        raw.append(probabilities[:, 1])
        recalibrated.append(recalibration.apply(probabilities)[:, 1])
        areas.append(roc_auc_score(target, probabilities[:, 1]))
        pairs.append((target == 1).sum() * (target == 0).sum())
    pooled = (
        roc_auc_score(np.concatenate(targets), np.concatenate(scores)) for scores in (raw, recalibrated)
    )
    return Result(float(np.average(areas, weights=pairs)), min(areas), *pooled)


def read_seeds(folder: Path) -> dict[int, list[Recorded]]:
    """The recorded folds of each seed; seeds that lack one are left out."""
    found: dict[int, dict[int, Recorded]] = defaultdict(dict)
    for file in folder.glob("seed-*-fold-*.npz"):
        if matched := re.fullmatch(r"seed-(\d+)-fold-(\d+)", file.stem):
            found[int(matched[1])][int(matched[2])] = dict(np.load(file))
    largest = max((len(folds) for folds in found.values()), default=0)
    return {
        seed: [folds[k] for k in sorted(folds)]
        for seed, folds in sorted(found.items())
        if len(folds) == largest
    }


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("folders", type=Path, nargs="+")
    by_numerics: dict[tuple[str, str, str, int], list[float]] = defaultdict(list)
    for folder in parser.parse_args().folders:
        seeds = read_seeds(folder)
        if not seeds:
            raise SystemExit(
                f"{folder} has no file seed-S-fold-F.npz: give a folder that record.py has written"
            )
        decays = next(iter(seeds.values()))[0]["decays"]
        print(f"\n**{folder.name}**, seeds {', '.join(map(str, seeds))}\n")
        print(
            "| average of the weights | checkpoint | ROC-AUC within folds: mean (SD over seeds) | smallest | "
            "smallest of a fold | pooled | recalibrated | largest difference to within |"
        )
        print("|---|---|---|---|---|---|---|---|")
        for k, decay in enumerate(decays):
            for rule in RULES:
                results = {seed: evaluate(folds, k, rule) for seed, folds in seeds.items()}
                name = f"decay {decay:g}" if decay else "none"
                for seed, result in results.items():
                    by_numerics[folder.name.split("-")[0], name, rule, seed].append(result.within)
                within, worst, pooled, recalibrated = np.array([astuple(one) for one in results.values()]).T
                spread = within.std(ddof=1) if len(within) > 1 else float("nan")
                print(
                    f"| {name} | {rule} | {within.mean():.4f} ({spread:.4f}) | {within.min():.3f} | "
                    f"{worst.min():.3f} | {pooled.mean():.3f} | {recalibrated.mean():.3f} | "
                    f"{np.abs(within - recalibrated).max():.3f} |"
                )
    print("\n**Numerics**: SD within a seed over numerics, ROC-AUC within folds\n")
    print(
        "| task | average of the weights | checkpoint | SD | largest difference | seeds |\n"
        "|---|---|---|---|---|---|"
    )
    grouped: dict[tuple[str, str, str], list[list[float]]] = defaultdict(list)
    for (task, name, rule, _), values in by_numerics.items():
        if len(values) > 1:
            grouped[task, name, rule].append(values)
    for (task, name, rule), rows in grouped.items():
        spread = np.sqrt(np.mean([np.var(row, ddof=1) for row in rows]))
        largest = max(max(row) - min(row) for row in rows)
        print(f"| {task} | {name} | {rule} | {spread:.4f} | {largest:.3f} | {len(rows)} |")


if __name__ == "__main__":
    main()
