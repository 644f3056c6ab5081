"""A cell of the column boxes is not a list of boxes.

Boxes mark findings in an image; localization of explanations is measured on them.
"""

from mds_lightning.audit.check import ReadingCheck
from mds_lightning.cohort.finding_kinds import INVALID_BOXES

CHECK = ReadingCheck(INVALID_BOXES)
