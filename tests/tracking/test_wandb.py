"""W&B's files are read back with W&B's own reader."""

import pytest
import wandb
import yaml

from mds_lightning.tracking.wandb import closing_run, fold_logger

from .wandb_files import read_records


def _read(run_directory):
    """The run's record, the values of val/auroc in its history, and its exit code."""
    records = read_records(run_directory)
    [run] = [record["run"] for record in records if record["type"] == "run"]
    values = [record["history"]["item"]["val/auroc"] for record in records if record["type"] == "history"]
    [exit_code] = [record["exit"].get("exit_code", 0) for record in records if record["type"] == "exit"]
    return run, values, exit_code


def _job(tmp_path, fold, value, fails=False):
    directory = tmp_path / f"fold-{fold}"
    with closing_run():
        logger = fold_logger(directory, study="study", name=f"resnet18/fold-{fold}", tags=["mds_vs_donor"])
        logger.log_metrics({"val/auroc": value})
        if fails:
            raise RuntimeError("the job breaks")
    return directory


def test_two_jobs_of_a_process_are_two_runs_even_when_the_first_raises(tmp_path, monkeypatch):
    monkeypatch.setenv("WANDB_SILENT", "true")
    with pytest.raises(RuntimeError, match="the job breaks"):
        _job(tmp_path, 0, 0.25, fails=True)
    assert wandb.run is None
    _job(tmp_path, 1, 0.75)
    assert wandb.run is None
    first, first_values, first_exit = _read(tmp_path / "fold-0")
    second, second_values, second_exit = _read(tmp_path / "fold-1")
    assert first["run_id"] != second["run_id"]
    assert (first["run_group"], second["run_group"]) == ("study", "study")
    assert (first["display_name"], second["display_name"]) == ("resnet18/fold-0", "resnet18/fold-1")
    assert (first_values, second_values) == ([0.25], [0.75])
    assert (first_exit, second_exit) == (1, 0)


def test_a_continued_fold_keeps_its_run_id(tmp_path):
    first = fold_logger(tmp_path, study="s", name="n")
    again = fold_logger(tmp_path, study="s", name="n")
    assert first.version == again.version


def test_a_run_tells_variant_fold_and_settings_but_no_paths(tmp_path, monkeypatch):
    monkeypatch.setenv("WANDB_SILENT", "true")
    settings = {
        "variant": "trial-0",
        "fold": 3,
        "hpo": {"trial": 0, "study": "s"},
        "backbone": {"name": "resnet18"},
        "cohort": {"manifest": "patients.csv"},
        "paths": {"runs": "runs"},
    }
    (tmp_path / "config.yaml").write_text(yaml.safe_dump(settings))
    with closing_run():
        fold_logger(tmp_path, study="s", name="n").log_metrics({"val/auroc": 0.5})
    run, _, _ = _read(tmp_path)
    config = {key: value for key, value in run["config"]["update"].items() if key != "_wandb"}
    kept = {"fold": 3, "backbone": {"name": "resnet18"}}
    assert config == {"variant": "trial-0", "fold": 3, "settings": kept}
    assert run["job_type"] == "trial"
