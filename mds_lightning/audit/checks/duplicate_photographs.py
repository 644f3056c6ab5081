"""A patient has the same photograph twice.

It counts twice in training and in the mean over the images of the patient. Photographs are compared by their
bytes.
"""

from mds_lightning.audit.duplicate_check import DuplicateCheck
from mds_lightning.cohort.finding_kinds import DUPLICATE_PHOTOGRAPH

CHECK = DuplicateCheck(DUPLICATE_PHOTOGRAPH)
