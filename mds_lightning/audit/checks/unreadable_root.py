"""The folder of the images cannot be read.

No image can be checked before `cohort.root` is corrected.
"""

from mds_lightning.audit.check import ReadingCheck
from mds_lightning.cohort.finding_kinds import UNREADABLE_ROOT

CHECK = ReadingCheck(UNREADABLE_ROOT)
