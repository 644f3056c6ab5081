"""The manifest cannot be read.

It does not exist, access is denied, or it is not a Parquet file or a CSV file in UTF-8. Rows after an
unclosed double quote cannot be read either.
"""

from mds_lightning.audit.check import ReadingCheck
from mds_lightning.cohort.finding_kinds import UNREADABLE_MANIFEST

CHECK = ReadingCheck(UNREADABLE_MANIFEST)
