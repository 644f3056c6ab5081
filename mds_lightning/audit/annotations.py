"""Whether masks and boxes lie on the images that they belong to."""

import json

from mds_lightning.audit.image_decoding import DecodedImage
from mds_lightning.cohort.finding import Complaint
from mds_lightning.cohort.manifest import Inspection
from mds_lightning.cohort.manifest_cells import boxes_fault
from mds_lightning.data.decode import ImageError, image_shape


def annotation_complaints(
    inspection: Inspection, image: DecodedImage, file: str, max_pixels: int
) -> list[Complaint]:
    """A mask that is unreadable or not of the image's size (an error), boxes beyond its edges (a warning).

    Args:
        inspection: Says whether the image's row has a mask or boxes.
        image: Its size; one that could not be decoded is passed over.
        file: The manifest, for the complaints.
        max_pixels: Larger masks are refused by their header.
    """
    if image.shape is None:
        return []
    complaints = []
    height, width = image.shape
    if image.row in inspection.masks:
        try:
            shape = image_shape(inspection.masks[image.row], max_pixels)
        except ImageError as error:
            complaints.append(Complaint("error", file, image.row, "mask", str(error)))
        else:
            if shape != image.shape:
                message = (
                    f"the mask has {shape[1]} x {shape[0]} pixels and the image {width} x {height}: "
                    "draw it on the image itself"
                )
                complaints.append(Complaint("error", file, image.row, "mask", message))
    boxes = inspection.rows.at[image.row, "boxes"] if "boxes" in inspection.rows.columns else ""
    beyond = _first_beyond(str(boxes), image.shape)
    if beyond is not None:
        message = (
            f"the box {beyond} reaches beyond the image's {width} x {height} pixels: "
            "are they another image's?"
        )
        complaints.append(Complaint("warning", file, image.row, "boxes", message))
    return complaints


def _first_beyond(text: str, shape: tuple[int, int]) -> list[float] | None:
    if not text or boxes_fault(text) is not None:
        return None
    height, width = shape
    boxes: list[list[float]] = json.loads(text)
    return next((box for box in boxes if box[2] > width or box[3] > height), None)
