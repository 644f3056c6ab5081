"""What the folds of a variant recorded about how they were trained."""

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mds_lightning.studies.layout import RunDirectory
from mds_lightning.studies.provenance import read_provenance

#: Packages whose version can change a result.
_DECISIVE = (
    "mds-lightning", "torch", "torchvision", "timm", "lightning", "albumentations", "opencv-python-headless",
    "pillow", "numpy", "scipy", "pandas", "scikit-learn", "hydra-core", "optuna",
)  # fmt: skip


@dataclass(frozen=True)
class ProvenanceSummary:
    """Provenance of the folds of one variant: how their models were made.

    Attributes:
        facts: Name to value; values that differ between folds are joined by ` / `.
        packages: Package to version, in the same form.
        differing: Names of facts and packages with more than one value. Several seeds differ in the seed, and
            may have been added by a command with a larger `seeds`; neither is listed.
    """

    facts: Mapping[str, str]
    packages: Mapping[str, str]
    differing: tuple[str, ...]


def summarise_provenance(runs: Sequence[RunDirectory]) -> ProvenanceSummary:
    """Join the records `provenance.json` of the folds; dates, hosts and fold numbers are ignored.

    Args:
        runs: Folds of one variant.
    """
    records = [read_provenance(run.provenance) for run in runs]
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
    compared = facts | packages | {"command": [_command(record, "seeds=") for record in records]}
    if any(run.seed is not None for run in runs):
        del compared["seed"]
    differing = [name for name, values in compared.items() if len(set(values)) > 1]
    return ProvenanceSummary(_join(facts), _join(packages), tuple(differing))


def _command(record: Mapping[str, Any], *left_out: str) -> str:
    """The command as typed, without the folder of the program, the fold of the run and words to leave out."""
    program, *words = record["command"]
    kept = [word for word in words if not word.startswith(("fold=", *left_out))]
    return shlex.join([Path(program).name, *kept])


def _join(values: Mapping[str, Sequence[str]]) -> dict[str, str]:
    return {name: " / ".join(dict.fromkeys(several)) for name, several in values.items()}
