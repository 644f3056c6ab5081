"""A required cell is empty.

A row without image, patient or label cannot be used, and it is unknown whose images belong together.
"""

from mds_lightning.audit.check import ReadingCheck
from mds_lightning.cohort.finding_kinds import EMPTY_CELL

CHECK = ReadingCheck(EMPTY_CELL)
