"""Images that cannot be decoded: stop the run, or exclude them and list them in a file."""

import csv
import logging
from collections.abc import Mapping
from pathlib import Path

from mds_lightning.cohort.atomic_file import write_atomically
from mds_lightning.cohort.damaged_file import reading
from mds_lightning.cohort.formula_cells import disarm_formula, restore_formula
from mds_lightning.data.decode import ImageError

log = logging.getLogger(__name__)

#: Number of faults that a message lists.
_MAX_LISTED = 20


def refuse_undecodable(faults: Mapping[str, str], images: int) -> None:
    """Raise if there are undecodable images.

    Args:
        faults: Name of the image to the reason why it cannot be decoded.
        images: Total number of images.

    Raises:
        ImageError: `faults` is not empty; the message lists them.
    """
    if faults:
        raise ImageError(
            f"{len(faults)} of {images} images cannot be decoded:\n{_listed(faults)}\n"
            "Repair them or remove their rows, or exclude them with data.on_error=skip."
        )


def skip_undecodable(
    faults: Mapping[str, str], patients: Mapping[str, str], max_skipped: float, path: Path
) -> frozenset[str]:
    """Return the images to exclude, which are listed in `path` (CSV: image, lost_patient, reason).

    A patient whose images are all excluded drops out of the study and is named in `lost_patient`.

    The list is written when a run starts. A continued run excludes the listed images, so that it trains on
    the same images even if a file was repaired meanwhile.

    Args:
        faults: Name of the image to the reason why it cannot be decoded.
        patients: Name of every image to its patient.
        max_skipped: Largest fraction of the images that may be excluded.
        path: The list in the run's directory.

    Raises:
        ImageError: There are too many, or some of them were not listed when the run started.
    """
    if len(faults) > max_skipped * len(patients):
        raise ImageError(
            f"{len(faults)} of {len(patients)} images cannot be decoded, a larger fraction than "
            f"data.max_skipped={max_skipped}:\n{_listed(faults)}\n"
            "Repair them, remove their rows, or raise data.max_skipped."
        )
    if not path.is_file():
        _write(path, faults, patients)
    skipped = read_skip_list(path)
    new = {image: fault for image, fault in faults.items() if image not in skipped}
    if new:
        raise ImageError(
            f"{len(new)} images could be decoded when {path.parent} was started, and cannot be decoded now:\n"
            f"{_listed(new)}\nRepair them, or delete {path.parent} to train without them."
        )
    if skipped:
        log.warning("%d of %d images are excluded, see %s", len(skipped), len(patients), path)
    return skipped


def _write(path: Path, faults: Mapping[str, str], patients: Mapping[str, str]) -> None:
    remaining = {patient for image, patient in patients.items() if image not in faults}
    lost = {image: "" if patients[image] in remaining else patients[image] for image in faults}
    with write_atomically(path) as temporary, temporary.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["image", "lost_patient", "reason"])
        rows = ((image, lost[image], reason) for image, reason in faults.items())
        writer.writerows(map(disarm_formula, row) for row in rows)


def read_skip_list(path: Path) -> frozenset[str]:
    """Names of the images that `skip_undecodable` listed in `path`.

    Raises:
        DamagedFileError: It is no such list.
    """
    remedy = f"restore it, or delete {path.parent} and train the fold again"
    with reading(path, remedy), path.open(newline="", encoding="utf-8") as file:
        return frozenset(restore_formula(row["image"]) for row in csv.DictReader(file))


def _listed(faults: Mapping[str, str]) -> str:
    lines = [f"  {fault}" for fault in list(faults.values())[:_MAX_LISTED]]
    if len(faults) > _MAX_LISTED:
        lines.append(f"  and {len(faults) - _MAX_LISTED} more: `mds-lightning check` lists all")
    return "\n".join(lines)
