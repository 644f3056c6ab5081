"""A small version of `benchmarks/blind_selection.py`: a blind search without signal gives ROC-AUC 0.5."""

import numpy as np
import optuna
import pytest

from benchmarks.blind_selection import METHODS, repeat


@pytest.fixture(autouse=True)
def quiet():
    before = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    yield
    optuna.logging.set_verbosity(before)


def test_twenty_blind_searches_without_signal_select_half_on_average() -> None:
    values = repeat(METHODS["Sobol sequence (sweep=hyperparameters)"], searches=20, n_trials=20, patients=400)
    assert values.std() < 0.05
    assert abs(np.mean(values) - 0.5) < 0.01
