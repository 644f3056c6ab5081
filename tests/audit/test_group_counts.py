import pandas as pd

from mds_lightning.audit.group_counts import Group, summarize_groups
from mds_lightning.cohort.task import Task

TASK = Task("t", ("donor", "MDS"))


def test_patients_and_images_are_counted_by_label_and_site_with_external_ones_apart():
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
    assert summarize_groups(rows, TASK) == (
        Group("donor", "A", True, 1, 1, 0, 0),
        Group("MDS", "A", True, 1, 2, 0, 0),
        Group("MDS", "B", True, 0, 0, 1, 1),
        Group("AML", "", False, 1, 1, 0, 0),
    )


def test_what_cannot_be_counted_is_not():
    assert summarize_groups(pd.DataFrame(), TASK) == ()
    assert summarize_groups(pd.DataFrame({"label": ["MDS"]}), TASK) == ()
