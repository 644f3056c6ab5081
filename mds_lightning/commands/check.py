"""`mds-lightning check`: every fault of a manifest and its images, before hours are spent on it."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from omegaconf import DictConfig
from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from mds_lightning.audit.annotations import annotation_complaints
from mds_lightning.audit.group_counts import Group, summarize_groups
from mds_lightning.audit.image_decoding import decode_images
from mds_lightning.cohort.duplicate_images import same_content_complaints
from mds_lightning.cohort.finding import Complaint
from mds_lightning.cohort.manifest import Inspection, inspect_manifest
from mds_lightning.cohort.path_or_url import File
from mds_lightning.cohort.patient_splitting import FoldError, patient_table, split_patients
from mds_lightning.cohort.task import make_task
from mds_lightning.commands.simulate import locate_manifest, locate_root
from mds_lightning.data.stain_normalization import choose_stain

#: Columns where nobody looks: the lines of a log file are not folded.
_UNFOLDED = 10_000
_MOST_SHAPES = 10


@dataclass(frozen=True)
class CheckResult:
    """What `check` found.

    Attributes:
        complaints: Every fault and remark, in the order of the manifest's rows.
        groups: What the manifest holds, by label and site.
        shapes: (height, width) in pixels and how many images have it, the commonest first.
    """

    complaints: tuple[Complaint, ...]
    groups: tuple[Group, ...]
    shapes: tuple[tuple[tuple[int, int], int], ...]

    @property
    def errors(self) -> int:
        """Number of complaints that keep the cohort from being used."""
        return sum(complaint.severity == "error" for complaint in self.complaints)

    @property
    def failed(self) -> bool:
        """Whether the command is to end with exit code 2."""
        return self.errors > 0


def check(config: DictConfig) -> CheckResult:
    """Inspect the manifest, decode every image, try the split, and show all that was found as tables.

    Args:
        config: `conf/check.yaml`.

    Raises:
        ValueError: The task itself is not one (see `make_task`).
    """
    task = make_task(**config.task)
    manifest = locate_manifest(config)
    inspection = inspect_manifest(manifest, task, locate_root(config), config.folds.n_splits)
    complaints = [*inspection.complaints, *_split_complaints(inspection, config)]
    shapes: Counter[tuple[int, int]] = Counter()
    contents: dict[int, str] = {}
    stain = choose_stain(config.data.stain, config.data.stain_reference, config.data.max_pixels)
    for image in decode_images(inspection.images, config.data.max_pixels, stain=stain):
        if image.shape is not None:
            shapes[image.shape] += 1
        if image.fault is not None:
            complaints.append(Complaint("error", str(manifest), image.row, "image", image.fault))
        if image.content is not None:
            contents[image.row] = image.content
        complaints += annotation_complaints(inspection, image, str(manifest), config.data.max_pixels)
    complaints += same_content_complaints(contents, inspection.rows, str(manifest))
    complaints.sort(key=lambda complaint: complaint.row or 0)
    result = CheckResult(
        tuple(complaints), summarize_groups(inspection.rows, task), tuple(shapes.most_common())
    )
    _show(result, manifest)
    return result


def _split_complaints(inspection: Inspection, config: DictConfig) -> list[Complaint]:
    """What would keep the patients of a cohort without faults from being split as `folds` asks."""
    if inspection.cohort is None:
        return []
    try:
        split_patients(patient_table(inspection.cohort.table), **config.folds)
    except FoldError as error:
        return [Complaint("error", str(inspection.cohort.manifest), None, "patient_id", str(error))]
    return []


def _show(result: CheckResult, manifest: File) -> None:
    console = Console()
    if not console.is_terminal:
        console = Console(width=_UNFOLDED)
    if result.complaints:
        console.print(_complaint_table(result.complaints))
    if result.groups:
        console.print(_group_table(result.groups))
    if result.shapes:
        console.print(_shape_table(result.shapes))
    warnings = len(result.complaints) - result.errors
    found = f"{_count(result.errors, 'error')}, {_count(warnings, 'warning')}"
    console.print(Text(f"{manifest}: {found}", style="bold red" if result.failed else "bold green"))


def _complaint_table(complaints: Sequence[Complaint]) -> Table:
    table = Table("severity", "file", "row", "column", "message", box=box.SIMPLE_HEAD)
    for complaint in complaints:
        style = "red" if complaint.severity == "error" else "yellow"
        row = "" if complaint.row is None else str(complaint.row)
        # Text, so that brackets in file names are not taken for markup.
        cells = (complaint.file, row, complaint.column or "", complaint.message)
        table.add_row(Text(complaint.severity, style=style), *map(Text, cells))
    return table


def _group_table(groups: Sequence[Group]) -> Table:
    numbers = ("patients", "images", "external patients", "external images")
    table = Table("label", "site", *numbers, "", box=box.SIMPLE_HEAD)
    for group in groups:
        counts = (group.patients, group.images, group.external_patients, group.external_images)
        remark = "" if group.used else "left out: not in the task"
        cells = [group.label, group.site, *map(str, counts), remark]
        table.add_row(*map(Text, cells), style=None if group.used else "dim")
    return table


def _shape_table(shapes: Sequence[tuple[tuple[int, int], int]]) -> Table:
    table = Table("width x height", "images", box=box.SIMPLE_HEAD)
    for (height, width), number in shapes[:_MOST_SHAPES]:
        table.add_row(f"{width} x {height}", str(number))
    if len(shapes) > _MOST_SHAPES:
        rest = sum(number for _, number in shapes[_MOST_SHAPES:])
        table.add_row(f"{len(shapes) - _MOST_SHAPES} other sizes", str(rest))
    return table


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"
