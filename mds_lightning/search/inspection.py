"""Summary of a stored study: its trials, the best so far, and the estimated remaining time."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

import optuna
from optuna.study import Study, StudyDirection
from optuna.trial import FrozenTrial, TrialState

from mds_lightning.search.identity import ForeignStudyError, is_search, outer_fold
from mds_lightning.search.plan import FINISHED
from mds_lightning.search.retry import variant
from mds_lightning.search.store import Store
from mds_lightning.search.trial_record import DIRECTORY, REASON, check_record, fixed_params, worker_of


@dataclass(frozen=True)
class TrialView:
    """One trial.

    Attributes:
        number: In the study.
        state: State in Optuna, in lower case; `note` says why a trial failed.
        variant: Directory of the trial, below the study's.
        params: Swept keys and their values.
        steps: Values reported so far, by step (fold).
        value: The objective, None if there is none.
        seconds: Duration so far, None if it has not started.
        note: Worker of a running trial, reason of a failed one.
    """

    number: int
    state: str
    variant: str
    params: dict[str, object]
    steps: dict[int, float]
    value: float | None
    seconds: float | None
    note: str


@dataclass(frozen=True)
class StudyView:
    """One study.

    Attributes:
        name: In the storage.
        is_search: False for a grid.
        maximise: Direction of the (first) objective.
        trials: All of them, by number.
        n_trials: Finished trials of the complete study, None if unknown.
    """

    name: str
    is_search: bool
    maximise: bool
    trials: tuple[TrialView, ...]
    n_trials: int | None

    @property
    def finished(self) -> int:
        """Complete and pruned trials."""
        return sum(trial.state in ("complete", "pruned") for trial in self.trials)

    @property
    def best(self) -> TrialView | None:
        """The complete trial with the best value; None for a grid, whose cells are not compared."""
        complete = [trial for trial in self.trials if trial.state == "complete" and trial.value is not None]
        if not complete or not self.is_search:
            return None
        return (max if self.maximise else min)(complete, key=lambda trial: trial.value or 0.0)

    @property
    def time_left(self) -> timedelta | None:
        """Estimate from the mean duration of finished trials; None if no trial is running."""
        durations = [t.seconds for t in self.trials if t.state in ("complete", "pruned") and t.seconds]
        running = [t.seconds or 0.0 for t in self.trials if t.state == "running"]
        if not durations or not running or self.n_trials is None:
            return None
        mean = sum(durations) / len(durations)
        ahead = sum(max(mean - seconds, 0.0) for seconds in running)
        waiting = max(self.n_trials - self.finished - len(running), 0)
        return timedelta(seconds=round((ahead + waiting * mean) / len(running)))


def view_studies(store: Store, name: str | None = None) -> Iterator[StudyView]:
    """Yield all studies of the storage, or those named `name`, `name/...` or `name ...` (grids)."""
    for found in sorted(optuna.get_all_study_names(store.storage)):
        if name is None or found == name or found.startswith((f"{name} ", f"{name}/")):
            yield view_study(optuna.load_study(study_name=found, storage=store.storage))


def view_study(study: Study) -> StudyView:
    """Summarise the current state of a study."""
    search, fold = is_search(study), outer_fold(study)
    now = datetime.now()
    trials = tuple(_view(trial, search, fold, now) for trial in study.get_trials(deepcopy=False))
    maximise = study.directions[0] is StudyDirection.MAXIMIZE
    total = study.user_attrs.get("n_trials")
    if total is not None and (isinstance(total, bool) or not isinstance(total, int)):
        raise ForeignStudyError(
            f"the stored study '{study.study_name}' has n_trials={total!r}: it is damaged"
        )
    return StudyView(study.study_name, search, maximise, trials, total)


def _view(trial: FrozenTrial, search: bool, fold: int | None, now: datetime) -> TrialView:
    check_record(trial)
    ended = trial.datetime_complete or now
    begun = trial.datetime_start
    note = ""
    if trial.state is TrialState.RUNNING:
        note = str(worker_of(trial) or "")
    elif trial.state not in FINISHED:
        note = str(trial.user_attrs.get(REASON, ""))
    directory = variant(trial, fold) if search else str(trial.user_attrs.get(DIRECTORY, ""))
    return TrialView(
        number=trial.number,
        state=trial.state.name.lower(),
        variant=directory,
        params=dict(trial.params or fixed_params(trial)),
        steps=dict(sorted(trial.intermediate_values.items())),
        value=trial.values[0] if trial.state is TrialState.COMPLETE else None,
        seconds=None if begun is None else (ended - begun).total_seconds(),
        note=note,
    )
