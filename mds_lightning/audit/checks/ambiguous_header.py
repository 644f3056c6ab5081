"""The header has unnamed, repeated or unseparated columns.

It would be unclear which column is meant, so that values could be read from the wrong one.
"""

from mds_lightning.audit.check import ReadingCheck
from mds_lightning.cohort.finding_kinds import AMBIGUOUS_HEADER

CHECK = ReadingCheck(AMBIGUOUS_HEADER)
