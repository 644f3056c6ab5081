import numpy as np
import pytest
from PIL import Image

from mds_lightning.audit.check import AuditedCohort
from mds_lightning.audit.check_registry import find_checks
from mds_lightning.audit.cohort_audit import audit_cohort
from mds_lightning.cohort.manifest import inspect_manifest
from mds_lightning.cohort.split_parameters import SplitParameters
from mds_lightning.cohort.task import Task

TASK = Task("t", ("donor", "MDS"))


@pytest.fixture
def write_image(tmp_path):
    """`write_image(name, height, width)`: an image of noise in `tmp_path`, different for each name."""

    def write_image(name, height=10, width=20):
        random = np.random.default_rng(sum(name.encode()))
        Image.fromarray(random.integers(0, 256, (height, width), np.uint8)).save(tmp_path / name)

    return write_image


@pytest.fixture
def audit(tmp_path):
    """`audit(text, checks, ignored, n_splits, root)`: the result for a manifest of this text."""

    def audit(text, checks=None, ignored=(), n_splits=2, root=None):
        manifest = tmp_path / "manifest.csv"
        manifest.write_text(text)
        cohort = AuditedCohort(
            inspect_manifest(manifest, TASK, root), str(manifest), SplitParameters(n_splits, 0, 0.2), 1000
        )
        return audit_cohort(cohort, TASK, find_checks() if checks is None else checks, ignored)

    return audit


@pytest.fixture
def findings(audit):
    """`findings(code, text)`: (severity, row, column, finding, remedy) of one check."""

    def findings(code, text):
        return [
            (found.severity, found.row, found.column, found.finding, found.remedy)
            for found in audit(text).findings
            if found.code == code
        ]

    return findings
