"""Two patients, labels or sites differ only in case or blanks.

If they are the same, the images of one patient could be split between training and test set.
"""

from mds_lightning.audit.check import ReadingCheck
from mds_lightning.cohort.finding_kinds import SIMILAR_VALUES

CHECK = ReadingCheck(SIMILAR_VALUES)
