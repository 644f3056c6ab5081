"""The record of a finished run, `done.json`: its result, and the SHA-256 of its files."""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypedDict

from mds_lightning.cohort.atomic_file import write_atomically
from mds_lightning.cohort.damaged_file import DamagedFileError
from mds_lightning.cohort.json_record import read_json_record


class RunRecord(TypedDict, total=False):
    """The keys of `done.json`.

    Attributes:
        val_auroc: ROC-AUC on the validation images with the best checkpoint; may be NaN.
        epochs: Number of trained epochs.
        seconds: Duration of training, testing and explaining.
        explain_seconds: Duration of explaining.
        files: Path of a file in the run directory (with `/`) to its SHA-256. Earlier versions did not record
            it.
        rewriting: As `files`, for the new content of a file that is being replaced: until the file is
            renamed, both are valid.
        hash: SHA-256 of the other keys.
    """

    val_auroc: float
    epochs: int
    seconds: float
    explain_seconds: float
    files: dict[str, str]
    rewriting: dict[str, str]
    hash: str


def write_run_record(path: Path, record: Mapping[str, Any]) -> None:
    """Write `done.json`, with the hash of its content."""
    held = {key: value for key, value in record.items() if key != "hash"}
    text = json.dumps(held | {"hash": _hash(held)}, indent=2, sort_keys=True)
    with write_atomically(path) as temporary:
        temporary.write_text(text + "\n", encoding="utf-8")


def read_run_record(path: Path) -> dict[str, Any] | None:
    """Read `done.json`, without its hash; None if it does not exist.

    Raises:
        DamagedFileError: It is damaged, or was changed after it was written. (Records of earlier versions
            have no hash.)
    """
    if not path.is_file():
        return None
    remedy = f"restore it, or delete {path.parent} and train the fold again"
    record = read_json_record(path, RunRecord, remedy)
    if ("hash" in record or "files" in record) and record.get("hash") != _hash(record):
        raise DamagedFileError(f"{path} was changed after it was written (its hash differs)", remedy)
    record.pop("hash", None)
    return record


def _hash(record: Mapping[str, Any]) -> str:
    held = {key: value for key, value in record.items() if key != "hash"}
    return hashlib.sha256(json.dumps(held, sort_keys=True).encode()).hexdigest()
