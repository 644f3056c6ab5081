import json
from dataclasses import dataclass

from mds_lightning.audit.check import Check
from mds_lightning.audit.check_registry import find_checks
from mds_lightning.cohort.finding import FindingKind

HEADER = "image,patient_id,label\n"


@dataclass(frozen=True)
class _OddRows(Check):
    """A check on images and one on the cohort, as another file would define it."""

    def check_image(self, cohort, image):
        if image.row % 2:
            yield self.report(cohort, image.row, "image", f"row {image.row} is odd", "")

    def check_cohort(self, cohort):
        yield self.report(cohort, None, None, f"{len(cohort.inspection.rows)} rows", "count them")


def test_a_new_check_sees_every_image_and_the_cohort(audit, write_image):
    for number in range(3):
        write_image(f"{number}.png")
    text = HEADER + "0.png,p0,MDS\n1.png,p1,MDS\n2.png,p2,donor\n"
    check = _OddRows(FindingKind("MDS900", "warning", "Odd rows"))
    result = audit(text, [*find_checks(), check], ["MDS026", "MDS027"])
    assert [(found.code, found.row, found.message) for found in result.findings] == [
        ("MDS900", None, "3 rows: count them"),
        ("MDS900", 3, "row 3 is odd"),
    ]
    assert (result.errors, result.warnings, result.failed) == (0, 2, False)
    assert result.shapes == (((10, 20), 3),)
    [outcome] = [one for one in result.outcomes if one.check is check]
    assert (outcome.status, outcome.findings) == ("failed", 2)


def test_an_ignored_check_has_no_findings(audit, write_image):
    write_image("0.png")
    text = HEADER + "0.png,p0,MDS\nabsent.png,p1,donor\n"
    assert "MDS033" in {found.code for found in audit(text).findings}
    result = audit(text, ignored=["MDS033"])
    assert "MDS033" not in {found.code for found in result.findings}
    assert {one.status for one in result.outcomes if one.check.code == "MDS033"} == {"ignored"}


def test_the_result_as_json_has_every_check_and_finding(audit, write_image):
    write_image("0.png")
    result = audit(HEADER + "0.png,p0,MDS\nabsent.png,p1,donor\n")
    record = json.loads(json.dumps(result.to_json()))
    assert [one["code"] for one in record["checks"]] == [check.code for check in find_checks()]
    [missing] = [one for one in record["findings"] if one["code"] == "MDS033"]
    assert missing["file"].endswith("manifest.csv")
    assert (missing["severity"], missing["row"], missing["column"]) == ("error", 3, "image")
    assert "absent.png" in missing["finding"]
    assert missing["remedy"]
    assert record["errors"] == result.errors >= 1
