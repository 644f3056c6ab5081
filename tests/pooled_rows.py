"""A small study's pooled rows, as `read_runs` gives them."""

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

from mds_lightning.statistics.predictions import Predictions, check_predictions

BINARY = ("donor", "MDS")


def pooled_rows(
    classes: tuple[str, ...] = BINARY,
    patients: int = 60,
    signal: float = 1.5,
    external: int = 0,
    seed: int = 0,
) -> Predictions:
    """Three folds: each patient tested in one, validating in the next; external ones (last class) in all."""
    generator = np.random.default_rng(seed)
    parts = []
    for fold in range(3):
        for split, chosen in (
            ("test", [k for k in range(patients) if k // len(classes) % 3 == fold]),
            ("val", [k for k in range(patients) if k // len(classes) % 3 == (fold + 1) % 3]),
            ("external", [10_000 + len(classes) * k - 1 for k in range(1, external + 1)]),
        ):
            patient = np.repeat(chosen, 2).astype(int)
            target = (
                (patient % len(classes)) if split != "external" else np.full(len(patient), len(classes) - 1)
            )
            logits = generator.normal(size=(len(patient), len(classes)))
            logits[np.arange(len(patient)), target] += signal
            chance = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
            table = pd.DataFrame(
                {
                    "image": [f"p{name}_{k % 2}.jpg" for k, name in enumerate(patient)],
                    "patient_id": [f"p{name}" for name in patient],
                    "site": "",
                    "fold": fold,
                    "split": split,
                    "label": [classes[k] for k in target],
                    "target": target,
                }
            )
            parts.append(table.assign(**{f"prob_{name}": chance[:, k] for k, name in enumerate(classes)}))
    tables = [check_predictions(part, "test").table for part in parts if len(part)]
    return Predictions(pd.concat(tables, ignore_index=True), classes)


@pytest.fixture
def make_pooled() -> Callable[..., Predictions]:
    return pooled_rows
