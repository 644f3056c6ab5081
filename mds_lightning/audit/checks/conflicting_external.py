"""A patient is both external and not external.

Images of the patient would be in the training set and in the external test set.
"""

from mds_lightning.audit.check import ReadingCheck
from mds_lightning.cohort.finding_kinds import CONFLICTING_EXTERNAL

CHECK = ReadingCheck(CONFLICTING_EXTERNAL)
