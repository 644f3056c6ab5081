"""Numbers of patients and images of a manifest by label and site, with or without faults."""

from dataclasses import asdict, dataclass
from typing import Any

import pandas as pd

from mds_lightning.cohort.manifest_cells import parse_external
from mds_lightning.cohort.task import Task


@dataclass(frozen=True)
class GroupCount:
    """Numbers of patients and images of one label at one site.

    Attributes:
        label: As in the manifest.
        site: '' where there is none.
        used: Whether the label is a class of the task.
        patients: Number of patients that are not external.
        images: Number of their images.
        external_patients: Number of external patients.
        external_images: Number of their images.
    """

    label: str
    site: str
    used: bool
    patients: int
    images: int
    external_patients: int
    external_images: int

    def to_json(self) -> dict[str, Any]:
        """The attributes as JSON values."""
        return asdict(self)


def count_groups(rows: pd.DataFrame, task: Task) -> tuple[GroupCount, ...]:
    """Count the rows of a manifest: classes of the task first, in its order; then other labels, by name.

    Args:
        rows: As in `Inspection.rows`; without the columns patient_id and label the result is empty.
        task: Defines which labels are used.
    """
    if rows.empty or not {"patient_id", "label"} <= set(rows.columns):
        return ()
    table = pd.DataFrame({"patient": rows["patient_id"], "label": rows["label"]})
    table["site"] = rows["site"] if "site" in rows.columns else ""
    table["external"] = parse_external(rows["external"]) if "external" in rows.columns else False
    groups = []
    for (label, site), members in table.groupby(["label", "site"]):
        internal, external = members[~members["external"]], members[members["external"]]
        groups.append(
            GroupCount(
                label=str(label),
                site=str(site),
                used=label in task.classes,
                patients=internal["patient"].nunique(),
                images=len(internal),
                external_patients=external["patient"].nunique(),
                external_images=len(external),
            )
        )
    order = {label: number for number, label in enumerate(task.classes)}
    return tuple(
        sorted(groups, key=lambda group: (order.get(group.label, len(order)), group.label, group.site))
    )
