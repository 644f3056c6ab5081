"""What becomes of images that cannot be decoded: the run stops, or goes on without them and says so."""

import csv
import logging
from collections.abc import Mapping
from pathlib import Path

from mds_lightning.cohort.atomic_file import write_atomically
from mds_lightning.data.decode import ImageError

log = logging.getLogger(__name__)

#: So many faults are told one by one.
_MOST = 20


def refuse_faults(faults: Mapping[str, str], images: int) -> None:
    """Raise if there are any.

    Args:
        faults: Image to why it cannot be decoded.
        images: Number of images in all.

    Raises:
        ImageError: With the faults.
    """
    if faults:
        raise ImageError(
            f"{len(faults)} of {images} images cannot be decoded:\n{_listed(faults)}\n"
            "Repair them or remove their rows; or leave them out with data.on_error=skip."
        )


def skip_faults(
    faults: Mapping[str, str], patients: Mapping[str, str], max_skipped: float, path: Path
) -> frozenset[str]:
    """Return the images to leave out, which are listed in `path` (CSV: image, lost_patient, reason).

    A patient none of whose images is left is named beside them: they drop out of the study.

    The list is written when a run begins, and it is what a continued run leaves out: so it trains on what it
    began with, even if a file was repaired meanwhile.

    Args:
        faults: Image to why it cannot be decoded.
        patients: Every image to its patient.
        max_skipped: Largest share of them that may be left out.
        path: The list in the run's directory.

    Raises:
        ImageError: There are too many, or images that were not listed when the run began.
    """
    if len(faults) > max_skipped * len(patients):
        raise ImageError(
            f"{len(faults)} of {len(patients)} images cannot be decoded, a larger share than "
            f"data.max_skipped={max_skipped}:\n{_listed(faults)}\n"
            "Repair them, remove their rows, or raise data.max_skipped."
        )
    if not path.is_file():
        _write(path, faults, patients)
    skipped = read_skip_list(path)
    new = {image: fault for image, fault in faults.items() if image not in skipped}
    if new:
        raise ImageError(
            f"{len(new)} images were decoded when {path.parent} was begun, and cannot be now:\n"
            f"{_listed(new)}\nRepair them, or delete {path.parent} to train without them."
        )
    if skipped:
        log.warning("%d of %d images are left out, see %s", len(skipped), len(patients), path)
    return skipped


def _write(path: Path, faults: Mapping[str, str], patients: Mapping[str, str]) -> None:
    left = {patient for image, patient in patients.items() if image not in faults}
    lost = {image: "" if patients[image] in left else patients[image] for image in faults}
    with write_atomically(path) as temporary, temporary.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["image", "lost_patient", "reason"])
        writer.writerows((image, lost[image], reason) for image, reason in faults.items())


def read_skip_list(path: Path) -> frozenset[str]:
    """The images that `skip_faults` listed in `path`."""
    with path.open(newline="", encoding="utf-8") as file:
        return frozenset(row["image"] for row in csv.DictReader(file))


def _listed(faults: Mapping[str, str]) -> str:
    lines = [f"  {fault}" for fault in list(faults.values())[:_MOST]]
    if len(faults) > _MOST:
        lines.append(f"  and {len(faults) - _MOST} more: `mds-lightning check` lists all")
    return "\n".join(lines)
