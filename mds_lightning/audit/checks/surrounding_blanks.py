"""A cell or column name has surrounding blanks.

Blanks are removed, because `MDS ` and `MDS` would otherwise be two labels.
"""

from mds_lightning.audit.check import ReadingCheck
from mds_lightning.cohort.finding_kinds import SURROUNDING_BLANKS

CHECK = ReadingCheck(SURROUNDING_BLANKS)
