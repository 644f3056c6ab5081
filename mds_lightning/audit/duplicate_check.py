"""The base of checks for duplicate photographs, local and remote."""

from collections.abc import Iterable
from dataclasses import dataclass

from mds_lightning.audit.check import AuditedCohort, ReadingCheck
from mds_lightning.cohort.duplicate_images import find_duplicate_contents
from mds_lightning.cohort.finding import Finding


@dataclass(frozen=True)
class DuplicateCheck(ReadingCheck):
    """Findings of comparing files; for remote images, of comparing the bytes read for decoding.

    Local files are compared when the manifest is read. Remote files are too slow to be read for that alone.
    """

    def check_cohort(self, cohort: AuditedCohort) -> Iterable[Finding]:
        """See `Check.check_cohort`."""
        yield from super().check_cohort(cohort)
        for finding in find_duplicate_contents(cohort.content_of, cohort.inspection.rows, cohort.manifest):
            if finding.kind == self.kind:
                yield finding
