"""Two rows name the same file by different paths.

The photograph would count twice.
"""

from mds_lightning.audit.check import ReadingCheck
from mds_lightning.cohort.finding_kinds import SAME_FILE

CHECK = ReadingCheck(SAME_FILE)
