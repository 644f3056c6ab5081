"""What a sweep promises, through Hydra and in one process."""

import re
import shutil

import optuna
import pytest
from optuna.trial import TrialState

from mds_lightning.search.identity import ForeignStudyError


def points(trials: list[optuna.trial.FrozenTrial]) -> list[tuple[tuple[str, object], ...]]:
    return [tuple(sorted(trial.params.items())) for trial in trials]


def test_n_trials_is_the_studys_total(toy) -> None:
    for total in (2, 2, 3):
        toy.here(f"hydra.sweeper.n_trials={total}")
        assert [trial.number for trial in toy.finished()] == list(range(total))
    assert sorted(path.name for path in toy.directory.glob("trial-*")) == ["trial-0", "trial-1", "trial-2"]
    assert (toy.directory / "optimization_results.yaml").is_file()


def test_restarts_propose_what_an_undisturbed_search_proposes(toy) -> None:
    whole, parts, other = (toy.beside(name) for name in ("whole", "parts", "other"))
    whole.here("hydra.sweeper.n_trials=3", "folds=1")
    for total in (1, 3):
        parts.here(f"hydra.sweeper.n_trials={total}", "folds=1")
    other.here("hydra.sweeper.n_trials=1", "hydra.sweeper.seed=8", "folds=1")
    assert points(parts.study().trials) == points(whole.study().trials)
    assert len(set(points(whole.study().trials))) == 3
    assert not set(points(whole.study().trials)) & set(points(other.study().trials))


@pytest.mark.parametrize(
    ("misbehave", "reason"),
    [
        ("none", "ValueError: the job returned None instead of a number"),
        ("undefined", "ValueError: the job returned nan: an undefined value cannot be compared"),
        ("text", "ValueError: the job returned 'good' instead of a number"),
        ("raise", "RuntimeError: no memory left"),
    ],
)
def test_every_failure_is_recorded_and_counted(toy, misbehave: str, reason: str) -> None:
    # Half of two may fail, so the second failure ends the sweep, with the job's own error.
    with pytest.raises((ValueError, RuntimeError), match=reason.split(": ", 1)[1][:20]):
        toy.here(f"misbehave={misbehave}", "hydra.sweeper.n_trials=2", "hydra.sweeper.max_failure_rate=0.5")
    trials = toy.study().trials
    assert [trial.state for trial in trials] == [TrialState.FAIL] * 2
    assert {trial.user_attrs["reason"] for trial in trials} == {reason}


def test_failures_do_not_count_as_trials_and_are_not_repeated(toy) -> None:
    with pytest.raises(RuntimeError, match="no memory left"):  # none may fail unless told so
        toy.here("misbehave=raise")
    assert toy.states() == {"FAIL": 1}
    toy.here("hydra.sweeper.n_trials=2")
    assert toy.states() == {"FAIL": 1, "COMPLETE": 2}
    assert len(set(points(toy.study().trials))) == 3


def test_a_pruned_trial_is_pruned_and_finished(toy) -> None:
    toy.here("folds=5", "hydra.sweeper.n_trials=4")
    pruned = toy.study().get_trials(states=(TrialState.PRUNED,))
    assert len(pruned) + toy.states()["COMPLETE"] == 4
    assert pruned
    # Wilcoxon needs three worse folds to be sure at p = 0.13 (one-sided: 1/8), and saves the other two.
    assert {len(trial.intermediate_values) for trial in pruned} == {3}


@pytest.mark.parametrize(
    ("change", "difference"),
    [
        ("x=interval(0, 2)", "search space, x: FloatDistribution(high=1.0"),
        ("x=0.5", "search space, x: FloatDistribution"),
        ("hydra.sweeper.direction=minimize", "direction: maximize there, minimize now"),
        ("patients=badc0de", "cohort: c0ffee there, badc0de now"),
        ("hydra/sweeper/sampler=grid", "grid needs keys with finitely many values"),
    ],
)
def test_another_question_is_refused(toy, change: str, difference: str) -> None:
    toy.here("hydra.sweeper.n_trials=1")
    with pytest.raises(ValueError, match=re.escape(difference)):
        toy.here("hydra.sweeper.n_trials=2", change)
    assert toy.states() == {"COMPLETE": 1}


def test_a_study_of_the_stock_sweeper_is_refused(toy) -> None:
    study = optuna.create_study(storage=toy.opened(), study_name="toy", direction="maximize")
    study.add_trial(optuna.create_trial(value=1.0))
    with pytest.raises(ForeignStudyError, match="not created by hydra/sweeper=optuna_study"):
        toy.here()


def test_a_finite_space_is_searched_without_repeats(toy) -> None:
    toy.here("x=choice(0.1, 0.2)", "y=range(0, 2)", "hydra.sweeper.n_trials=50", "folds=1")
    assert toy.states() == {"COMPLETE": 4}
    assert len(set(points(toy.study().trials))) == 4


def test_a_grid_knows_which_cells_are_done(toy) -> None:
    def run(*overrides: str) -> list[tuple[str, int]]:
        before = {path.stat().st_mtime_ns: path for path in toy.directory.glob("*/fold-*/fold-0.txt")}
        toy.here(*overrides, config="grid")
        after = [p for p in toy.directory.glob("*/fold-*/fold-0.txt") if p.stat().st_mtime_ns not in before]
        return sorted(str(path.parent.relative_to(toy.directory)) for path in after)

    cells = [f"{kind}/fold-{fold}" for kind in "ab" for fold in range(3)]
    with pytest.raises(RuntimeError, match="no memory left"):
        toy.here("misbehave=raise", config="grid")
    (toy.directory / "a/fold-0/fold-0.txt").unlink()
    assert run() == cells
    assert run() == []
    shutil.rmtree(toy.directory / "b/fold-1")  # what a user deletes is run again
    assert run() == ["b/fold-1"]
    assert run("kind=a,b,c") == [f"c/fold-{fold}" for fold in range(3)]
    names = {study.study_name for study in optuna.get_all_study_summaries(toy.opened())}
    assert len(names) == 2
    for name in names:
        states = [trial.state for trial in toy.study(name).trials]
        assert TrialState.RUNNING not in states


def test_a_grid_goes_on_past_a_failed_cell_if_told_so(toy) -> None:
    toy.here(
        "x=choice(0.5, nonsense)", "hydra.sweeper.max_failure_rate=0.5", "kind=a", "fold=0", config="grid"
    )
    study = toy.study()
    states = sorted(trial.state.name for trial in study.trials)
    assert states == ["COMPLETE", "FAIL"]


def test_nothing_is_kept_without_a_storage_but_the_sweep_runs(toy) -> None:
    toy.here("hydra.sweeper.storage=null", "hydra.sweeper.n_trials=2")
    assert len(list(toy.directory.glob("trial-*/fold-2.txt"))) == 2
    assert not (toy.directory / "study.log").exists()


SOBOL = ("hydra/sweeper/sampler=sobol", "hydra.sweeper.pruner=null", "folds=1")


def test_a_blind_search_proposes_the_same_points_whatever_the_results_and_the_interruptions(toy) -> None:
    whole, parts, turned = (toy.beside(name) for name in ("whole", "parts", "turned"))
    whole.here("hydra.sweeper.n_trials=4", *SOBOL)
    for total in (1, 2, 4):
        parts.here(f"hydra.sweeper.n_trials={total}", *SOBOL)
    turned.here("hydra.sweeper.n_trials=4", "hydra.sweeper.direction=minimize", *SOBOL)
    assert points(whole.study().trials) == points(parts.study().trials) == points(turned.study().trials)
    for name in "xy":  # one in each quarter, as a Sobol sequence has it
        assert sorted(int(4 * trial.params[name]) for trial in whole.study().trials) == [0, 1, 2, 3]


def test_a_finite_space_is_exhausted_by_a_blind_search_too(toy) -> None:
    toy.here("x=choice(0.1, 0.2)", "y=range(0, 3)", "hydra.sweeper.n_trials=50", *SOBOL)
    assert toy.states() == {"COMPLETE": 6}
    assert len(set(points(toy.study().trials))) == 6


def test_a_blind_search_is_not_continued_with_a_sampler_that_uses_results(toy) -> None:
    toy.here("hydra.sweeper.n_trials=1", *SOBOL)
    for other in (("hydra/sweeper/sampler=tpe",), (*SOBOL[:1], "folds=1")):  # the second one prunes
        with pytest.raises(ForeignStudyError, match="proposals: blind there, adaptive now"):
            toy.here("hydra.sweeper.n_trials=2", *other)
    assert toy.states() == {"COMPLETE": 1}


@pytest.mark.parametrize("sampler", ["random", "nsgaii"])
def test_other_samplers_repeat_themselves_too(toy, sampler: str) -> None:
    found = []
    for name in ("one", "two"):
        again = toy.beside(name)
        again.here("hydra.sweeper.n_trials=2", f"hydra/sweeper/sampler={sampler}", "folds=1")
        found.append(points(again.study().trials))
    assert found[0] == found[1]
    assert len(set(found[0])) == 2


def test_a_search_is_not_queued_trial_by_trial(toy) -> None:
    pytest.importorskip("submitit", reason="the launcher is in the extra `hpc`")
    with pytest.raises(ValueError, match=r"sbatch experiments/slurm/search\.sbatch"):
        toy.here("launcher=slurm")


def test_a_cell_that_another_process_trains_is_skipped_and_said(toy, capfd) -> None:
    toy.here("misbehave=busy", "fold=0", config="grid")
    states = {trial.params["kind"]: trial.state.name for trial in toy.study().trials}
    assert states == {"b": "FAIL", "a": "COMPLETE"}
    said = "".join(capfd.readouterr())
    assert re.search(r"skipped: BusyRunError: .* is being worked on by node7, process 1", said)
    assert "1 of 2 trials are trained by other processes" in said
    toy.here("fold=0", config="grid")  # that cell alone
    assert [trial.params["kind"] for trial in toy.study().trials] == ["a", "b", "b"]
