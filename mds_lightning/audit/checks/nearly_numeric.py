"""A clinical column of numbers has other cells.

`unknown` or `65+` in a column of ages. If three quarters of the cells are numbers, the others count as
missing; otherwise the whole column is used as text.
"""

from mds_lightning.audit.check import ReadingCheck
from mds_lightning.cohort.finding_kinds import NEARLY_NUMERIC

CHECK = ReadingCheck(NEARLY_NUMERIC)
