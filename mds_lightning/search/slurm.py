"""Launcher of a grid on a SLURM cluster: one job per cell; a killed job fails its own cell only."""

import logging
import os
import subprocess
import time
import uuid
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hydra.core.singleton import Singleton
from hydra.core.utils import JobReturn, JobStatus, filter_overrides
from hydra_plugins.hydra_submitit_launcher.config import BaseQueueConf
from hydra_plugins.hydra_submitit_launcher.submitit_launcher import SlurmLauncher
from omegaconf import OmegaConf

if TYPE_CHECKING:
    import submitit

log = logging.getLogger(__name__)

#: Seconds within which the result of a job that left the queue appears on a shared file system.
_LAG = 10.0
#: Seconds between checks of the queue: short at first, then longer to limit the load on the controller.
_FIRST_POLL, _LAST_POLL = 0.5, 30.0


class JobLostError(RuntimeError):
    """A SLURM job ended without a result."""


class GridSlurmLauncher(SlurmLauncher):
    """The submitit launcher with another way to collect results.

    The original waits forever for a killed job if SLURM has no accounting (`sacct`), and ends the whole sweep
    at the first one if it has. Here the queue (`squeue`) shows whether a job still exists.
    """

    def launch(self, job_overrides: Sequence[Sequence[str]], initial_job_idx: int) -> Sequence[JobReturn]:
        """Submit one array and return when all its jobs have ended."""
        jobs = self._submit(job_overrides, initial_job_idx)
        try:
            return gather(jobs, job_overrides)
        except BaseException:
            log.warning("cancelling %d SLURM jobs", len(jobs))
            for job in jobs:
                job.cancel(check=False)
            raise

    def _submit(
        self, job_overrides: Sequence[Sequence[str]], first: int
    ) -> Sequence["submitit.Job[JobReturn]"]:
        """As upstream's `launch` (hydra_submitit_launcher 1.4.0rc3), up to the submission."""
        import submitit

        assert self.config is not None, "Hydra calls setup first"
        Path(str(self.config.hydra.sweep.dir)).mkdir(parents=True, exist_ok=True)
        shared = set(OmegaConf.structured(BaseQueueConf).keys())
        construction = {"max_num_timeout", "python"}
        executor = submitit.AutoExecutor(
            cluster="slurm",
            folder=new_job_folder(self.params["submitit_folder"]),
            **{f"slurm_{key}": self.params[key] for key in construction},
        )
        parameters = {
            key if key in shared else f"slurm_{key}": value
            for key, value in self.params.items()
            if key not in construction | {"submitit_folder"}
        }
        executor.update_parameters(**parameters)
        calls: list[Any] = []
        for index, overrides in enumerate(job_overrides, start=first):
            log.info("\t#%d : %s", index, " ".join(filter_overrides(overrides)))
            calls.append(
                (list(overrides), "hydra.sweep.dir", index, f"job_id_for_{index}", Singleton.get_state())
            )
        jobs = executor.map_array(self, *zip(*calls, strict=True))
        log.info("%d SLURM jobs: %s ...; logs in %s", len(jobs), jobs[0].job_id, jobs[0].paths.folder)
        return jobs


def new_job_folder(pattern: str) -> Path:
    """Folder pattern of the jobs of one start, with a new folder before the job id.

    Jobs and their results are pickles, which run code when they are read. Job ids can be guessed, so a file
    that was put into a study beforehand could be read in the place of a job's own.

    Args:
        pattern: `submitit_folder` of the launcher, such as `runs/demo/slurm/%j`.
    """
    from submitit.core.utils import JobPaths

    given = Path(pattern).expanduser().absolute()
    shared = JobPaths.get_first_id_independent_folder(given)
    start = shared / uuid.uuid4().hex
    start.mkdir(parents=True)
    return start / given.relative_to(shared)


def gather(
    jobs: Sequence["submitit.Job[JobReturn]"], job_overrides: Sequence[Sequence[str]]
) -> list[JobReturn]:
    """Wait for all jobs; a job that left the queue without a result has failed."""
    returns: dict[int, JobReturn] = {}
    missing_since: dict[int, float] = {}
    poll = _FIRST_POLL
    while len(returns) < len(jobs):
        queued = queued_jobs()
        for index, job in enumerate(jobs):
            if index in returns:
                continue
            if _has_result(job):
                returns[index] = _result(job, job_overrides[index])
            elif queued is None or job.job_id in queued:
                missing_since.pop(index, None)
            elif time.monotonic() - missing_since.setdefault(index, time.monotonic()) > _LAG:
                returns[index] = _failed(job, job_overrides[index], "ended without a result")
        if len(returns) < len(jobs):
            time.sleep(poll)
            poll = min(poll * 1.5, _LAST_POLL)
    return [returns[index] for index in range(len(jobs))]


def queued_jobs() -> set[str] | None:
    """Ids of this user's waiting and running jobs (`12_3` in an array); None if SLURM does not answer."""
    command = ["squeue", "--me", "--noheader", "--array", "--format=%i"]
    answer = subprocess.run(command, capture_output=True, text=True, check=False)
    if answer.returncode:
        log.warning("squeue: %s", answer.stderr.strip())
        return None
    return set(answer.stdout.split())


def _has_result(job: "submitit.Job[JobReturn]") -> bool:
    folder = job.paths.folder
    if folder.exists():
        os.utime(folder)  # refreshes the cache of NFS, as submitit does with chmod
    tasks = [job.task(rank) for rank in range(job.num_tasks)]
    return all(task.paths.result_pickle.exists() for task in tasks)


def _result(job: "submitit.Job[JobReturn]", overrides: Sequence[str]) -> JobReturn:
    try:
        return job.results()[0]
    except Exception as error:
        return _failed(job, overrides, f"failed outside of the command: {error}")


def _failed(job: "submitit.Job[JobReturn]", overrides: Sequence[str], what: str) -> JobReturn:
    message = (
        f"SLURM job {job.job_id} {what}: it may have been cancelled or have exceeded its memory; "
        f"see its log {job.paths.stderr}"
    )
    return JobReturn(overrides=overrides, status=JobStatus.FAILED, _return_value=JobLostError(message))
