"""Trials that another program added to the storage: only points of the search space become jobs."""

import json
import shutil
import sqlite3
from pathlib import Path

import optuna
import pytest
from hypothesis import given
from hypothesis import strategies as st
from omegaconf import OmegaConf
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.trial import TrialState

from mds_lightning.commands.study import study as study_command
from mds_lightning.search.identity import ForeignStudyError
from mds_lightning.search.space import Space
from mds_lightning.search.trial_record import ForeignTrialError

from .conftest import Toy

FOREIGN = (
    {"+callbacks.x._target_": "os.system"},
    {"x": 0.5, "y": 0.5, "hydra.sweep.dir": "/tmp/elsewhere"},
    {"x": "0.5 +hydra.callbacks.x._target_=os.system", "y": 0.5},
    {"x": "0.5", "y": 0.5},
    {"x": "${oc.env:HOME}", "y": 0.5},
    {"x": 5.0},
    {"x": True},
    {"x": [0.5]},
)
SPACE = Space(
    {
        "x": FloatDistribution(0, 1),
        "n": IntDistribution(1, 9, step=2),
        "kind": CategoricalDistribution(["a", "b"]),
    },
    ("fixed=1",),
)


@pytest.fixture(params=["journal", "sqlite"])
def begun(request, tmp_path: Path, toy_kept_at):
    """A search with one finished trial, and the storage that others can write to."""
    storage = {"journal": f"journal://{tmp_path}/study.log", "sqlite": f"sqlite:///{tmp_path}/study.db"}
    toy = toy_kept_at(tmp_path, storage[request.param])
    toy.here("hydra.sweeper.n_trials=1", "folds=1")
    return toy


def test_queued_trials_outside_the_search_space_are_ended_and_never_run(begun, capsys) -> None:
    study = begun.study()
    for params in FOREIGN:
        study.enqueue_trial(params)
    study.add_trial(
        optuna.create_trial(state=TrialState.WAITING, system_attrs={"failed_trial": "../../elsewhere"})
    )
    study.enqueue_trial({"x": 0.25})
    begun.here("hydra.sweeper.n_trials=3", "folds=1")
    states = [trial.state.name for trial in begun.study().trials]
    assert states == ["COMPLETE", *["FAIL"] * (len(FOREIGN) + 1), "COMPLETE", "COMPLETE"]
    for trial in begun.study().trials[1 : len(FOREIGN) + 2]:
        assert trial.user_attrs["reason"].startswith("not of this search: ")
    asked = begun.study().trials[len(FOREIGN) + 2]
    assert asked.params["x"] == 0.25, "a point of the space that somebody queued is run"
    assert set(asked.params) == {"x", "y"}
    assert capsys.readouterr().out.count("is not run, because it is not of this search") == len(FOREIGN) + 1


@pytest.mark.parametrize("state", [TrialState.COMPLETE, TrialState.PRUNED, TrialState.RUNNING])
@pytest.mark.parametrize(
    "params", [{"x": 0.5, "+callbacks.x": 1.0}, {"x": 5.0, "y": 0.5}], ids=["key", "value"]
)
def test_a_study_with_other_trials_is_refused(toy, state: TrialState, params: dict[str, float]) -> None:
    toy.here("hydra.sweeper.n_trials=1", "folds=1")
    ranges = {name: FloatDistribution(0, 10) for name in params}
    values = {} if state is TrialState.RUNNING else {"value": 1.0}
    toy.study().add_trial(optuna.create_trial(state=state, params=params, distributions=ranges, **values))
    with pytest.raises(ForeignTrialError, match=r"trial 1 of the study 'toy' is not .*study=NAME"):
        toy.here("hydra.sweeper.n_trials=2", "folds=1")
    assert len(toy.study().trials) == 2


def test_a_grid_runs_its_own_cells_alone(toy) -> None:
    toy.here("kind=a", "fold=0,1", "folds=1", config="grid")
    (name,) = optuna.get_all_study_names(toy.opened())
    toy.study(name).enqueue_trial({"fold": 7})
    toy.study(name).enqueue_trial({"+hydra.x": "1"})
    toy.here("kind=a", "fold=0,1", "folds=1", config="grid")
    assert [trial.state.name for trial in toy.study(name).trials] == ["COMPLETE"] * 2 + ["FAIL"] * 2


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The database of a search with one finished trial. Do not write into it."""
    folder = tmp_path_factory.mktemp("kept") / "toy"
    Toy(folder, f"sqlite:///{folder}/study.db").here("hydra.sweeper.n_trials=1", "folds=1")
    return folder / "study.db"


@pytest.mark.parametrize(
    ("place", "key", "value"),
    [
        ("trial", "worker", {"host": "h", "pid": "1; touch x"}),
        ("trial", "worker", {"host": "h", "boot": "b", "pid": -1, "started": ""}),
        ("trial", "worker", "text"),
        ("trial", "directory", {"a": 1}),
        ("study", "n_trials", "many"),
        ("study", "identity", ["search"]),
        ("study", "identity", {"kind": {"search": 1}}),
    ],
)
def test_attributes_of_another_program_end_in_one_message(
    tmp_path: Path, kept: Path, place: str, key: str, value: object
) -> None:
    folder = tmp_path / "toy"
    folder.mkdir()
    shutil.copy(kept, folder / "study.db")
    with sqlite3.connect(folder / "study.db") as database:
        database.execute(f"DELETE FROM {place}_user_attributes WHERE key = ?", (key,))
        database.execute(
            f"INSERT INTO {place}_user_attributes ({place}_id, key, value_json) VALUES (1, ?, ?)",
            (key, json.dumps(value)),
        )
    for action in ("show", "clean"):
        config = {"action": action, "study": str(folder), "storage": None, "refresh": 0.0, "running": "gone"}
        with pytest.raises((ForeignTrialError, ForeignStudyError), match=key):
            study_command(OmegaConf.create(config))


@given(
    st.dictionaries(
        st.sampled_from(["x", "n", "kind", "fixed", "+y", "x=1", "~callbacks"]),
        st.floats() | st.integers() | st.booleans() | st.sampled_from(["a", "b", "c", "", "0.5", "a x=1"]),
        max_size=3,
    )
)
def test_the_overrides_of_a_job_are_points_of_the_space(params: dict[str, object]) -> None:
    inside = {
        "x": lambda value: type(value) in (int, float) and 0 <= value <= 1,
        "n": lambda value: type(value) is int and value in (1, 3, 5, 7, 9),
        "kind": lambda value: value in ("a", "b"),
    }
    if all(name in inside and inside[name](value) for name, value in params.items()):
        assert SPACE.overrides(params) == (*(f"{key}={value}" for key, value in params.items()), "fixed=1")
    else:
        with pytest.raises(ValueError, match=r"is not (a key of the search space|in )"):
            SPACE.overrides(params)
