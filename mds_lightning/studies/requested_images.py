"""Finds the images that a run is asked to explain, and refuses those of its training patients."""

import filecmp
import shlex
import unicodedata
from collections.abc import Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from mds_lightning.cohort.manifest import Cohort
from mds_lightning.cohort.path_or_url import File
from mds_lightning.maps.explained_image import ExplainedImage
from mds_lightning.maps.image_selection import choose_rows, describe_images
from mds_lightning.studies.finished_run import FinishedRun

#: A row of the cohort's table, or a file that is not in the cohort.
Found = int | Path


def find_images(run: FinishedRun, images: Any, is_one_of_many: bool = False) -> list[ExplainedImage]:
    """The images that `images=` selects for one run.

    Args:
        run: The run.
        images: `all` (or -1), a number, a name or path, or several of them.
        is_one_of_many: Whether all folds of the study explain: an image that another fold held out is then
            left to that fold.

    Raises:
        ValueError: There is no such image, it was left out of the training, or its patient was trained or
            chosen on in this fold; the run that held it out is named.
    """
    if isinstance(images, str) and images == "all":
        images = -1
    if isinstance(images, int) and not isinstance(images, bool):
        if images < 1 and images != -1:
            raise ValueError(f"images={images}: give a number from 1, all, or names")
        return describe_images(run.datamodule, choose_rows(run.datamodule, images))
    names = [images] if isinstance(images, str) else [*images] if isinstance(images, Sequence) else []
    if not names or not all(isinstance(name, str) for name in names):
        raise ValueError(f"images={images}: give a number, all, or names such as 'images=[a.jpg,b.jpg]'")
    selected = []
    for name in names:
        found = find_image(run.cohort, name)
        if isinstance(found, Path):
            if run.datamodule.averages_crops:
                raise ValueError(
                    f"images: '{name}' is not in the cohort, and a run that classifies images crop "
                    "by crop (data.view) explains images of its cohort only"
                )
            selected.append(ExplainedImage(str(found), run.fold.index, "foreign"))
        elif not (is_one_of_many and _is_of_another_fold(run, found)):
            _refuse_skipped(run, found)
            _refuse_seen(run, found)
            selected += describe_images(run.datamodule, [found])
    return selected


def find_image(cohort: Cohort, name: str) -> Found:
    """The row of an image: by its name in the manifest, or by its file or a copy of it; else the file.

    Raises:
        ValueError: There is neither.
    """
    table = cohort.table["image"]
    rows = table.index[table == unicodedata.normalize("NFC", name)].tolist()
    if rows:
        return int(rows[0])
    places = (Path(name), cohort.path(name))
    file = next((path for path in places if isinstance(path, Path) and path.is_file()), None)
    if file is None:
        near = get_close_matches(name, table, n=1)
        hint = f"did you mean '{near[0]}'?" if near else "names are those of its column image"
        raise ValueError(f"images: '{name}' is neither in {cohort.manifest} nor a file: {hint}")
    size = file.stat().st_size
    for row, image in enumerate(table):
        path = cohort.path(image)
        if path.stat().st_size == size and _is_copy(file, path):
            return row
    return file


def _is_copy(file: Path, other: File) -> bool:
    if isinstance(other, Path):
        return filecmp.cmp(file, other, shallow=False)
    return file.read_bytes() == other.read_bytes()


def _is_of_another_fold(run: FinishedRun, row: int) -> bool:
    record = run.cohort.table.loc[row]
    return not record["external"] and record["patient_id"] not in run.fold.test


def _refuse_skipped(run: FinishedRun, row: int) -> None:
    if row in run.datamodule.skipped:
        image = run.cohort.table["image"].tolist()[row]
        raise ValueError(
            f"{image} could not be decoded when {run.directory.path} was "
            "trained (it is in its skipped.csv): choose another image"
        )


def _refuse_seen(run: FinishedRun, row: int) -> None:
    if not _is_of_another_fold(run, row):
        return
    record = run.cohort.table.loc[row]
    image, patient = str(record["image"]), str(record["patient_id"])
    seen = "trained" if patient in run.fold.train else "chosen (validated)"
    right = next(fold.index for fold in run.folds if patient in fold.test)
    held_out = run.directory.path.with_name(f"fold-{right}")
    command = shlex.join(["mds-lightning", "explain", f"run={held_out}", f"images={image}"])
    raise ValueError(
        f"the model of {run.directory.path} was {seen} on patient {patient}, whose image {image} is: fold "
        f"{right} held that patient out. Use its model: {command}"
    )
