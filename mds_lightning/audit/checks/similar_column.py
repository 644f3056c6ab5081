"""The name of a clinical column resembles that of an optional column.

Columns with other names are kept as clinical data. If an optional column was meant, it would have no effect.
"""

from mds_lightning.audit.check import ReadingCheck
from mds_lightning.cohort.finding_kinds import SIMILAR_COLUMN

CHECK = ReadingCheck(SIMILAR_COLUMN)
