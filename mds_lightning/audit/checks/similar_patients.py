"""Two patient ids are probably one patient in two spellings.

`007` and `7`, `12` and `12.0`, `D_5` and `D-5`, or ids that differ in an invisible character: the images of
one patient could be split between training and test set. If they are different patients,
`'cohort.ignore=[MDS028]'` accepts them in all commands.
"""

from mds_lightning.audit.check import ReadingCheck
from mds_lightning.cohort.finding_kinds import SIMILAR_PATIENTS

CHECK = ReadingCheck(SIMILAR_PATIENTS)
