"""Provenance of a study: its manifest, and what its folds recorded."""

import json
import logging
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mds_lightning.cohort.path_or_url import File, locate_file
from mds_lightning.cohort.remote_folder import RemoteFile
from mds_lightning.cohort.simulation.simulation_parameters import SimulationParameters
from mds_lightning.tracking.provenance import describe_file
from mds_lightning.tracking.run_directory import RunDirectory, StudyDirectory
from mds_lightning.tracking.settings import read_settings

log = logging.getLogger(__name__)

#: Packages whose version can change a result.
_DECISIVE = (
    "mds-lightning", "torch", "torchvision", "timm", "lightning", "albumentations", "opencv-python-headless",
    "pillow", "numpy", "scipy", "pandas", "scikit-learn", "hydra-core", "optuna",
)  # fmt: skip


def is_simulated(settings: Mapping[str, Any]) -> bool:
    """Whether the images were drawn by the simulator."""
    return settings["cohort"]["manifest"] is None


@dataclass(frozen=True)
class FoundManifest:
    """A study's manifest as it is today.

    Attributes:
        path: Where it was found.
        has_changed: Whether the file differs from the one that was trained on; False where no hash of that
            was recorded.
    """

    path: File
    has_changed: bool


def find_manifest(study: StudyDirectory, run: RunDirectory) -> FoundManifest | None:
    """The manifest that a run was trained on, or None where it is not to be found.

    It is looked for where the run recorded it; then, as the configuration names it, from the current folder
    and from those above the study: `runs/demo` was trained in the folder that holds `runs`. Of several files
    the one that was trained on is taken; if none is that any more, the first, and a warning is logged.

    Args:
        study: The study.
        run: One of its runs.
    """
    recorded: dict[str, str] = {}
    if run.provenance.is_file():
        recorded = json.loads(run.provenance.read_text(encoding="utf-8")).get("manifest", {})
    named = _name_manifest(read_settings(run.config))
    candidates: list[File] = [locate_file(recorded["path"], "manifest")] if recorded else []
    if isinstance(named, RemoteFile):
        candidates.append(named)
    else:
        candidates += [place / named for place in (Path(), *study.path.resolve().parents)]
    # A remote file is asked for once, also where it cannot be reached.
    found = [path for path in {str(path): path for path in candidates}.values() if path.is_file()]
    if not found or not recorded:
        return FoundManifest(found[0], has_changed=False) if found else None
    for path in found:
        if describe_file(path)["sha256"] == recorded["sha256"]:
            return FoundManifest(path, has_changed=False)
    log.warning(
        "%s is not the file any more that %s was trained on: its clinical columns are those of today",
        *(found[0], study.path),
    )
    return FoundManifest(found[0], has_changed=True)


def _name_manifest(settings: Mapping[str, Any]) -> File:
    """The manifest as the configuration names it."""
    cohort = settings["cohort"]
    if cohort["manifest"] is not None:
        return locate_file(cohort["manifest"], "cohort.manifest")
    if cohort["directory"] is not None:
        return Path(cohort["directory"]) / "manifest.csv"
    parameters = SimulationParameters(**cohort["simulation"])
    return Path(settings["paths"]["data"]) / f"simulated-{parameters.hash}" / "manifest.csv"


@dataclass(frozen=True)
class ProvenanceSummary:
    """Provenance of the folds of one variant: how their models were made.

    Attributes:
        facts: Name to value; values that differ between folds are joined by ` / `.
        packages: Package to version, in the same form.
        differing: Names of facts and packages with more than one value.
    """

    facts: Mapping[str, str]
    packages: Mapping[str, str]
    differing: tuple[str, ...]


def summarise_provenance(runs: Sequence[RunDirectory]) -> ProvenanceSummary:
    """Join the records `provenance.json` of the folds; dates, hosts and fold numbers are ignored.

    Args:
        runs: Folds of one variant.
    """
    records = [json.loads(run.provenance.read_text()) for run in runs]
    facts = {
        "command": [_command(record) for record in records],
        "code (git commit)": [record["git"] or "not a checkout: the installed package" for record in records],
        "cohort (SHA-256)": [record["cohort_hash"] for record in records],
        "manifest (SHA-256 of the file)": [
            record.get("manifest", {}).get("sha256", "not recorded") for record in records
        ],
        "split (SHA-256)": [record["folds_hash"] for record in records],
        "seed": [str(record["seed"]) for record in records],
        "Python": [record["python"] for record in records],
        "platform": [record["platform"] for record in records],
    }
    versions = [{name.lower(): version for name, version in r["packages"].items()} for r in records]
    packages = {name: [one.get(name, "not installed") for one in versions] for name in _DECISIVE}
    differing = [name for name, values in (facts | packages).items() if len(set(values)) > 1]
    return ProvenanceSummary(_join(facts), _join(packages), tuple(differing))


def _command(record: Mapping[str, Any]) -> str:
    """The command as typed, without the folder of the program and the fold of the run."""
    program, *words = record["command"]
    kept = [word for word in words if not word.startswith("fold=")]
    return shlex.join([Path(program).name, *kept])


def _join(values: Mapping[str, Sequence[str]]) -> dict[str, str]:
    return {name: " / ".join(dict.fromkeys(several)) for name, several in values.items()}
