"""The manifest rows of a study with their clinical columns, if the manifest is still available."""

import logging
from dataclasses import dataclass

import pandas as pd

from mds_lightning.cohort.clinical_cells import check_clinical, parse_clinical
from mds_lightning.cohort.cohort_parameters import CohortLocation
from mds_lightning.cohort.finding_kinds import NON_TEXT_CELL
from mds_lightning.cohort.manifest_cells import KNOWN, clean_cells, parse_external
from mds_lightning.cohort.manifest_table import read_table
from mds_lightning.cohort.path_or_url import Folder
from mds_lightning.statistics.predictions import Predictions
from mds_lightning.studies.cohort_files import UNNAMED, CohortFiles, find_cohort_files
from mds_lightning.studies.layout import RunDirectory, StudyDirectory

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class ManifestRows:
    """Rows of the manifest for the patients of a study.

    Attributes:
        table: One row per image: image, patient_id, label, site, external and the clinical columns.
        root: Folder that the paths in `image` are relative to.
    """

    table: pd.DataFrame
    root: Folder


def find_manifest_rows(
    study: StudyDirectory, run: RunDirectory, predictions: Predictions, location: CohortLocation = UNNAMED
) -> ManifestRows | None:
    """Find the manifest of a run (see `find_cohort_files`), and read the rows of the study's patients.

    Returns:
        None, with a logged warning, if the manifest is not found or has changed.
    """
    if not run.config.is_file():
        log.warning("%s is missing: no patient characteristics, subgroups or figure of maps", run.config)
        return None
    files = find_cohort_files(study, run, location)
    return None if files is None else read_manifest_rows(files, predictions)


def read_manifest_rows(files: CohortFiles, predictions: Predictions) -> ManifestRows | None:
    """Read the rows of the study's patients.

    Estimates are computed from predictions alone; the manifest adds characteristics, subgroups and images.

    Args:
        files: Manifest and folder of the images (see `studies.cohort_files.find_cohort_files`).
        predictions: Pooled rows of the study.

    Returns:
        None, with a logged warning, if the file is missing or has changed since the study was trained.
    """
    manifest = files.manifest
    missing = "no patient characteristics, subgroups or figure of maps are shown"
    if not manifest.is_file():
        log.warning("%s does not exist: %s", manifest, missing)
        return None
    table, findings = clean_cells(read_table(manifest).frame, str(manifest))
    if not {"image", "patient_id", "label"} <= set(table.columns):
        log.warning("%s no longer has the columns image, patient_id and label: %s", manifest, missing)
        return None
    table = table[table["image"].isin(predictions.table["image"])]
    labels = predictions.table.drop_duplicates("image").set_index("image")["label"]
    same = table["label"].to_numpy() == labels.reindex(table["image"]).to_numpy()
    if len(table) != len(labels) or not same.all():
        log.warning("%s has changed since the study was trained: %s", manifest, missing)
        return None
    nested = [
        finding for finding in findings if finding.kind == NON_TEXT_CELL and finding.column not in KNOWN
    ]
    table = table.drop(columns=[str(finding.column) for finding in nested])
    for finding in (*nested, *check_clinical(table, str(manifest))):
        log.warning("%s", finding)
    table = table.reset_index(drop=True)
    table["site"] = table.get("site", "")
    table["external"] = parse_external(table["external"]) if "external" in table else False
    for column in (name for name in table.columns if name not in KNOWN):
        table[column] = parse_clinical(table[column])
    return ManifestRows(table, files.root)
