"""A patient has a label of the task and another label.

Rows with labels outside the task are not used; the patient may still be labelled wrongly.
"""

from mds_lightning.audit.check import ReadingCheck
from mds_lightning.cohort.finding_kinds import OTHER_LABEL

CHECK = ReadingCheck(OTHER_LABEL)
