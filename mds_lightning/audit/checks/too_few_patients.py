"""A class has fewer patients than there are folds.

Every fold needs at least one test patient of each class.
"""

from mds_lightning.audit.check import ReadingCheck
from mds_lightning.cohort.finding_kinds import TOO_FEW_PATIENTS

CHECK = ReadingCheck(TOO_FEW_PATIENTS)
