"""The loop of a worker: claim trials, run them and store their outcomes until the study is complete."""

import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from hydra.core.utils import JobReturn
from hydra.errors import HydraException
from hydra.plugins.launcher import Launcher
from optuna import Trial
from optuna.study import Study
from optuna.trial import FrozenTrial, TrialState

from mds_lightning.search.cost import estimate_duration
from mds_lightning.search.heartbeat import Heartbeat
from mds_lightning.search.outcome import Outcome, read_outcome
from mds_lightning.search.plan import Plan
from mds_lightning.search.progress import SweepProgress
from mds_lightning.search.retry import retire, retire_dead
from mds_lightning.search.store import Store
from mds_lightning.search.termination import Termination
from mds_lightning.search.trial import JobTrial, TrialLostError, available
from mds_lightning.search.trial_record import DIRECTORY, REASON
from mds_lightning.studies.run_lock import BusyRunError
from mds_lightning.studies.worker import Worker

log = logging.getLogger(__name__)


@dataclass
class SweepLoop:
    """The loop of one worker of a study; see `StudySweeperConf` for the options.

    Attributes:
        failures: Trials that failed in this process.
        skipped: Cells of a grid that another process is training.
    """

    study: Study
    store: Store
    plan: Plan
    launcher: Launcher
    termination: Termination
    progress: SweepProgress
    n_jobs: int
    max_failure_rate: float
    max_kills: int
    poll: float
    worker: Worker = field(default_factory=Worker.here)
    failures: int = 0
    skipped: int = 0
    _timed: bool = False

    def run(self, wait: bool = True) -> None:
        """Run trials until the study is complete; other workers may run some of them.

        Args:
            wait: False: return when every trial that remains is run by another worker.

        Raises:
            ForeignTrialError: The study holds trials that are not of this search.
            SystemExit: With 143 after SIGTERM; running trials were released.
            Exception: That of the job whose failure exceeded the limit.
        """
        waiting = False
        while True:
            batch: list[Trial] = []
            try:
                with self.store.lock(), self.termination.held():
                    self.plan.screen(self.study)
                    retire_dead(self.study, self.plan.requeues, self.max_kills)
                    self.progress.show(self.plan.finished(self._trials()))
                    if self.plan.is_complete(self._trials()):
                        return
                    self._claim(batch)
                outcomes, jobs = self._run_batch(batch)
            except BaseException as error:
                # A second signal must not leave a trial running; this raises again after SIGTERM.
                with self.termination.held():
                    self._give_back(batch, error)
                raise
            if batch:
                waiting = False
                self._stop_if_too_many_failed(outcomes, jobs)
                continue
            if not wait:
                return
            if not waiting:
                log.info("waiting for other workers; their trials are taken over if they stop")
                waiting = True
            time.sleep(self.poll)

    def _claim(self, batch: list[Trial]) -> None:
        while len(batch) < self.n_jobs and self.plan.has_work(self._trials()):
            batch.append(self.plan.start(self.study, self.worker))

    def _run_batch(self, batch: Sequence[Trial]) -> tuple[list[Outcome | None], Sequence[JobReturn]]:
        if not batch:
            return [], ()
        ids = [trial._trial_id for trial in batch]
        handles = {trial.number: JobTrial(self.study, trial._trial_id) for trial in batch}
        overrides = [self.plan.overrides(self.study, self._stored(trial)) for trial in batch]
        with Heartbeat(self.store.storage, ids), available(handles):
            jobs = self.launcher.launch(overrides, initial_job_idx=batch[0].number)
        with self.termination.held():
            return [self._tell(trial, job) for trial, job in zip(batch, jobs, strict=True)], jobs

    def _tell(self, trial: Trial, job: JobReturn) -> Outcome | None:
        """Store the outcome of the job; None if the trial no longer belongs to this worker."""
        outcome = read_outcome(job, len(self.study.directions))
        if isinstance(outcome.error, TrialLostError) or self._stored(trial).state.is_finished():
            log.warning("trial %d was given to another worker; its result here is discarded", trial.number)
            return None
        if job.hydra_cfg is not None:
            trial.set_user_attr(DIRECTORY, str(job.hydra_cfg.hydra.runtime.output_dir))
        # A cell of a grid that another process trains is skipped; in a search the trial fails.
        busy = isinstance(outcome.error, BusyRunError) and not self.plan.requeues
        if outcome.error is not None:
            self.failures += not busy
            self.skipped += busy
            self.plan.note_failure(trial.params)
            trial.set_user_attr(REASON, outcome.reason)
            log.warning("trial %d %s: %s", trial.number, "skipped" if busy else "failed", outcome.reason)
        self.study.sampler = self.plan.sampler(self.study, self._stored(trial))
        self.study.tell(trial, outcome.values, outcome.state)
        if outcome.error is None:
            finished = self.plan.finished(self._trials())
            self.progress.note(trial.number, outcome, finished)
            if not self._timed and self.plan.requeues:
                self._timed = True
                log.info("%s", estimate_duration(self._stored(trial), self.plan.total - finished))
        return outcome

    def _give_back(self, batch: Sequence[Trial], error: BaseException) -> None:
        """End running trials, and queue them again unless the configuration is invalid."""
        if not batch:
            return
        # SIGTERM inside of Hydra may arrive as an error of Hydra, which does not mean an invalid trial.
        at_fault = isinstance(error, HydraException) and not self.termination.received
        requeue = self.plan.requeues and not at_fault
        with self.store.lock():
            for trial in map(self._stored, batch):
                if trial.state is TrialState.RUNNING:
                    reason = f"released by {self.worker}: {type(error).__name__}: {error}"
                    retire(self.study, trial, reason, requeue)

    def _stop_if_too_many_failed(self, outcomes: Sequence[Outcome | None], jobs: Sequence[JobReturn]) -> None:
        allowed = self.max_failure_rate * self.plan.total
        if self.failures <= allowed:
            return
        for outcome, job in zip(outcomes, jobs, strict=True):
            if outcome is not None and outcome.error is not None:
                rate, total = self.max_failure_rate, self.plan.total
                log.error("%d trials failed: max_failure_rate=%s of %d", self.failures, rate, total)
                _ = job.return_value  # raises with the job's own traceback
                raise outcome.error

    def _trials(self) -> Sequence[FrozenTrial]:
        return self.study.get_trials(deepcopy=False)

    def _stored(self, trial: Trial) -> FrozenTrial:
        return self.store.storage.get_trial(trial._trial_id)
