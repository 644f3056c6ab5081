"""Writing of manifests and their findings, for several test files."""

import pytest

from mds_lightning.cohort.finding import CohortError
from mds_lightning.cohort.manifest import inspect_manifest, read_cohort

PLAIN = "image,patient_id,label\n0.png,p0,MDS\n1.png,p0,MDS\n2.png,p1,donor\n"


def write(folder, text, name="manifest.csv"):
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def findings_of(path, task, **options):
    return inspect_manifest(path, task, **options).findings


def errors_of(path, task, **options):
    """(row, column, message) of every error `read_cohort` raises."""
    with pytest.raises(CohortError) as raised:
        read_cohort(path, task, **options)
    assert all(finding.severity == "error" for finding in raised.value.findings)
    assert all(finding.file == str(path) for finding in raised.value.findings)
    return [(finding.row, finding.column, finding.message) for finding in raised.value.findings]


def one_error(path, task, **options):
    errors = errors_of(path, task, **options)
    assert len(errors) == 1, errors
    return errors[0]
