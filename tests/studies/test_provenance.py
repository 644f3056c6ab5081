import json
from importlib.metadata import version

from mds_lightning.studies.provenance import write_provenance


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
