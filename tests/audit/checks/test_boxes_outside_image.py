import pytest

HEADER = "image,patient_id,label,boxes\n"


@pytest.fixture(autouse=True)
def files(write_image):
    write_image("image.png", 10, 20)


def test_boxes_inside_the_image_are_valid(findings):
    assert findings("MDS053", f'{HEADER}image.png,p,MDS,"[[0, 0, 20, 10], [1.5, 2, 3, 4]]"\n') == []


@pytest.mark.parametrize("boxes", ["[[0, 0, 21, 5]]", "[[0, 0, 1, 1], [3, 3, 10, 10.5]]"])
def test_a_box_outside_the_image_is_a_warning(findings, boxes):
    [(severity, row, column, finding, _)] = findings("MDS053", f'{HEADER}image.png,p,MDS,"{boxes}"\n')
    assert (severity, row, column) == ("warning", 2, "boxes")
    assert "20 x 10 pixels" in finding


def test_invalid_boxes_are_reported_once(findings):
    text = f'{HEADER}image.png,p,MDS,"[[1, 2]]"\n'
    assert findings("MDS053", text) == []
    assert [row for _, row, *_ in findings("MDS012", text)] == [2]
