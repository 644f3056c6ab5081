"""The dashboard of a study, as code: a W&B report that compares folds, backbones and settings."""

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import wandb_workspaces.reports.v2 as reports

from mds_lightning.cohort.atomic_file import write_atomically
from mds_lightning.tracking.tracked import TrackedStudy
from mds_lightning.tracking.wandb_panels import lay_out


@dataclass(frozen=True)
class Dashboard:
    """A report, before it is published.

    Attributes:
        name: W&B's internal name of it, the same whenever the same study is published.
        study: Group of the runs it shows.
        project: W&B project of the runs.
        title: At most 128 characters.
        spec: What W&B draws (plain JSON values).
    """

    name: str
    study: str
    project: str
    title: str
    spec: dict[str, Any]

    def placed(self, entity: str, project_id: str | int) -> dict[str, Any]:
        """The specification with every set of runs tied to the project `entity`/`self.project`."""
        spec: dict[str, Any] = json.loads(json.dumps(self.spec))
        for runs in run_sets(spec):
            runs["project"] = {"name": self.project, "entityName": entity, "id": project_id}
        return spec


def build_dashboard(study: TrackedStudy) -> Dashboard:
    """Lay out the dashboard; needs neither network nor an account."""
    title = f"{study.name[:80]}: folds and backbones"
    # The entity is asked of W&B if it is not given.
    report = reports.Report(
        project=study.project, entity="", title=title, blocks=lay_out(study.compared), width="fluid"
    )
    spec: dict[str, Any] = report._to_model().spec.model_dump(mode="json", by_alias=True, exclude_none=True)
    for runs in run_sets(spec):
        # Not through its expressions, which are parsed as Python and change names with quotes or "=".
        runs["filters"]["filters"][0]["value"] = study.name
    name = hashlib.sha256(f"mds_lightning {study.name}".encode()).hexdigest()[:12]
    return Dashboard(name, study.name, study.project, title, spec)


def write_dashboard(dashboard: Dashboard, path: Path) -> None:
    """Write it as JSON."""
    with write_atomically(path) as temporary:
        temporary.write_text(json.dumps(asdict(dashboard), indent=2) + "\n")


def run_sets(spec: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Every set of runs in a specification, to be read or changed in place."""
    for block in spec["blocks"]:
        yield from block.get("metadata", {}).get("runSets", [])
