"""A mask and its image have different sizes.

Each pixel of a mask describes the pixel of the image at the same position.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from mds_lightning.audit.check import AuditedCohort, Check
from mds_lightning.audit.image_decoding import DecodedImage
from mds_lightning.cohort.finding import Finding, FindingKind


@dataclass(frozen=True)
class MaskSizes(Check):
    """Compares the size of every mask with that of its image."""

    def not_applicable(self, cohort: AuditedCohort) -> str | None:
        """See `Check.not_applicable`."""
        return None if cohort.inspection.masks else "there are no masks"

    def check_image(self, cohort: AuditedCohort, image: DecodedImage) -> Iterable[Finding]:
        """See `Check.check_image`; undecodable masks are reported by another check."""
        shape = cohort.mask_shape(image.row) if image.shape is not None else None
        if image.shape is not None and isinstance(shape, tuple) and shape != image.shape:
            mask_size, image_size = (f"{width} x {height}" for height, width in (shape, image.shape))
            finding = f"the mask has {mask_size} pixels and the image {image_size}"
            yield self.report(cohort, image.row, "mask", finding, "draw the mask on the image itself")


CHECK = MaskSizes(FindingKind("MDS052", "error", "A mask and its image have different sizes"))
