import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import optuna
import pandas as pd
import pytest

from mds_lightning.search.store import open_store

from ..forking import fork, wait_until


def _runs(folder, study="small"):
    return sorted((folder / "runs" / study / "squeezenet1_1").glob("fold-*"))


def test_a_study_leaves_the_layout_that_others_read(workplace):
    assert (workplace / "runs/small/folds.json").is_file()
    assert [run.name for run in _runs(workplace)] == ["fold-0", "fold-1"]
    for run in _runs(workplace):
        written = {str(path.relative_to(run)) for path in run.rglob("*") if path.is_file()}
        assert {
            "config.yaml", "provenance.json", "metrics.csv", "predictions.parquet", "recalibration.json",
            "done.json", "checkpoints/best.ckpt", "checkpoints/last.ckpt",
        } <= written  # fmt: skip
        maps = [Path(name) for name in written if name.startswith("occlusion/")]
        assert sorted(path.suffix for path in maps) == [".npz", ".npz", ".png", ".png"]
        assert not [name for name in written if Path(name).name.startswith(".")]


def test_every_internal_image_is_tested_once_and_externals_by_every_fold(workplace):
    rows = pd.concat([pd.read_parquet(run / "predictions.parquet") for run in _runs(workplace)])
    test = rows[rows["split"] == "test"]
    assert len(test) == test["image"].nunique() == 8 * 2 + 8
    assert not (
        set(test.loc[test["fold"] == 0, "patient_id"]) & set(test.loc[test["fold"] == 1, "patient_id"])
    )
    external = rows[rows["split"] == "external"]
    assert external.groupby("image")["fold"].apply(sorted).tolist() == [[0, 1]] * external["image"].nunique()
    np.testing.assert_allclose(rows["prob_MDS"] + rows["prob_donor"], 1, atol=1e-6)


def test_only_test_images_are_explained(workplace):
    for run in _runs(workplace):
        rows = pd.read_parquet(run / "predictions.parquet")
        tested = set(rows.loc[rows["split"] == "test", "image"])
        for path in run.glob("occlusion/*.npz"):
            with np.load(path, allow_pickle=False) as record:
                assert str(record["image"]) in tested
                assert record["importance"].min() >= 0
                assert record["importance"].max() <= 1


def test_a_finished_study_is_not_trained_again(workplace, mds_lightning, small):
    before = {run.name: (run / "predictions.parquet").stat().st_mtime_ns for run in _runs(workplace)}
    began = time.monotonic()
    again = mds_lightning("train", "-m", "study=small", *small, cwd=workplace)
    assert again.returncode == 0, again.stderr
    assert "is complete" in again.stderr
    assert {run.name: (run / "predictions.parquet").stat().st_mtime_ns for run in _runs(workplace)} == before
    assert time.monotonic() - began < 120


def test_other_settings_do_not_continue_a_run(workplace, mds_lightning, small):
    refused = mds_lightning(
        "train", "study=small", *small, "classifier.learning_rate=0.5", "fold=0", cwd=workplace
    )
    assert refused.returncode == 2
    assert "classifier.learning_rate: 0.003 there, 0.5 now" in refused.stderr
    assert "Traceback" not in refused.stderr


@pytest.mark.parametrize("kills", [2])
def test_a_run_that_is_killed_and_moved_ends_bit_for_bit_as_if_it_had_not_been(
    workplace, environment, mds_lightning, small, tmp_path, kills
):
    epochs = kills + 2
    settings = [
        "fold=1", *small, f"trainer.max_epochs={epochs}", "classifier.dropout=0.3", "data.num_workers=2"
    ]  # fmt: skip
    program = Path(sys.executable).with_name("mds-lightning")
    log = tmp_path / "log"
    run = workplace / f"runs/killed-{kills}/squeezenet1_1/fold-1"
    delays = np.random.default_rng(2026).uniform(0, 0.4, size=kills)
    for kill, delay in enumerate(delays, start=1):
        command = ("train", f"study=killed-{kills}", *settings)
        process = fork(program, *command, home=workplace, stdout=log, environment=environment)
        wait_until(lambda kill=kill: _epochs(run) >= kill, process, log)
        time.sleep(delay)
        process.kill()
        process.join()
        assert process.exitcode == -signal.SIGKILL, log.read_text()
        assert not (run / "done.json").exists()
    moved = (workplace / f"runs/killed-{kills}").rename(workplace / f"runs/moved-{kills}")
    for study in (f"moved-{kills}", f"whole-{kills}"):
        ended = mds_lightning("train", f"study={study}", *settings, cwd=workplace)
        assert ended.returncode == 0, ended.stderr
    run, other = moved / "squeezenet1_1/fold-1", workplace / f"runs/whole-{kills}/squeezenet1_1/fold-1"
    assert (run / "predictions.parquet").read_bytes() == (other / "predictions.parquet").read_bytes()
    assert json.loads((run / "done.json").read_text())["epochs"] == epochs
    assert _curves(run).equals(_curves(other))


@pytest.mark.parametrize(
    ("sent", "code"), [((signal.SIGTERM,), 143), ((signal.SIGINT, signal.SIGINT), 130)], ids=str
)
def test_a_stopped_sweep_says_how_to_continue_and_leaves_no_fold_running(
    workplace, environment, small, tmp_path, sent, code
):
    program = Path(sys.executable).with_name("mds-lightning")
    log, study = tmp_path / "log", f"stopped-{code}"
    command = ("train", "-m", f"study={study}", *small)
    process = fork(program, *command, home=workplace, stdout=log, environment=environment)
    wait_until((workplace / f"runs/{study}/squeezenet1_1/fold-0/running.json").exists, process, log)
    for number in sent:
        os.kill(process.pid, number)
        time.sleep(0.01)
    process.join(timeout=200)
    assert process.exitcode == code, log.read_text()
    assert "stopped. The same command continues from here:" in log.read_text()
    assert f"  mds-lightning train -m study={study} " in log.read_text()
    storage = open_store(f"sqlite:///{workplace}/runs/{study}/study.db", study).storage
    [name] = optuna.get_all_study_names(storage)
    states = [trial.state.name for trial in optuna.load_study(study_name=name, storage=storage).trials]
    assert states == ["FAIL"]


def test_a_run_that_loses_a_worker_goes_on_and_ends_bit_for_bit_the_same(workplace, environment, small):
    settings = [*small, "data.num_workers=2", "data.max_worker_deaths=1"]
    command = [
        str(Path(sys.executable).with_name("mds-lightning")),
        "train",
        "study=bereft",
        "fold=1",
        *settings,
    ]
    run = workplace / "runs/bereft/squeezenet1_1/fold-1"
    process = subprocess.Popen(command, cwd=workplace, env=environment, stderr=subprocess.PIPE, text=True)
    while not _epochs(run):
        assert process.poll() is None, "the run ended before its worker could be killed"
        time.sleep(0.02)
    os.kill(_workers(process.pid)[0], signal.SIGKILL)
    said = process.communicate(timeout=200)[1]
    assert process.returncode == 0, said
    assert "a process that loads images was killed" in said
    assert "continuing (1 of data.max_worker_deaths=1)" in said
    whole = workplace / "runs/small/squeezenet1_1/fold-1"
    assert (run / "predictions.parquet").read_bytes() == (whole / "predictions.parquet").read_bytes()
    assert _curves(run).equals(_curves(whole))


def _workers(pid):
    """Processes that were forked from `pid` and run the same command."""
    process = Path("/proc") / str(pid)
    children = (process / "task" / str(pid) / "children").read_text().split()
    command = (process / "cmdline").read_bytes()
    return [int(child) for child in children if (process.parent / child / "cmdline").read_bytes() == command]


def _epochs(run):
    return len(pd.read_csv(run / "metrics.csv")) if (run / "metrics.csv").is_file() else 0


def _curves(run):
    table = pd.read_csv(run / "metrics.csv")
    return table[[name for name in table.columns if name.startswith(("train/loss", "val/"))]]


def test_optional_packages_are_imported_only_where_they_are_used(workplace, small):
    program = (
        "import sys; from mds_lightning.cli import main; main(); "
        "print(sorted({'albumentations', 'captum', 'wandb'} & sys.modules.keys()))"
    )
    command = [sys.executable, "-c", program, "train", "study=imports", *small]
    done = subprocess.run(command, cwd=workplace, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "[]"
