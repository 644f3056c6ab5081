import numpy as np
import pandas as pd
import pytest
from PIL import Image

from mds_lightning.cohort.folds import load_or_make_folds
from mds_lightning.cohort.manifest import read_cohort
from mds_lightning.cohort.split_parameters import SplitParameters
from mds_lightning.cohort.task import Task


@pytest.fixture
def task():
    return Task("mds_vs_donor", ("donor", "MDS"))


@pytest.fixture
def cohort(tmp_path, task):
    """10 MDS patients of 3 fields, 15 donors of 1, 2 external MDS patients: 40 x 60 pixels of noise."""
    rows = []
    for label, patients, fields in (("MDS", 12, 3), ("donor", 15, 1)):
        for patient in range(patients):
            for field in range(fields):
                name = f"{label}-{patient}-{field}.png"
                pixels = np.random.default_rng([len(label), patient, field]).integers(0, 256, (40, 60, 3))
                Image.fromarray(pixels.astype(np.uint8)).save(tmp_path / name)
                rows.append((name, f"{label}-{patient}", label, label == "MDS" and patient >= 10))
    manifest = tmp_path / "manifest.csv"
    pd.DataFrame(rows, columns=["image", "patient_id", "label", "external"]).to_csv(manifest, index=False)
    return read_cohort(manifest, task)


@pytest.fixture
def folds(tmp_path, cohort):
    return load_or_make_folds(tmp_path / "folds.json", cohort, SplitParameters())
