"""A label of the task has no rows.

The classifier cannot learn a class without images; usually the label is spelt differently in the task.
"""

from mds_lightning.audit.check import ReadingCheck
from mds_lightning.cohort.finding_kinds import MISSING_LABEL

CHECK = ReadingCheck(MISSING_LABEL)
