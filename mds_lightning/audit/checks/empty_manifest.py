"""The manifest has no header or no rows.

A study needs at least the columns image, patient_id and label, and one row for each image.
"""

from mds_lightning.audit.check import ReadingCheck
from mds_lightning.cohort.finding_kinds import EMPTY_MANIFEST

CHECK = ReadingCheck(EMPTY_MANIFEST)
