import numpy as np
import pytest
from PIL import Image

from mds_lightning.audit.annotations import annotation_complaints
from mds_lightning.audit.image_decoding import decode_images
from mds_lightning.cohort.manifest import inspect_manifest
from mds_lightning.cohort.task import Task


@pytest.fixture
def complain(tmp_path):
    """Complaints on an image of 20 x 10 pixels with the mask and boxes that are given."""
    for name, size in (("image", (20, 10)), ("fits", (20, 10)), ("turned", (10, 20))):
        Image.fromarray(np.zeros(size[::-1], np.uint8)).save(tmp_path / f"{name}.png")
    (tmp_path / "text.png").write_text("no image")

    def complain(mask="", boxes=""):
        manifest = tmp_path / "manifest.csv"
        manifest.write_text(f'image,patient_id,label,mask,boxes\nimage.png,p,MDS,{mask},"{boxes}"\n')
        inspection = inspect_manifest(manifest, Task("t", ("donor", "MDS")))
        return [
            (fault.severity, fault.row, fault.column, fault.message)
            for image in decode_images(inspection.images, 1000, workers=1, progress=False)
            for fault in annotation_complaints(inspection, image, str(manifest), 1000)
        ]

    return complain


def test_masks_and_boxes_that_fit_are_no_fault(complain):
    assert complain() == []
    assert complain("fits.png", "[[0, 0, 20, 10], [1.5, 2, 3, 4]]") == []


@pytest.mark.parametrize(
    ("mask", "message"),
    [
        ("turned.png", "the mask has 10 x 20 pixels and the image 20 x 10"),
        ("text.png", "is not a readable JPEG"),
    ],
)
def test_a_mask_that_does_not_fit_is_an_error(complain, mask, message):
    [(severity, row, column, said)] = complain(mask)
    assert (severity, row, column) == ("error", 2, "mask")
    assert message in said


@pytest.mark.parametrize("boxes", ["[[0, 0, 21, 5]]", "[[0, 0, 1, 1], [3, 3, 10, 10.5]]"])
def test_a_box_beyond_the_image_is_remarked(complain, boxes):
    [(severity, row, column, said)] = complain(boxes=boxes)
    assert (severity, row, column) == ("warning", 2, "boxes")
    assert "20 x 10 pixels" in said


def test_what_the_schema_refuses_is_not_said_twice(complain):
    assert complain("absent.png", "[[1, 2]]") == []
