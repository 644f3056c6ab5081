"""An image or a mask is an empty file.

Usually copying it was interrupted.
"""

from mds_lightning.audit.check import ReadingCheck
from mds_lightning.cohort.finding_kinds import EMPTY_FILE

CHECK = ReadingCheck(EMPTY_FILE)
