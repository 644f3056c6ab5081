"""An image cannot be decoded.

It is damaged, truncated, too large or in an unsupported format, or its stain cannot be normalised as
requested.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from mds_lightning.audit.check import AuditedCohort, Check
from mds_lightning.audit.image_decoding import DecodedImage
from mds_lightning.cohort.finding import Finding, FindingKind


@dataclass(frozen=True)
class DamagedImages(Check):
    """Decodes every image completely; the header alone does not show that a file is truncated."""

    def not_applicable(self, cohort: AuditedCohort) -> str | None:
        """See `Check.not_applicable`."""
        return None if cohort.inspection.images else "no image was found"

    def check_image(self, cohort: AuditedCohort, image: DecodedImage) -> Iterable[Finding]:
        """See `Check.check_image`."""
        if image.finding is not None:
            yield self.report(cohort, image.row, "image", image.finding, image.remedy)


CHECK = DamagedImages(FindingKind("MDS050", "error", "An image cannot be decoded"))
