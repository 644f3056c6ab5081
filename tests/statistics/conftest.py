"""Tables of predictions as a trained study leaves them, and the reference figures of R."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from mds_lightning.statistics.predictions import Predictions, check_predictions
from mds_lightning.statistics.sample import Sample

FIXTURES = Path(__file__).parent / "fixtures"
CASES = ("balanced", "unbalanced", "ties", "small", "clustered")


def predictions_of(
    target: Any,
    probabilities: Any,
    patient: Any = None,
    fold: Any = 0,
    classes: tuple[str, ...] = ("donor", "MDS"),
    split: str = "test",
) -> Predictions:
    """Checked predictions of plain arrays; 1-d probabilities are those of the positive class."""
    target, probabilities = np.asarray(target), np.asarray(probabilities, float)
    if probabilities.ndim == 1:
        probabilities = np.stack([1 - probabilities, probabilities], axis=1)
    patient = np.arange(len(target)) if patient is None else np.asarray(patient)
    table = pd.DataFrame(
        {
            "image": [f"i{k:05d}" for k in range(len(target))],
            "patient_id": [f"p{k:05d}" for k in patient],
            "site": "",
            "fold": fold,
            "split": split,
            "label": [classes[k] for k in target],
            "target": target,
        }
    ).assign(**{f"prob_{name}": probabilities[:, k] for k, name in enumerate(classes)})
    return check_predictions(table, "test")


@pytest.fixture
def make_predictions() -> Callable[..., Predictions]:
    return predictions_of


@pytest.fixture
def make_sample() -> Callable[..., Sample]:
    return lambda *args, **kwargs: Sample.of(predictions_of(*args, **kwargs))


@pytest.fixture(params=CASES)
def case(request: pytest.FixtureRequest) -> tuple[pd.DataFrame, dict[str, Any]]:
    """Rows (patient, target, model_a, model_b) and the results of R's pROC and boot."""
    rows = pd.read_csv(FIXTURES / "scores.csv")
    reference = json.loads((FIXTURES / "reference.json").read_text())["cases"]
    return rows[rows["case"] == request.param].reset_index(drop=True), reference[request.param]


@pytest.fixture
def correlated() -> Callable[..., Predictions]:
    """Patients of alternating classes with images that resemble each other."""

    def make(
        patients: int = 40,
        images: int = 3,
        classes: tuple[str, ...] = ("donor", "MDS"),
        signal: float = 1.0,
        seed: int = 0,
        folds: int = 1,
        split: str = "test",
    ) -> Predictions:
        generator = np.random.default_rng(seed)
        patient = np.repeat(np.arange(patients), images)
        target = patient % len(classes)
        logits = generator.normal(size=(patients, len(classes)))[patient]
        logits = logits + 0.5 * generator.normal(size=logits.shape)
        logits[np.arange(len(target)), target] += signal
        chance = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
        fold = patient // len(classes) % folds
        return predictions_of(target, chance, patient, fold, classes, split)

    return make


@pytest.fixture
def outcomes() -> Callable[..., tuple[Any, Any]]:
    """Outcomes and stated probabilities whose true log-odds are shift + slope x the stated ones."""

    def make(n: int = 3000, slope: float = 1.0, shift: float = 0.0, seed: int = 0) -> tuple[Any, Any]:
        generator = np.random.default_rng(seed)
        logit = generator.normal(0, 1.5, n)
        truth = 1 / (1 + np.exp(-(shift + slope * logit)))
        return generator.random(n) < truth, 1 / (1 + np.exp(-logit))

    return make
