import json
from importlib.metadata import version

import pytest

from mds_lightning.studies.provenance import FORMAT, FormatError, read_provenance, write_provenance


def test_the_record_holds_the_facts_and_the_versions_in_use(tmp_path, monkeypatch):
    monkeypatch.setattr("sys.argv", ["mds-lightning", "train", "fold=1"])
    write_provenance(tmp_path / "provenance.json", {"seed": 3, "cohort_hash": "abc"})
    record = json.loads((tmp_path / "provenance.json").read_text())
    assert record["seed"] == 3
    assert record["cohort_hash"] == "abc"
    assert record["command"] == ["mds-lightning", "train", "fold=1"]
    assert record["packages"]["torch"] == version("torch")


def test_a_foreign_repository_around_the_package_is_not_taken_for_its_own(tmp_path, monkeypatch):
    import subprocess

    from mds_lightning.studies import provenance

    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)
    installed = tmp_path / "site-packages" / "provenance.py"
    installed.parent.mkdir()
    installed.touch()
    monkeypatch.setattr(provenance, "__file__", str(installed))
    write_provenance(tmp_path / "p.json", {})
    assert json.loads((tmp_path / "p.json").read_text())["git"] is None


def test_a_study_of_a_later_version_is_refused_with_that_version(tmp_path):
    path = tmp_path / "provenance.json"
    write_provenance(path, {"seed": 0})
    assert read_provenance(path)["format"] == FORMAT
    path.write_text(json.dumps({"format": FORMAT + 1, "packages": {"mds-lightning": "9.1.0"}}))
    with pytest.raises(FormatError, match=rf"format {FORMAT + 1}, written by mds-lightning 9\.1\.0"):
        read_provenance(path)


def test_a_record_without_a_format_is_read(tmp_path):
    path = tmp_path / "provenance.json"
    path.write_text(json.dumps({"seed": 0}))
    assert read_provenance(path) == {"seed": 0}
    assert read_provenance(tmp_path / "missing.json") == {}
