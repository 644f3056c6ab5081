"""An optional column is misspelt.

A column such as `External` instead of `external` would be ignored, and external patients would be used for
training.
"""

from mds_lightning.audit.check import ReadingCheck
from mds_lightning.cohort.finding_kinds import MISSPELT_COLUMN

CHECK = ReadingCheck(MISSPELT_COLUMN)
