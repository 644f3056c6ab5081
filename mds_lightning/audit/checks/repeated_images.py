"""An image is listed twice.

It would count twice, or belong to two patients, one of whom may be in the training and one in the test set.
"""

from mds_lightning.audit.check import ReadingCheck
from mds_lightning.cohort.finding_kinds import REPEATED_IMAGE

CHECK = ReadingCheck(REPEATED_IMAGE)
