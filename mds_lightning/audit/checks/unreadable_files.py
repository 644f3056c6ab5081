"""An image cannot be read to compare it with others.

Usually its permissions deny access.
"""

from mds_lightning.audit.check import ReadingCheck
from mds_lightning.cohort.finding_kinds import UNREADABLE_FILE

CHECK = ReadingCheck(UNREADABLE_FILE)
