"""An image or a mask does not exist.

The finding suggests the most similar name in the same folder.
"""

from mds_lightning.audit.check import ReadingCheck
from mds_lightning.cohort.finding_kinds import MISSING_FILE

CHECK = ReadingCheck(MISSING_FILE)
