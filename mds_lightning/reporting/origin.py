"""Where a study came from: its manifest, and the facts that its folds recorded."""

import json
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mds_lightning.cohort.simulation.parameters import SimulationParameters
from mds_lightning.tracking.run_directory import RunDirectory, StudyDirectory

#: Packages whose version can change a number.
_DECISIVE = (
    "mds-lightning", "torch", "torchvision", "timm", "lightning", "albumentations", "opencv-python-headless",
    "pillow", "numpy", "scipy", "pandas", "scikit-learn", "hydra-core", "optuna",
)  # fmt: skip


def is_simulated(settings: Mapping[str, Any]) -> bool:
    """Whether the images were drawn by the simulator."""
    return settings["cohort"]["manifest"] is None


def find_manifest(study: StudyDirectory, settings: Mapping[str, Any]) -> Path | None:
    """The manifest that a run was trained on, or None where it is not to be found.

    A relative path is looked for from the current folder, then from those above the study: `runs/demo` was
    trained in the folder that holds `runs`.

    Args:
        study: The study.
        settings: Configuration of one of its runs.
    """
    cohort = settings["cohort"]
    if cohort["manifest"] is not None:
        path = Path(cohort["manifest"])
    elif cohort["directory"] is not None:
        path = Path(cohort["directory"]) / "manifest.csv"
    else:
        parameters = SimulationParameters(**cohort["simulation"])
        path = Path(settings["paths"]["data"]) / f"simulated-{parameters.hash}" / "manifest.csv"
    places = [Path(), *study.path.resolve().parents]
    return next((place / path for place in places if (place / path).is_file()), None)


@dataclass(frozen=True)
class Origin:
    """What the folds of one variant recorded of how they were made.

    Attributes:
        facts: Name to value, or to the different values that the folds have.
        packages: Package to version, likewise.
        differing: Names with more than one value: the folds were not made alike.
    """

    facts: Mapping[str, str]
    packages: Mapping[str, str]
    differing: tuple[str, ...]


def read_origin(runs: Sequence[RunDirectory]) -> Origin:
    """Join what the folds' `provenance.json` say; dates, hosts and fold numbers may differ.

    Args:
        runs: Folds of one variant.
    """
    records = [json.loads(run.provenance.read_text()) for run in runs]
    facts = {
        "command": [_command(record) for record in records],
        "code (git commit)": [record["git"] or "not a checkout: the installed package" for record in records],
        "cohort (SHA-256)": [record["cohort_hash"] for record in records],
        "split (SHA-256)": [record["folds_hash"] for record in records],
        "seed": [str(record["seed"]) for record in records],
        "Python": [record["python"] for record in records],
        "platform": [record["platform"] for record in records],
    }
    versions = [{name.lower(): version for name, version in r["packages"].items()} for r in records]
    packages = {name: [one.get(name, "not installed") for one in versions] for name in _DECISIVE}
    differing = [name for name, values in (facts | packages).items() if len(set(values)) > 1]
    return Origin(_join(facts), _join(packages), tuple(differing))


def _command(record: Mapping[str, Any]) -> str:
    """The command as typed, whatever folder the program lies in, and without the fold of this run."""
    program, *words = record["command"]
    kept = [word for word in words if not word.startswith("fold=")]
    return shlex.join([Path(program).name, *kept])


def _join(values: Mapping[str, Sequence[str]]) -> dict[str, str]:
    return {name: " / ".join(dict.fromkeys(several)) for name, several in values.items()}
