"""A path leads outside the folder of the images.

Such a cohort cannot be moved to another machine, and a manifest from elsewhere could read any file.
"""

from mds_lightning.audit.check import ReadingCheck
from mds_lightning.cohort.finding_kinds import PATH_OUTSIDE_ROOT

CHECK = ReadingCheck(PATH_OUTSIDE_ROOT)
