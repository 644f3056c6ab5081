import json

import fsspec
import numpy as np
import pytest
from hydra import compose, initialize_config_dir
from PIL import Image

from mds_lightning.cli import conf_directory
from mds_lightning.commands.check import check
from mds_lightning.commands.schema import register_schemas

GOOD = [f"{label}{number}.png,{label}{number},{label}" for label in ("MDS", "donor") for number in range(4)]


@pytest.fixture
def folder(tmp_path):
    """Images of four patients for each class, and faulty ones."""
    images = tmp_path / "images"
    images.mkdir()
    random = np.random.default_rng(0)
    names = [row.split(",")[0] for row in GOOD] + [f"more{number}.png" for number in range(8)]
    for name in names:
        Image.fromarray(random.integers(0, 256, (12, 16, 3), np.uint8)).save(images / name)
    (images / "copy.png").write_bytes((images / "MDS0.png").read_bytes())
    (images / "again.png").write_bytes((images / "donor0.png").read_bytes())
    (images / "cut.png").write_bytes((images / "more0.png").read_bytes()[:300])
    (images / "text.png").write_text("no image")
    (images / "empty.png").touch()
    Image.fromarray(random.integers(0, 256, (400, 400, 3), np.uint8)).save(images / "huge.png")
    (tmp_path / "secret.png").write_bytes(b"secret")
    (images / "link.png").symlink_to(tmp_path / "secret.png")
    return images


@pytest.fixture
def run(folder):
    register_schemas()

    def run(text, *overrides, name="manifest.csv"):
        manifest = folder / name
        if text is not None:
            manifest.write_bytes(text if isinstance(text, bytes) else text.encode())
        with initialize_config_dir(str(conf_directory())):
            return check(
                compose(
                    "check",
                    [f"cohort.manifest={manifest}", "folds.n_splits=2", "data.max_pixels=1000", *overrides],
                )
            )

    return run


def places(result, severity="error"):
    return {(fault.row, fault.column) for fault in result.findings if fault.severity == severity}


def test_every_fault_of_a_manifest_is_reported_at_its_row(run, capsys):
    header = "image,patient_id,label,external,mask,boxes,site,site"
    rows = [row + ",,,,," for row in GOOD]  # Rows 2 to 9.
    faults = {
        10: ("more1.png,MDS0,donor,,,,,", "label", "'donor' here and 'MDS' in row 2"),
        11: ("MDS0.png,MDS0,MDS,,,,,", "image", "already in row 2"),
        12: ("./a/../MDS1.png,MDS1,MDS,,,,,", "image", "already in row 3"),
        13: ("MDS2.png,MDS3,MDS,,,,,", "image", "under patient 'MDS2' and here under 'MDS3'"),
        14: ("copy.png,MDS1,MDS,,,,,", "image", "same bytes"),
        15: ("absent.png,MDS1,MDS,,,,,", "image", "is not under"),
        16: ("empty.png,MDS1,MDS,,,,,", "image", "0 bytes"),
        17: ("../secret.png,MDS1,MDS,,,,,", "image", "leads outside"),
        18: ("/etc/hostname,MDS1,MDS,,,,,", "image", "is absolute"),
        19: ("link.png,MDS1,MDS,,,,,", "image", "leads outside"),
        20: ("cut.png,MDS1,MDS,,,,,", "image", "truncated"),
        21: ("text.png,MDS1,MDS,,,,,", "image", "JPEG, PNG, TIFF, BMP or WebP"),
        22: ("huge.png,MDS1,MDS,,,,,", "image", "data.max_pixels=1000"),
        23: (",MDS1,MDS,,,,,", "image", "is empty"),
        24: ("more2.png,,MDS,,,,,", "patient_id", "is empty"),
        25: ("more3.png,MDS1,,,,,,", "label", "is empty"),
        26: ("more4.png,MDS1,MDS,perhaps,,,,", "external", "'perhaps'"),
        27: ("more5.png,MDS1,MDS,yes,,,,", "external", "a patient has one external"),
        28: ('more6.png,MDS1,MDS,,nomask.png,"[[1,2]]",,', "mask", "is not under"),
        29: ("more7.png,MDS1,MDS", None, "3 cells where the header has 8"),
        1: ("", "site", "2 times in the header"),
    }
    rows += [faults[row][0] for row in sorted(faults) if row > 1]
    result = run("\n".join([header, *rows, ""]), "folds.n_splits=5", "task=mds_vs_aml")
    assert result.failed
    for row, (_, column, message) in faults.items():
        said = [fault.message for fault in result.findings if (fault.row, fault.column) == (row, column)]
        assert any(message in text for text in said), (row, said)
    assert (28, "boxes") in places(result)
    whole = [fault.message for fault in result.findings if fault.row is None]
    assert any("'AML'" in message and "'MDS', 'donor'" in message for message in whole)
    assert any(
        "'MDS' has fewer patients that are not external (4)" in message and "folds.n_splits=5" in message
        for message in whole
    )
    # There are no findings on valid rows.
    assert not {row for row, _ in places(result) if row is not None} - set(faults)
    shown = capsys.readouterr().out
    for row, (_, _, message) in faults.items():
        assert any(f" {row} " in line and message in line for line in shown.splitlines()), (row, message)
    assert f"{result.errors} errors, {result.warnings} warning" in shown


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (None, "does not exist"),
        (b"", "is empty"),
        ("image,patient_id,label\n", "no rows"),
        ("picture|patient_id|label\n", "separated by commas, semicolons or tabs"),
        ("\n".join(["image,patient_id,label", *GOOD]).encode("utf-16"), "CSV UTF-8"),
        ("\n".join(["image,patient_id,label", *GOOD, "\u00fc.png,p,MDS"]).encode("latin-1"), "CSV UTF-8"),
        ("\n".join(["image,patient,label", *GOOD]), "rename 'patient' to 'patient_id'"),
    ],
)
def test_a_manifest_that_cannot_be_read_is_one_line(run, capsys, text, message):
    result = run(text)
    assert result.failed
    assert any(message in line and "error" in line for line in capsys.readouterr().out.splitlines())


def test_a_valid_cohort_is_summarised(run, capsys):
    rows = [f"{row},A," for row in GOOD] + [
        "more0.png,x0,MDS,B,yes",
        "more1.png,AML0,AML,A,",
        "more2.png,AML0,AML,A,",
    ]
    result = run("\n".join(["image,patient_id,label,site,external", *rows]))
    assert not result.failed
    assert result.errors == 0
    shown = [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()]
    assert "MDS A 4 4 0 0" in shown
    assert "MDS B 0 0 1 1" in shown
    assert "donor A 4 4 0 0" in shown
    assert "AML A 1 2 0 0 not used: not a class of the task" in shown
    assert "16 x 12 11" in shown
    assert any(line.endswith("0 errors, 0 warnings") for line in shown)


def test_warnings_alone_do_not_fail(run, capsys):
    rows = [*GOOD, "again.png,donor0,donor"]
    result = run("\n".join(["image,patient_id,label", *rows]))
    assert not result.failed
    assert places(result, "warning") == {(10, "image")}
    assert "0 errors, 1 warning" in capsys.readouterr().out


def test_patients_that_cannot_be_split_are_an_error(run):
    text = "\n".join(["image,patient_id,label", *GOOD[:2], *GOOD[4:]])
    result = run(text)
    assert [fault.column for fault in result.findings] == ["patient_id"]
    assert "too few for training and validation" in result.findings[0].message


def test_brackets_in_names_are_shown_as_they_are(run, capsys):
    run("\n".join(["image,patient_id,label", *GOOD, "[red]x[/red].png,MDS0,MDS"]))
    assert "[red]x[/red].png" in capsys.readouterr().out


def test_a_remote_folder_is_checked_as_one_on_a_disk(run, folder, tmp_path):
    rows = [
        "image,patient_id,label,mask", *(f"{row}," for row in GOOD), "copy.png,MDS0,MDS,",
        "again.png,MDS3,MDS,", "cut.png,MDS1,MDS,",
        "text.png,MDS1,MDS,", "huge.png,MDS1,MDS,", "more1.png,MDS2,MDS,more2.png",
        "more3.png,MDS2,MDS,text.png", "absent.png,MDS2,MDS,",
    ]  # fmt: skip
    local = run("\n".join([*rows, ""]))
    url = f"memory://{tmp_path.name}"
    filesystem = fsspec.filesystem("memory")
    for path in folder.iterdir():
        filesystem.pipe_file(f"{url}/{path.name}", path.read_bytes())
    remote = run("\n".join([*rows, ""]), f"cohort.root={url}")
    assert {fault.row for fault in local.findings} == {10, 11, 12, 13, 14, 16, 17}

    def reported(result, root):
        return {(one.code, one.row, one.message.replace(str(root), "ROOT")) for one in result.findings}

    assert reported(remote, url) == reported(local, folder)
    assert remote.shapes == local.shapes
    assert remote.groups == local.groups


def test_all_codes_are_listed_and_findings_show_code_and_remedy(run, capsys):
    run("\n".join(["image,patient_id,label", *GOOD, "absent.png,donor0,donor"]))
    lines = [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()]
    codes = [line.split()[0] for line in lines if line.startswith("MDS") and " error " in line]
    assert {"MDS001", "MDS020", "MDS050"} <= set(codes)
    [found] = [line for line in lines if line.startswith("MDS033 error") and "absent.png" in line]
    assert "10 image" in found
    assert found.endswith("restore the file, or remove the row")


def test_an_ignored_check_neither_fails_nor_is_shown(run, capsys):
    text = "\n".join(["image,patient_id,label", *GOOD, "absent.png,donor0,donor"])
    result = run(text, "ignore=[MDS033]")
    assert not result.failed
    shown = capsys.readouterr().out
    assert "absent.png" not in shown
    assert any(
        line.split()[:1] == ["MDS033"] and line.rstrip().endswith("ignored") for line in shown.splitlines()
    )


def test_an_unknown_code_is_refused_with_the_nearest_one(run):
    with pytest.raises(ValueError, match="there is no check MDS33; did you mean MDS033"):
        run("\n".join(["image,patient_id,label", *GOOD]), "ignore=[MDS33]")


def test_the_result_is_written_as_json(run, tmp_path):
    output = tmp_path / "audit" / "result.json"
    result = run("\n".join(["image,patient_id,label", *GOOD, "cut.png,donor0,donor"]), f"output={output}")
    record = json.loads(output.read_text())
    assert record == result.to_json()
    [found] = record["findings"]
    assert (found["code"], found["severity"], found["row"]) == ("MDS050", "error", 10)
    assert found["remedy"] == "copy it again from its source"


def test_ids_of_one_patient_are_an_error_that_either_key_ignores(run):
    rows = [f"MDS{number}.png,{patient},MDS" for number, patient in enumerate(("7", "007", "8", "9"))]
    text = "\n".join(["image,patient_id,label", *rows, *GOOD[4:]]) + "\n"
    result = run(text)
    assert [(found.code, found.row, found.severity) for found in result.findings] == [("MDS028", 3, "error")]
    for override in ("ignore=[MDS028]", "cohort.ignore=[MDS028]"):
        assert not run(text, override).findings
