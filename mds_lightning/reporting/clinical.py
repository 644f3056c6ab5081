"""The manifest behind a study: its clinical columns and its images, if they are still there."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from mds_lightning.cohort.manifest_cells import KNOWN, clean_cells, parse_clinical, parse_external
from mds_lightning.cohort.manifest_table import read_table
from mds_lightning.cohort.path_or_url import File, Folder, locate_folder
from mds_lightning.statistics.predictions import Predictions

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class ManifestRows:
    """The manifest's rows of the patients of a study.

    Attributes:
        table: One row an image: image, patient_id, label, site, external and the clinical columns.
        root: Folder that `image` is relative to.
    """

    table: pd.DataFrame
    root: Folder


def read_manifest_rows(
    manifest: File, settings: Mapping[str, Any], predictions: Predictions
) -> ManifestRows | None:
    """Read the rows of the study's patients; None, with a warning, where they are not to be had.

    Predictions alone carry every estimate; the manifest adds patient characteristics, subgroups and pictures.

    Args:
        manifest: As the study's configuration names it.
        settings: That configuration.
        predictions: Pooled rows of the study.
    """
    without = "no patient characteristics, subgroups or figure of maps"
    if not manifest.is_file():
        log.warning("%s is not there: %s", manifest, without)
        return None
    table, _ = clean_cells(read_table(manifest).frame, str(manifest))
    if not {"image", "patient_id", "label"} <= set(table.columns):
        log.warning("%s has no columns image, patient_id and label any more: %s", manifest, without)
        return None
    table = table[table["image"].isin(predictions.table["image"])].reset_index(drop=True)
    labels = predictions.table.drop_duplicates("image").set_index("image")["label"]
    same = table["label"].to_numpy() == labels.reindex(table["image"]).to_numpy()
    if len(table) != len(labels) or not same.all():
        log.warning("%s has changed since the study was trained: %s", manifest, without)
        return None
    table["site"] = table.get("site", "")
    table["external"] = parse_external(table["external"]) if "external" in table else False
    for column in (name for name in table.columns if name not in KNOWN):
        table[column] = parse_clinical(table[column])
    root = settings.get("cohort", {}).get("root")
    return ManifestRows(table, locate_folder(root, "cohort.root") if root else manifest.parent)
