import pytest

HEADER = "image,patient_id,label,mask\n"


@pytest.fixture(autouse=True)
def files(write_image):
    for name, height, width in (("image.png", 10, 20), ("fits.png", 10, 20), ("rotated.png", 20, 10)):
        write_image(name, height, width)


def test_a_mask_of_the_size_of_its_image_is_valid(findings):
    assert findings("MDS052", f"{HEADER}image.png,p,MDS,fits.png\n") == []


def test_a_mask_of_another_size_is_an_error(findings):
    [(severity, row, column, finding, remedy)] = findings("MDS052", f"{HEADER}image.png,p,MDS,rotated.png\n")
    assert (severity, row, column) == ("error", 2, "mask")
    assert finding == "the mask has 10 x 20 pixels and the image 20 x 10"
    assert remedy == "draw the mask on the image itself"
