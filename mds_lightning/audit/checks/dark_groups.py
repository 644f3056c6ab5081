"""All images of a label or a site are dark.

No sample exceeds a sixteenth of its range, as if 12-bit samples were stored in 16 bits. If only one class or
site is stored so, the network can recognise it without looking at a cell.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from mds_lightning.audit.check import AuditedCohort, Check
from mds_lightning.cohort.finding import Finding, FindingKind

#: Brightest 8-bit sample of an image that does not exceed a sixteenth of its range.
_DARK = 15


@dataclass(frozen=True)
class DarkGroups(Check):
    """Compares the brightest samples of the images of each label and each site."""

    def not_applicable(self, cohort: AuditedCohort) -> str | None:
        """See `Check.not_applicable`."""
        return None if cohort.inspection.images else "no image was found"

    def check_cohort(self, cohort: AuditedCohort) -> Iterable[Finding]:
        """See `Check.check_cohort`."""
        rows = cohort.inspection.rows.loc[list(cohort.brightest)]
        for column in (name for name in ("label", "site") if name in rows.columns):
            for value, members in rows[rows[column] != ""].groupby(column):
                brightest = max(cohort.brightest[row] for row in members.index)
                if brightest <= _DARK:
                    finding = (
                        f"no sample of the {len(members)} images of {column} '{value}' exceeds a sixteenth "
                        f"of its range (the brightest is {brightest} of 255), like 12 bits stored in 16"
                    )
                    remedy = "export all images of the cohort alike, with their full range (or 8 bits)"
                    yield self.report(cohort, int(members.index[0]), column, finding, remedy)


CHECK = DarkGroups(FindingKind("MDS054", "warning", "All images of a label or a site are dark"))
