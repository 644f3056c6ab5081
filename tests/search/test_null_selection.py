"""A small version of `benchmarks/blind_selection.py`: a blind search without signal gives ROC-AUC 0.5."""

import numpy as np
import optuna
import pytest

from benchmarks.blind_selection import METHODS, search_paired


@pytest.fixture(autouse=True)
def quiet():
    before = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    yield
    optuna.logging.set_verbosity(before)


@pytest.mark.parametrize(
    "name", ["Sobol sequence (sweep=hyperparameters)", "TPE in each fold (search.nested=true)"]
)
def test_blind_searches_without_signal_select_half(name: str) -> None:
    """Exchanged labels of a fold's test patients leave its selection as it is: the mean is 0.5 exactly."""
    values = search_paired(METHODS[name], patients=60, n_trials=14, seed=0, folds=(0, 3))
    np.testing.assert_allclose(values, 0.5, atol=1e-12)


def test_a_search_that_sees_the_test_patients_selects_more() -> None:
    """TPE over all folds sees them as validation patients of the next fold."""
    values = search_paired(METHODS["TPE"], patients=60, n_trials=20, seed=0, folds=(0, 3))
    assert (np.abs(values - 0.5) > 1e-6).any()
