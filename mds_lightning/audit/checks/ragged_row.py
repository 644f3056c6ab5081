"""A row has another number of cells than the header.

Values after an unquoted delimiter would be assigned to the wrong columns.
"""

from mds_lightning.audit.check import ReadingCheck
from mds_lightning.cohort.finding_kinds import RAGGED_ROW

CHECK = ReadingCheck(RAGGED_ROW)
