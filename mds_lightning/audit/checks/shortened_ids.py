"""A patient_id is a number that has lost digits.

A spreadsheet writes a long number in scientific notation (`1.23457E+11`) and keeps six of its digits, so that
several patients may have the same id.
"""

from mds_lightning.audit.check import ReadingCheck
from mds_lightning.cohort.finding_kinds import SHORTENED_ID

CHECK = ReadingCheck(SHORTENED_ID)
