"""Content of the fold file, and its verification against itself and against a cohort."""

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, NotRequired, TypedDict

from mds_lightning.cohort.json_record import find_fault, refuse_repeated_keys
from mds_lightning.cohort.manifest import HASHED, Cohort
from mds_lightning.cohort.patient_splitting import Fold, FoldError
from mds_lightning.cohort.split_parameters import SplitParameters

FORMAT = 1
_NEW_STUDY = "start a new study (study=NAME), or delete the file if nothing has been trained on it"


class _HeldPatient(TypedDict):
    label: str
    external: bool
    rows: str


class _FoldRecord(TypedDict):
    index: int
    train: list[str]
    val: list[str]
    test: list[str]


class _FoldFile(TypedDict):
    format: NotRequired[Any]
    cohort: str
    n_splits: int
    seed: int
    val_share: float
    patients: dict[str, _HeldPatient]
    folds: list[_FoldRecord]
    hash: str


def write_fold_record(cohort: Cohort, parameters: SplitParameters, folds: Iterable[Fold]) -> str:
    """The text of a fold file."""
    record: dict[str, Any] = {
        "format": FORMAT,
        "cohort": cohort.hash,
        "n_splits": parameters.n_splits,
        "seed": parameters.seed,
        "val_share": parameters.val_share,
        "patients": _patients(cohort),
        "folds": [{"index": f.index, "train": f.train, "val": f.val, "test": f.test} for f in folds],
    }
    record["hash"] = _hash(record)
    return json.dumps(record, indent=1, ensure_ascii=False) + "\n"


def read_fold_record(
    path: Path, cohort: Cohort | None = None, parameters: SplitParameters | None = None
) -> tuple[tuple[Fold, ...], str]:
    """Read a fold file and verify it; return its folds and its hash.

    Args:
        path: The file.
        cohort: The cohort that the folds must match; None: the file is verified against itself only.
        parameters: The parameters that the folds must have been made with; None: any.

    Raises:
        FoldError: It is not a fold file, was edited, has a patient in two parts of a fold, or was made for
            another cohort or with other parameters. The message names every reason.
    """
    record, folds = _parse(path)
    faults = [] if parameters is None else _parameter_faults(record, parameters)
    faults += _overlaps(folds, {name for name, held in record["patients"].items() if not held["external"]})
    faults += [] if cohort is None else _cohort_faults(record, cohort)
    if record["hash"] != _hash(record):
        faults.append("it was edited after it was written: restore it")
    if faults:
        raise FoldError("\n".join(f"{path}: {fault}" for fault in faults))
    return folds, record["hash"]


def _parse(path: Path) -> tuple[dict[str, Any], tuple[Fold, ...]]:
    try:
        record: dict[str, Any] = json.loads(
            path.read_bytes().decode("utf-8"), object_pairs_hook=refuse_repeated_keys
        )
    except OSError as error:
        raise FoldError(f"{path}: cannot be read ({error.strerror}): check its permissions") from error
    except (ValueError, RecursionError) as error:
        raise FoldError(f"{path}: is not a fold file ({error!r}): restore it; or {_NEW_STUDY}") from error
    if fault := find_fault(record, _FoldFile):
        raise FoldError(f"{path}: is not a fold file ({fault}): restore it; or {_NEW_STUDY}")
    if record.get("format") != FORMAT:
        raise FoldError(
            f"{path}: has format {record.get('format')}, this version reads {FORMAT}: {_NEW_STUDY}"
        )
    folds = (Fold(f["index"], tuple(f["train"]), tuple(f["val"]), tuple(f["test"])) for f in record["folds"])
    return record, tuple(folds)


def _parameter_faults(record: Mapping[str, Any], parameters: SplitParameters) -> list[str]:
    return [
        f"was made with folds.{key}={record[key]}, but folds.{key}={getattr(parameters, key)} is requested: "
        f"set it back, or {_NEW_STUDY}"
        for key in ("n_splits", "seed", "val_share")
        if record[key] != getattr(parameters, key)
    ]


def _overlaps(folds: tuple[Fold, ...], patients: set[str]) -> list[str]:
    faults = []
    if [fold.index for fold in folds] != list(range(len(folds))):
        faults.append("its folds are not numbered 0, 1, ...: restore it")
    for fold in folds:
        parts = {part: set(getattr(fold, part)) for part in ("train", "val", "test")}
        for one, other in (("train", "test"), ("val", "test"), ("train", "val")):
            if both := parts[one] & parts[other]:
                faults.append(f"fold {fold.index} has {_named(both)} in both {one} and {other}: restore it")
        members = parts["train"] | parts["val"] | parts["test"]
        if members != patients:
            faults.append(f"fold {fold.index} lacks or adds {_named(members ^ patients)}: restore it")
    tested = Counter(patient for fold in folds for patient in fold.test)
    if doubled := {patient for patient, times in tested.items() if times > 1}:
        faults.append(f"{_named(doubled)} in the test set of two folds: restore it")
    if untested := patients - set(tested):
        faults.append(f"{_named(untested)} in the test set of no fold: restore it")
    return faults


def _cohort_faults(record: Mapping[str, Any], cohort: Cohort) -> list[str]:
    """Differences between the cohort of the file and the given cohort."""
    if record["cohort"] == cohort.hash:
        return []
    then, now = record["patients"], _patients(cohort)
    common = then.keys() & now.keys()
    relabelled = [patient for patient in common if then[patient]["label"] != now[patient]["label"]]
    moved = [patient for patient in common if then[patient]["external"] != now[patient]["external"]]
    altered = [patient for patient in common if then[patient]["rows"] != now[patient]["rows"]]
    changes = [
        ("added", now.keys() - then.keys()),
        ("removed", then.keys() - now.keys()),
        ("relabelled", relabelled),
        ("now external or no longer", moved),
        ("other images or another site", set(altered) - set(relabelled) - set(moved)),
    ]
    listed = "; ".join(f"{change}: {_named(ids)}" for change, ids in changes if ids)
    return [
        f"the cohort has changed since it was written ({listed}): restore {cohort.manifest}, or {_NEW_STUDY}"
    ]


def _patients(cohort: Cohort) -> dict[str, dict[str, Any]]:
    """Label, external or not, and a digest of the rows of each patient, so that changes can be named."""
    rows_of: dict[str, list[list[Any]]] = {}
    for record in cohort.table[list(HASHED)].values.tolist():
        rows_of.setdefault(record[HASHED.index("patient_id")], []).append(record)
    return {
        patient: {
            "label": rows[0][HASHED.index("label")],
            "external": bool(rows[0][HASHED.index("external")]),
            "rows": hashlib.sha256(json.dumps(sorted(rows)).encode()).hexdigest()[:12],
        }
        for patient, rows in sorted(rows_of.items())
    }


def _hash(record: Mapping[str, Any]) -> str:
    held = {key: value for key, value in record.items() if key != "hash"}
    return hashlib.sha256(json.dumps(held, sort_keys=True).encode()).hexdigest()


def _named(patients: Iterable[str], most: int = 5) -> str:
    names = sorted(patients)
    shown = ", ".join(f"'{name}'" for name in names[:most]) + (
        f" and {len(names) - most} more" if names[most:] else ""
    )
    return f"{'patient' if len(names) == 1 else f'{len(names)} patients'} {shown}"
