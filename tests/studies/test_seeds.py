"""A study of several seeds, from an interrupted training to its files."""

import signal
import sys
from pathlib import Path

import pytest

from mds_lightning import load_study

from ..forking import fork, wait_until

SEEDS = ("study=seeds", "seed=3", "callbacks.occlusion_maps.images=1", "trainer.max_epochs=1")


@pytest.fixture(scope="module")
def seeded(workplace, environment, mds_lightning, small, tmp_path_factory) -> Path:
    """Two folds with the seeds 3 and 4, killed during seed 4 and continued."""
    log = tmp_path_factory.mktemp("seeds") / "log"
    study = workplace / "runs/seeds"
    program = Path(sys.executable).with_name("mds-lightning")
    command = ("train", "-m", *small, *SEEDS, "seeds=2")
    process = fork(program, *command, home=workplace, stdout=log, environment=environment)
    begun = study / "squeezenet1_1/seed-4/fold-0/config.yaml"
    wait_until(begun.is_file, process, log)
    process.kill()
    process.join()
    assert process.exitcode == -signal.SIGKILL, log.read_text()
    first = predictions_of(study, 3)
    continued = mds_lightning(*command, cwd=workplace)
    assert continued.returncode == 0, continued.stderr
    assert predictions_of(study, 3) == first
    return study


def predictions_of(study: Path, seed: int) -> list[bytes]:
    return [path.read_bytes() for path in sorted(study.glob(f"*/seed-{seed}/fold-*/predictions.parquet"))]


def test_every_fold_is_trained_with_each_seed(seeded):
    study = load_study(seeded)
    assert study.variants == ["squeezenet1_1"]
    assert study.seeds() == [3, 4]
    runs = [run for seed in study.seeds() for run in study.runs(seed=seed)]
    assert [(run.settings["seed"], run.index) for run in runs] == [(3, 0), (3, 1), (4, 0), (4, 1)]
    assert all(run.done is not None for run in runs)
    rows = study.rows(seed=3), study.rows(seed=4), study.rows()
    one, other, ensemble = (table.sort_values(["fold", "image"])["prob_MDS"].to_numpy() for table in rows)
    assert abs(one - other).max() > 1e-3
    assert ensemble == pytest.approx((one + other) / 2)


def test_a_seed_is_trained_as_it_would_be_alone(seeded, workplace, mds_lightning, small):
    arguments = ("train", *small, *SEEDS, "study=alone", "seed=4", "fold=1")
    alone = mds_lightning(*arguments, cwd=workplace)
    assert alone.returncode == 0, alone.stderr
    there = (seeded / "squeezenet1_1/seed-4/fold-1/predictions.parquet").read_bytes()
    assert (workplace / "runs/alone/squeezenet1_1/fold-1/predictions.parquet").read_bytes() == there


def test_one_seed_beside_them_is_refused(seeded, workplace, mds_lightning, small):
    refused = mds_lightning("train", "-m", *small, *SEEDS, cwd=workplace)
    assert refused.returncode != 0
    assert "was trained with several seeds (seed-3, seed-4): give seeds=NUMBER as well" in refused.stderr
    assert not list(seeded.glob("*/fold-*"))
    single = mds_lightning("train", *small, *SEEDS, "seeds=2", cwd=workplace)
    assert (single.returncode, "seeds=2 without -m" in single.stderr) == (2, True), single.stderr
    search = mds_lightning("train", "-m", "sweep=hyperparameters", *small, *SEEDS, "seeds=2", cwd=workplace)
    assert search.returncode == 2
    assert "a search trains each setting with one seed" in search.stderr
