"""A cell of the column external is neither true nor false.

External patients are never used for training, so that the value must be unambiguous.
"""

from mds_lightning.audit.check import ReadingCheck
from mds_lightning.cohort.finding_kinds import INVALID_EXTERNAL

CHECK = ReadingCheck(INVALID_EXTERNAL)
