"""`mds-lightning study verify`: compares all files of a study with what its runs recorded."""

from pathlib import Path

from omegaconf import DictConfig
from rich import box
from rich.table import Table
from rich.text import Text

from mds_lightning.commands.visible_console import open_console
from mds_lightning.studies.layout import StudyDirectory
from mds_lightning.studies.verification import RunVerification, StudyVerification, verify_study

#: Width of tables outside of a terminal: the lines of a log file are not wrapped.
_LOG_WIDTH = 10_000


def verify(config: DictConfig) -> StudyVerification:
    """Verify the study in `config.study`, and show what differs; the process then ends with exit code 2.

    Args:
        config: `conf/study.yaml`.

    Raises:
        ValueError: There is no such study.
    """
    result = verify_study(StudyDirectory(Path(config.study)))
    console = open_console(_LOG_WIDTH)
    console.print(_tabulate_runs(result))
    if result.failed:
        console.print(_tabulate_differences(result))
    summary = "something differs" if result.failed else "nothing differs from what was recorded"
    console.print(Text(f"{config.study}: {summary}", style="bold red" if result.failed else "bold green"))
    return result


def _tabulate_runs(result: StudyVerification) -> Table:
    table = Table("run", "files as recorded", "result", box=box.SIMPLE_HEAD)
    for run in result.runs:
        table.add_row(*map(Text, (run.name, str(run.n_files or ""), _describe(run))))
    return table


def _describe(run: RunVerification) -> str:
    if run.differences:
        return f"{len(run.differences)} of its files differ{'s' if len(run.differences) == 1 else ''}"
    if not run.is_finished:
        return "not finished"
    return "verified" if run.is_recorded else "not recorded (finished by an earlier version)"


def _tabulate_differences(result: StudyVerification) -> Table:
    table = Table("run", "file", "finding", "remedy", box=box.SIMPLE_HEAD)
    if result.folds:
        table.add_row(*map(Text, ("", "folds.json", result.folds, "")))
    for run in result.runs:
        for state in run.differences:
            table.add_row(*map(Text, (run.name, state.name, state.finding, state.remedy)))
    return table
