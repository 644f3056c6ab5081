HEADER = "image,patient_id,label\n"


def rows(write_image, label, patients):
    names = [f"{label}{number}.png" for number in range(patients)]
    for name in names:
        write_image(name)
    return "".join(f"{name},{name},{label}\n" for name in names)


def test_patients_that_can_be_split_pass(audit, write_image):
    result = audit(HEADER + rows(write_image, "MDS", 4) + rows(write_image, "donor", 4))
    assert {outcome.status for outcome in result.outcomes if outcome.check.code == "MDS027"} == {"passed"}


def test_a_class_without_validation_patients_is_an_error(findings, write_image):
    text = HEADER + rows(write_image, "MDS", 2) + rows(write_image, "donor", 4)
    [(severity, row, column, finding, remedy)] = findings("MDS027", text)
    assert (severity, row, column) == ("error", None, "patient_id")
    assert "too few for training and validation" in finding
    assert "folds.n_splits" in remedy


def test_with_errors_in_the_manifest_the_check_is_not_applicable(audit):
    [outcome] = [one for one in audit(HEADER).outcomes if one.check.code == "MDS027"]
    assert (outcome.status, outcome.reason) == ("not applicable", "the manifest has errors")
