import pandas as pd

from mds_lightning.audit.cohort_counts import GroupCount, count_groups
from mds_lightning.cohort.task import Task

TASK = Task("t", ("donor", "MDS"))


def test_patients_and_images_are_counted_by_label_and_site():
    rows = pd.DataFrame(
        [
            ("p1", "MDS", "A", ""),
            ("p1", "MDS", "A", ""),
            ("p2", "MDS", "B", "yes"),
            ("p3", "donor", "A", "no"),
            ("p4", "AML", "", "false"),
        ],
        columns=["patient_id", "label", "site", "external"],
    )
    assert count_groups(rows, TASK) == (
        GroupCount("donor", "A", True, 1, 1, 0, 0),
        GroupCount("MDS", "A", True, 1, 2, 0, 0),
        GroupCount("MDS", "B", True, 0, 0, 1, 1),
        GroupCount("AML", "", False, 1, 1, 0, 0),
    )


def test_without_rows_or_columns_there_are_no_counts():
    assert count_groups(pd.DataFrame(), TASK) == ()
    assert count_groups(pd.DataFrame({"label": ["MDS"]}), TASK) == ()
