"""A cell is not a text.

Columns of a Parquet file may contain lists or other objects, which have no defined text.
"""

from mds_lightning.audit.check import ReadingCheck
from mds_lightning.cohort.finding_kinds import NON_TEXT_CELL

CHECK = ReadingCheck(NON_TEXT_CELL)
