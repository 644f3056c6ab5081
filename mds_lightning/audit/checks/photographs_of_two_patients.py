"""Two patients have the same photograph.

One of them has a wrong image, and if one is in the training and one in the test set, the model has seen the
test image. Photographs are compared by their bytes.
"""

from mds_lightning.audit.duplicate_check import DuplicateCheck
from mds_lightning.cohort.finding_kinds import PHOTOGRAPH_OF_TWO_PATIENTS

CHECK = DuplicateCheck(PHOTOGRAPH_OF_TWO_PATIENTS)
