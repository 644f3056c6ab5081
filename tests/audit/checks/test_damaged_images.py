HEADER = "image,patient_id,label\n"


def test_a_truncated_image_is_an_error_with_its_remedy(findings, write_image, tmp_path):
    for name in ("whole.png", "truncated.png"):
        write_image(name)
    path = tmp_path / "truncated.png"
    path.write_bytes(path.read_bytes()[:80])
    [(severity, row, column, finding, remedy)] = findings(
        "MDS050", f"{HEADER}whole.png,p,MDS\ntruncated.png,q,donor\n"
    )
    assert (severity, row, column) == ("error", 3, "image")
    assert "truncated.png: is damaged or truncated" in finding
    assert remedy == "copy it again from its source"


def test_without_images_the_check_is_not_applicable(audit):
    [outcome] = [one for one in audit(HEADER).outcomes if one.check.code == "MDS050"]
    assert (outcome.status, outcome.reason) == ("not applicable", "no image was found")
