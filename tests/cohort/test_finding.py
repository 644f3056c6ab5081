import pickle

from mds_lightning.cohort.finding import CohortError, Finding
from mds_lightning.cohort.finding_kinds import EMPTY_CELL


def test_the_error_can_be_pickled_and_its_text_is_limited():
    findings = [Finding(EMPTY_CELL, "m.csv", row, "label", "is empty", "fill it") for row in range(1000)]
    error = pickle.loads(pickle.dumps(CohortError(findings)))
    assert error.findings == tuple(findings)
    assert str(error).count("\n") == 100
    assert "m.csv, row 7, column label: is empty: fill it (MDS010)" in str(error)
    assert "900 more" in str(error)
