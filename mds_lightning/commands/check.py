"""`mds-lightning check`: all faults of a manifest and its images at once, before a study is started."""

import json
import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

from omegaconf import DictConfig, OmegaConf
from rich import box
from rich.table import Table
from rich.text import Text

from mds_lightning.audit.check import AuditedCohort
from mds_lightning.audit.check_registry import find_checks, refuse_unknown_codes
from mds_lightning.audit.cohort_audit import AuditResult, Outcome, audit_cohort
from mds_lightning.audit.cohort_counts import GroupCount
from mds_lightning.cohort.atomic_file import write_atomically
from mds_lightning.cohort.finding import Finding, Severity
from mds_lightning.cohort.manifest import inspect_manifest
from mds_lightning.cohort.split_parameters import SplitParameters
from mds_lightning.cohort.task import TaskParameters, make_task
from mds_lightning.commands.visible_console import open_console
from mds_lightning.data.stain_normalization import choose_stain
from mds_lightning.studies.cohort_files import prepare_cohort_files

log = logging.getLogger(__name__)

#: Width of tables outside of a terminal: the lines of a log file are not wrapped.
_LOG_WIDTH = 10_000
_MAX_SHAPES = 10
_STYLE: dict[Severity, str] = {"error": "red", "warning": "yellow"}


def check(config: DictConfig) -> AuditResult:
    """Read the manifest, decode every image, apply all checks, and show the result as tables.

    Args:
        config: `conf/check.yaml`. `ignore` lists codes of checks that are not applied; `output` is a JSON
            file for the result.

    Raises:
        ValueError: The task is invalid (see `make_task`), or `ignore` has an unknown code.
    """
    checks = find_checks()
    refuse_unknown_codes(config.ignore, checks)
    task = make_task(TaskParameters(**config.task))
    files = prepare_cohort_files(cast(dict[str, Any], OmegaConf.to_container(config, resolve=True)))
    manifest = files.manifest
    inspection = inspect_manifest(manifest, task, files.root, config.folds.n_splits, config.cohort.ignore)
    stain = choose_stain(config.data.stain, config.data.stain_reference, config.data.max_pixels)
    cohort = AuditedCohort(inspection, str(manifest), SplitParameters(**config.folds), config.data.max_pixels)
    result = audit_cohort(cohort, task, checks, [*config.ignore, *config.cohort.ignore], stain)
    _show(result)
    if config.output is not None:
        _write(result, Path(config.output))
    return result


def _write(result: AuditResult, path: Path) -> None:
    with write_atomically(path) as temporary:
        temporary.write_text(
            json.dumps(result.to_json(), indent=1, ensure_ascii=False) + "\n", encoding="utf-8"
        )
    log.info("wrote %s", path)


def _show(result: AuditResult) -> None:
    console = open_console(_LOG_WIDTH)
    console.print(_check_table(result.outcomes))
    if result.findings:
        console.print(_finding_table(result.findings))
    if result.groups:
        console.print(_group_table(result.groups))
    if result.shapes:
        console.print(_shape_table(result.shapes))
    numbers = f"{_count(result.errors, 'error')}, {_count(result.warnings, 'warning')}"
    style = "bold red" if result.failed else "bold green"
    console.print(Text(f"{result.manifest}: {numbers}", style=style))


def _check_table(outcomes: Sequence[Outcome]) -> Table:
    table = Table("code", "severity", "check", "result", box=box.SIMPLE_HEAD)
    for outcome in outcomes:
        check = outcome.check
        result = {
            "failed": _count(outcome.findings, "finding"),
            "not applicable": f"not applicable: {outcome.reason}",
        }.get(outcome.status, outcome.status)
        style = _STYLE[check.severity] if outcome.status == "failed" else ""
        table.add_row(check.code, check.severity, check.title, Text(result, style=style))
    return table


def _finding_table(findings: Sequence[Finding]) -> Table:
    table = Table("code", "severity", "file", "row", "column", "finding", "remedy", box=box.SIMPLE_HEAD)
    for finding in findings:
        row = "" if finding.row is None else str(finding.row)
        # Text, so that brackets in file names are not parsed as markup.
        cells = (finding.file, row, finding.column or "", finding.finding, finding.remedy)
        severity = Text(finding.severity, style=_STYLE[finding.severity])
        table.add_row(finding.code, severity, *map(Text, cells))
    return table


def _group_table(groups: Sequence[GroupCount]) -> Table:
    numbers = ("patients", "images", "external patients", "external images")
    table = Table("label", "site", *numbers, "", box=box.SIMPLE_HEAD)
    for group in groups:
        counts = (group.patients, group.images, group.external_patients, group.external_images)
        note = "" if group.used else "not used: not a class of the task"
        cells = [group.label, group.site, *map(str, counts), note]
        table.add_row(*map(Text, cells), style=None if group.used else "dim")
    return table


def _shape_table(shapes: Sequence[tuple[tuple[int, int], int]]) -> Table:
    table = Table("width x height", "images", box=box.SIMPLE_HEAD)
    for (height, width), number in shapes[:_MAX_SHAPES]:
        table.add_row(f"{width} x {height}", str(number))
    if len(shapes) > _MAX_SHAPES:
        rest = sum(number for _, number in shapes[_MAX_SHAPES:])
        table.add_row(f"{len(shapes) - _MAX_SHAPES} other sizes", str(rest))
    return table


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
