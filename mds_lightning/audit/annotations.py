"""Whether masks and boxes lie on the images that they belong to."""

import json
from collections.abc import Iterable

from mds_lightning.audit.files import DecodedImage
from mds_lightning.cohort.cells import boxes_fault
from mds_lightning.cohort.complaint import Complaint
from mds_lightning.cohort.consistency import texts
from mds_lightning.cohort.manifest import Inspection
from mds_lightning.data.decode import ImageError, image_shape


def annotation_complaints(
    inspection: Inspection, images: Iterable[DecodedImage], file: str, max_pixels: int
) -> list[Complaint]:
    """Masks that are unreadable or not of the image's size (errors), boxes beyond its edges (warnings).

    Args:
        inspection: Says which rows have a mask or boxes.
        images: Sizes of the images; those that could not be decoded are passed over.
        file: The manifest, for the complaints.
        max_pixels: Larger masks are refused by their header.
    """
    boxes = texts(inspection.rows, "boxes")
    complaints = []
    for image in images:
        if image.shape is None:
            continue
        if image.row in inspection.masks:
            try:
                shape = image_shape(inspection.masks[image.row], max_pixels)
            except ImageError as error:
                complaints.append(Complaint("error", file, image.row, "mask", str(error)))
            else:
                if shape != image.shape:
                    message = (
                        f"the mask has {shape[1]} x {shape[0]} pixels and the image {image.shape[1]} x "
                        f"{image.shape[0]}: draw it on the image itself"
                    )
                    complaints.append(Complaint("error", file, image.row, "mask", message))
        beyond = _first_beyond(boxes[image.row], image.shape)
        if beyond is not None:
            message = (
                f"the box {beyond} reaches beyond the image's {image.shape[1]} x {image.shape[0]} pixels: "
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
