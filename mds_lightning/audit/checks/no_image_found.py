"""None of the images is in the folder of the images.

Usually `cohort.root` is not the folder that the paths are relative to.
"""

from mds_lightning.audit.check import ReadingCheck
from mds_lightning.cohort.finding_kinds import NO_IMAGE_FOUND

CHECK = ReadingCheck(NO_IMAGE_FOUND)
