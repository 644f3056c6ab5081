"""A box extends beyond its image.

The boxes may belong to another image, or to the image at another size.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass

from mds_lightning.audit.check import AuditedCohort, Check
from mds_lightning.audit.image_decoding import DecodedImage
from mds_lightning.cohort.finding import Finding, FindingKind
from mds_lightning.cohort.manifest_cells import boxes_fault


@dataclass(frozen=True)
class BoxesOutsideImage(Check):
    """Compares every box with the size of its image; invalid boxes are reported by another check."""

    def not_applicable(self, cohort: AuditedCohort) -> str | None:
        """See `Check.not_applicable`."""
        return None if "boxes" in cohort.inspection.rows.columns else "there are no boxes"

    def check_image(self, cohort: AuditedCohort, image: DecodedImage) -> Iterable[Finding]:
        """See `Check.check_image`; reports the first such box of each image."""
        text = str(cohort.inspection.rows.at[image.row, "boxes"])
        if not text or image.shape is None or boxes_fault(text) is not None:
            return
        height, width = image.shape
        boxes: list[list[float]] = json.loads(text)
        outside = next((box for box in boxes if box[2] > width or box[3] > height), None)
        if outside is not None:
            finding = f"the box {outside} extends beyond the image of {width} x {height} pixels"
            yield self.report(cohort, image.row, "boxes", finding, "check whether it belongs to this image")


CHECK = BoxesOutsideImage(FindingKind("MDS053", "warning", "A box extends beyond its image"))
