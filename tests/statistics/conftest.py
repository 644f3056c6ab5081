"""Tables of predictions as a trained study leaves them."""

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

Maker = Callable[..., pd.DataFrame]


@pytest.fixture
def make_table() -> Maker:
    return make_predictions


def make_predictions(
    patients: int = 20,
    images: int = 3,
    classes: tuple[str, ...] = ("donor", "MDS"),
    signal: float = 1.0,
    seed: int = 0,
    fold: int = 0,
    split: str = "test",
    prefix: str = "p",
) -> pd.DataFrame:
    """One fold's rows: `patients` of alternating classes with correlated images."""
    generator = np.random.default_rng(seed)
    target = np.arange(patients) % len(classes)
    rows = np.repeat(np.arange(patients), images)
    logits = generator.normal(size=(patients, len(classes)))[rows] + 0.5 * generator.normal(
        size=(len(rows), len(classes))
    )
    logits[np.arange(len(rows)), target[rows]] += signal
    chance = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    table = pd.DataFrame(
        {
            "image": [f"{prefix}{patient}_{k}.jpg" for patient in range(patients) for k in range(images)],
            "patient_id": [f"{prefix}{patient}" for patient in rows],
            "site": "A",
            "fold": fold,
            "split": split,
            "label": [classes[k] for k in target[rows]],
            "target": target[rows],
        }
    )
    return table.assign(**{f"prob_{name}": chance[:, k].astype(np.float32) for k, name in enumerate(classes)})
