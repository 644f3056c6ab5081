"""A required column is missing.

Each row needs an image, the patient whom it shows, and a label.
"""

from mds_lightning.audit.check import ReadingCheck
from mds_lightning.cohort.finding_kinds import MISSING_COLUMN

CHECK = ReadingCheck(MISSING_COLUMN)
