"""A clinical column has numbers with commas.

`50,5` is read as 50.5. If every comma could separate thousands (`1,234`), the column is used as text.
"""

from mds_lightning.audit.check import ReadingCheck
from mds_lightning.cohort.finding_kinds import DECIMAL_COMMA

CHECK = ReadingCheck(DECIMAL_COMMA)
