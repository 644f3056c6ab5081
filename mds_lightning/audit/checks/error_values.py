"""A cell is an error value or stands for an empty cell.

`#REF!`, `#N/A` or `#DIV/0!` is the result of a formula that failed; `nan` or `NULL` in patient_id was an
empty cell in another program. All patients with such an id would be one patient.
"""

from mds_lightning.audit.check import ReadingCheck
from mds_lightning.cohort.finding_kinds import ERROR_VALUE

CHECK = ReadingCheck(ERROR_VALUE)
