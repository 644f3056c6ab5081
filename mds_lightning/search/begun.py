"""Whether anything was trained for a stored study; its settings may change until then."""

from pathlib import Path

from optuna.study import Study
from optuna.trial import TrialState

from mds_lightning.search.grid import is_done
from mds_lightning.search.identity import is_search
from mds_lightning.search.plan import FINISHED
from mds_lightning.studies.layout import StudyDirectory


def is_begun(study: Study, directory: Path) -> bool:
    """Whether a trial is finished or running, or a trial of a search has trained an epoch.

    The cells of a grid are ordinary runs, each of which refuses other settings itself.

    Args:
        study: The stored study, whose lock is held.
        directory: Directory of the study.
    """
    trials = study.get_trials(deepcopy=False)
    if any(trial.state is TrialState.RUNNING for trial in trials):
        return True
    if not is_search(study):
        return any(map(is_done, trials))
    runs = StudyDirectory(directory).every_run()
    return any(trial.state in FINISHED for trial in trials) or any(run.is_begun() for run in runs)
