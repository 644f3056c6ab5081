"""A mask cannot be decoded.

Masks mark the cells of an image; localization of explanations is measured on them.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from mds_lightning.audit.check import AuditedCohort, Check
from mds_lightning.audit.image_decoding import DecodedImage
from mds_lightning.cohort.finding import Finding, FindingKind
from mds_lightning.data.decode import ImageError


@dataclass(frozen=True)
class DamagedMasks(Check):
    """Reads the header of every mask."""

    def not_applicable(self, cohort: AuditedCohort) -> str | None:
        """See `Check.not_applicable`."""
        return None if cohort.inspection.masks else "there are no masks"

    def check_image(self, cohort: AuditedCohort, image: DecodedImage) -> Iterable[Finding]:
        """See `Check.check_image`; undecodable images are skipped, since they are not used."""
        shape = cohort.mask_shape(image.row) if image.shape is not None else None
        if isinstance(shape, ImageError):
            yield self.report(cohort, image.row, "mask", shape.finding, shape.remedy)


CHECK = DamagedMasks(FindingKind("MDS051", "error", "A mask cannot be decoded"))
