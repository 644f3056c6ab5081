"""What a manifest holds: patients and images by label and site, whether or not it is free of faults."""

from dataclasses import dataclass

import pandas as pd

from mds_lightning.cohort.manifest_cells import parse_external
from mds_lightning.cohort.task import Task


@dataclass(frozen=True)
class Group:
    """Images and patients of one label at one site.

    Attributes:
        label: As in the manifest.
        site: '' where there is none.
        used: Whether the task names the label.
        patients: Number of patients that are not external; `images` of theirs.
        images: See `patients`.
        external_patients: Number of external patients; `external_images` of theirs.
        external_images: See `external_patients`.
    """

    label: str
    site: str
    used: bool
    patients: int
    images: int
    external_patients: int
    external_images: int


def summarize_groups(rows: pd.DataFrame, task: Task) -> tuple[Group, ...]:
    """Count the rows of a manifest: labels of the task first, in its order; then the others, by name.

    Args:
        rows: As in `Inspection.rows`. Without the columns patient_id and label there is nothing to count.
        task: Decides which labels are used.
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
            Group(
                label=str(label),
                site=str(site),
                used=label in task.classes,
                patients=internal["patient"].nunique(),
                images=len(internal),
                external_patients=external["patient"].nunique(),
                external_images=len(external),
            )
        )
    place = {label: number for number, label in enumerate(task.classes)}
    return tuple(
        sorted(groups, key=lambda group: (place.get(group.label, len(place)), group.label, group.site))
    )
