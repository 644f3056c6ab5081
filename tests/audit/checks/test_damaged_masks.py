import pytest

HEADER = "image,patient_id,label,mask\n"


@pytest.fixture(autouse=True)
def files(write_image, tmp_path):
    write_image("image.png")
    write_image("mask.png")
    (tmp_path / "text.png").write_text("no image")


def test_a_mask_that_can_be_decoded_is_valid(findings):
    assert findings("MDS051", f"{HEADER}image.png,p,MDS,mask.png\n") == []


def test_a_mask_that_cannot_be_decoded_is_an_error(findings):
    text = f"{HEADER}image.png,p,MDS,text.png\n"
    [(severity, row, column, finding, remedy)] = findings("MDS051", text)
    assert (severity, row, column) == ("error", 2, "mask")
    assert "is not a readable JPEG" in finding
    assert remedy == "export it again as one of them"
    assert findings("MDS052", text) == []


def test_a_missing_mask_is_reported_once(findings):
    text = f"{HEADER}image.png,p,MDS,absent.png\n"
    assert findings("MDS051", text) == []
    assert [row for _, row, *_ in findings("MDS033", text)] == [2]


def test_without_masks_the_check_is_not_applicable(audit):
    result = audit(f"{HEADER}image.png,p,MDS,\n")
    outcomes = {outcome.check.code: outcome for outcome in result.outcomes}
    assert outcomes["MDS051"].status == outcomes["MDS052"].status == "not applicable"
    assert outcomes["MDS051"].reason == "there are no masks"
