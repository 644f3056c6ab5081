"""The patients cannot be split into folds as requested.

A study would fail at its start for the same reason.
"""

from collections.abc import Iterable
from dataclasses import asdict, dataclass

from mds_lightning.audit.check import AuditedCohort, Check
from mds_lightning.cohort.finding import Finding, FindingKind
from mds_lightning.cohort.patient_splitting import FoldError, patient_table, split_patients


@dataclass(frozen=True)
class ImpossibleSplit(Check):
    """Splits the patients with the parameters of the study."""

    def not_applicable(self, cohort: AuditedCohort) -> str | None:
        """See `Check.not_applicable`."""
        return None if cohort.inspection.cohort is not None else "the manifest has errors"

    def check_cohort(self, cohort: AuditedCohort) -> Iterable[Finding]:
        """See `Check.check_cohort`."""
        assert cohort.inspection.cohort is not None, "see not_applicable"
        try:
            split_patients(patient_table(cohort.inspection.cohort.table), **asdict(cohort.split))
        except FoldError as error:
            yield self.report(cohort, None, "patient_id", error.finding, error.remedy)


CHECK = ImpossibleSplit(FindingKind("MDS027", "error", "The patients cannot be split into folds"))
