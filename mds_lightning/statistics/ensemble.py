"""The ensemble of models that were trained with several seeds."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from mds_lightning.statistics.predictions import Predictions

_ROW = ["fold", "image"]


def average_seeds(by_seed: Mapping[int | None, Predictions]) -> Predictions:
    """Rows of the ensemble: the mean of the seeds' probabilities of each image, as predicted.

    The ensemble is recalibrated afterwards as one model. The mean of recalibrated probabilities would have to
    be recalibrated once more, because a mean of calibrated probabilities is underconfident (Ranjan and
    Gneiting, J R Stat Soc B 72, 2010, 71).

    Args:
        by_seed: Seed to the pooled rows of images of its models, which predicted the same images in the same
            folds.

    Returns:
        Rows in the order of the first seed; of a single seed, its rows.

    Raises:
        ValueError: The rows of two seeds differ.
    """
    seeds = [*by_seed]
    first = by_seed[seeds[0]]
    if len(seeds) == 1:
        return first
    wanted = first.table.set_index(_ROW)
    others = ["patient_id", "site", "split", "label", "target"]
    total = np.zeros_like(first.probabilities)
    for seed, rows in by_seed.items():
        table = rows.table.set_index(_ROW)
        same = rows.classes == first.classes and len(table) == len(wanted)
        if not same or not table.index.isin(wanted.index).all():
            raise ValueError(
                f"seeds {seeds[0]} and {seed} predicted different images or classes: train one of them again"
            )
        table = table.loc[wanted.index]
        if not table[others].equals(wanted[others]):
            raise ValueError(
                f"seeds {seeds[0]} and {seed} predicted the same images with different labels, patients or "
                "splits: train one of them again"
            )
        total += table[[f"prob_{name}" for name in first.classes]].to_numpy(np.float64)
    columns = [f"prob_{name}" for name in first.classes]
    mean = dict(zip(columns, (total / len(seeds)).T, strict=True))
    return replace(first, table=first.table.assign(**mean))
