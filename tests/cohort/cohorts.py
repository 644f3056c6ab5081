"""Cohorts without images, for tests of folds."""

import json
from pathlib import Path

import pandas as pd

from mds_lightning.cohort.manifest import Cohort


def make_cohort(patients, fields=1):
    """A cohort from (patient, label, site, external), without files."""
    rows = [
        (f"{patient}-{field}.png", patient, label, site, external)
        for patient, label, site, external in patients
        for field in range(fields)
    ]
    table = pd.DataFrame(rows, columns=["image", "patient_id", "label", "site", "external"])
    return Cohort(table, Path("manifest.csv"), Path(), {})


def paper_cohort(sites=("",)):
    """60, 30 and 20 patients of three classes, as in the paper's order of magnitude."""
    counts = {"MDS": 60, "AML": 30, "donor": 20}
    return make_cohort(
        [
            (f"{label}{number}", label, sites[number % len(sites)], False)
            for label, patients in counts.items()
            for number in range(patients)
        ]
    )


def edit(path, change):
    record = json.loads(path.read_text())
    change(record)
    path.write_text(json.dumps(record))
