"""A nested search is one study for each fold, with proposals, results and folders of its own."""

import optuna
import pytest
from omegaconf import OmegaConf

from mds_lightning.search.blindness import is_blind
from mds_lightning.search.cost import describe_cost
from mds_lightning.search.inspection import view_studies
from mds_lightning.search.nested import list_outer_folds, seed_of_fold
from mds_lightning.search.store import open_store

NESTED = ("search.nested=true", "folds.n_splits=3", "hydra.sweeper.n_trials=4", "hydra.sweeper.pruner=null")


def read_studies(toy) -> dict[str, list[optuna.trial.FrozenTrial]]:
    storage = toy.opened()
    return {
        name: optuna.load_study(study_name=name, storage=storage).trials
        for name in sorted(optuna.get_all_study_names(storage))
    }


def test_each_fold_has_its_own_trials_and_results(toy, caplog) -> None:
    toy.here(*NESTED, config="nested")
    found = read_studies(toy)
    assert list(found) == ["toy/fold-0", "toy/fold-1", "toy/fold-2"]
    for fold, trials in enumerate(found.values()):
        assert [trial.state.name for trial in trials] == ["COMPLETE"] * 4
        assert [list(trial.intermediate_values) for trial in trials] == [[fold]] * 4
    assert sorted(path.name for path in toy.directory.glob("trial-*")) == [
        f"trial-{fold}-{number}" for fold in range(3) for number in range(4)
    ]
    points = [tuple(trial.params.values()) for trials in found.values() for trial in trials]
    assert len(set(points)) == 12, "every fold has its own points"
    assert all((toy.directory / f"optimization_results_fold-{fold}.yaml").is_file() for fold in range(3))
    views = list(view_studies(open_store(toy.storage, "toy"), "toy"))
    assert views[1].trials[2].variant == "trial-1-2"


def test_another_folds_results_change_nothing(toy_kept_at, tmp_path) -> None:
    """The trials of fold 2 are the same, whatever the other folds achieve."""
    params = []
    for name, turned in (("one", "false"), ("other", "true")):
        folder = tmp_path / name
        toy = toy_kept_at(folder, f"journal://{folder}/study.log")
        toy.here(*NESTED, "hydra.sweeper.n_trials=14", f"turned={turned}", config="nested")
        params.append([trial.params for trial in read_studies(toy)["toy/fold-2"]])
        best = max(read_studies(toy)["toy/fold-0"], key=lambda trial: trial.value)
        params[-1].append(best.params)
    assert params[0][:-1] == params[1][:-1]
    assert params[0][-1] != params[1][-1], "the results of fold 0 differ"


def test_an_interrupted_search_continues(toy) -> None:
    toy.here(*NESTED, "hydra.sweeper.n_trials=2", config="nested")
    before = {path: path.read_bytes() for path in toy.directory.glob("trial-*/*.txt")}
    assert len(before) == 6
    toy.here(*NESTED, config="nested")
    assert all(path.read_bytes() == content for path, content in before.items())
    assert {name: len(trials) for name, trials in read_studies(toy).items()} == {
        f"toy/fold-{fold}": 4 for fold in range(3)
    }


@pytest.mark.parametrize("first", ["true", "false"])
def test_a_stored_search_is_not_continued_as_the_other_kind(toy, first) -> None:
    second = {"true": "false", "false": "true"}[first]
    toy.here(*NESTED[1:], f"search.nested={first}", config="nested")
    with pytest.raises(ValueError, match=rf"give the study another name .* or set search.nested={first}"):
        toy.here(*NESTED[1:], f"search.nested={second}", config="nested")


def test_a_grid_is_refused() -> None:
    config = OmegaConf.create({"search": {"nested": True}, "folds": {"n_splits": 5}})
    with pytest.raises(ValueError, match=r"search\.nested=true in a grid"):
        list_outer_folds(config, is_grid=True)
    assert list_outer_folds(config, is_grid=False) == [0, 1, 2, 3, 4]
    assert list_outer_folds(OmegaConf.create({}), is_grid=True) == [None]


def test_every_sampler_is_blind_in_a_nested_search() -> None:
    tpe = OmegaConf.create({"_target_": "optuna.samplers.TPESampler"})
    assert is_blind(tpe, None, is_nested=True)
    assert not is_blind(tpe, None)


def test_one_study_keeps_its_seed() -> None:
    assert seed_of_fold(7, None) == 7
    assert len({seed_of_fold(seed, fold) for seed in range(5) for fold in range(5)}) == 25


def test_the_cost_is_stated_before_the_first_training() -> None:
    assert describe_cost(50, 5, False, 3) == (
        "a search of 50 trials with 5 trainings each: 250 models are trained (hydra.sweeper.n_trials=50, "
        "folds.n_splits=5); 3 of 50 trials are finished"
    )
    assert "250 models are trained" in describe_cost(50, 5, True, 0)
    assert describe_cost(50, 5, True, 60).endswith("60 of 250 trials are finished")
