"""A trial is a whole inner cross-validation."""

import math

import optuna
import pytest

from mds_lightning.search.cross_validation import validate_folds
from mds_lightning.search.trial import JobTrial, TrialLostError

pytestmark = pytest.mark.filterwarnings("ignore:WilcoxonPruner")


def new_trial(study: optuna.Study) -> JobTrial:
    return JobTrial(study, study.ask()._trial_id)


@pytest.fixture
def study() -> optuna.Study:
    made = optuna.create_study(direction="maximize", pruner=optuna.pruners.WilcoxonPruner(p_threshold=0.13))
    best = made.ask()
    for fold, value in enumerate((0.9, 0.8, 0.95, 0.85, 0.9)):
        best.report(value, fold)
    made.tell(best, 0.88)
    return made


def test_outside_a_search_it_is_the_mean() -> None:
    assert math.isclose(validate_folds([0.5, 0.7, 0.9].__getitem__, range(3), None), 0.7)


def test_a_clearly_worse_trial_stops_after_three_folds(study) -> None:
    trained: list[int] = []

    def train_fold(fold: int) -> float:
        trained.append(fold)
        return 0.6 + 0.01 * fold

    with pytest.raises(optuna.TrialPruned):
        validate_folds(train_fold, range(5), new_trial(study))
    assert trained == [0, 1, 2]


def test_a_trial_that_is_better_on_one_fold_goes_on(study) -> None:
    trial = new_trial(study)
    scores = (0.88, 0.82, 0.93, 0.86, 0.88)
    assert math.isclose(validate_folds(scores.__getitem__, range(5), trial), sum(scores) / 5)
    assert study.trials[trial.number].intermediate_values == dict(enumerate(scores))


def test_nothing_is_pruned_after_the_last_fold(study) -> None:
    assert math.isclose(validate_folds(lambda fold: 0.1, range(3), new_trial(study)), 0.1)


def test_an_undefined_fold_is_not_averaged_away(study) -> None:
    with pytest.raises(ValueError, match="fold 1 has no validation score"):
        validate_folds([0.5, math.nan, 0.7].__getitem__, range(3), new_trial(study))


def test_a_trial_that_another_worker_took_ends_at_its_next_report(study) -> None:
    trial = new_trial(study)
    study.tell(trial.number, state=optuna.trial.TrialState.FAIL)
    with pytest.raises(TrialLostError, match="given to another worker"):
        trial.report(0.5, 0)
