"""A patient has two labels of the task.

Patients are classified, so that all images of a patient need the same label.
"""

from mds_lightning.audit.check import ReadingCheck
from mds_lightning.cohort.finding_kinds import CONFLICTING_LABELS

CHECK = ReadingCheck(CONFLICTING_LABELS)
