"""A study.db to which somebody else added trials and attributes."""

import json
import sqlite3

import optuna
import pytest
from optuna.distributions import CategoricalDistribution
from optuna.trial import TrialState

from .conftest import TRAINED, Attack

KEYS = ("+callbacks.x._target_", "hydra.sweep.dir", "~callbacks.predictions", "variant")


def study_of(attack: Attack) -> optuna.Study:
    storage = f"sqlite:///{attack.study}/study.db"
    [name] = optuna.get_all_study_names(storage)
    return optuna.load_study(study_name=name, storage=storage)


@pytest.mark.parametrize("state", [TrialState.WAITING, TrialState.RUNNING, TrialState.COMPLETE])
def test_added_trials_become_no_jobs(attack: Attack, state: TrialState) -> None:
    study = study_of(attack)
    for key in KEYS:
        value = f"$(touch {attack.marker})"
        params = {"params": {key: value}, "distributions": {key: CategoricalDistribution([value, "b"])}}
        attributes = {"fixed_params": {key: value}, "failed_trial": 0}
        more = {"value": 1.0} if state is TrialState.COMPLETE else {}
        study.add_trial(optuna.create_trial(state=state, system_attrs=attributes, **params, **more))
    trained = attack.command("train", "-m", "study=small", *TRAINED)
    assert "is not of this search" in trained.stderr
    for action in ("show", "clean"):
        attack.command("study", action, "study=runs/small")


@pytest.mark.parametrize("value", ["x", [1], {"host": "h", "boot": "b", "pid": 1, "started": {}}])
def test_attributes_of_any_type_are_no_traceback(attack: Attack, value: object) -> None:
    attack_text = json.dumps(value)
    with sqlite3.connect(attack.study / "study.db") as database:
        for table in ("trial_user_attributes", "trial_system_attributes", "study_user_attributes"):
            database.execute(f"UPDATE {table} SET value_json = ?", (attack_text,))
    for words in (("study", "show"), ("study", "clean")):
        attack.command(*words, "study=runs/small")
