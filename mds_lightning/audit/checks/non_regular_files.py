"""A path is not a regular file.

Folders, pipes and devices cannot be read as images.
"""

from mds_lightning.audit.check import ReadingCheck
from mds_lightning.cohort.finding_kinds import NOT_A_FILE

CHECK = ReadingCheck(NOT_A_FILE)
