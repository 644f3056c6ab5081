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
    """Two folds with the seeds 3 and 4, killed during seed 4, and continued with a third seed."""
    log = tmp_path_factory.mktemp("seeds") / "log"
    study = workplace / "runs/seeds"
    program = Path(sys.executable).with_name("mds-lightning")
    command = ("train", "-m", *small, *SEEDS)
    process = fork(program, *command, "seeds=2", home=workplace, stdout=log, environment=environment)
    begun = study / "squeezenet1_1/seed-4/fold-0/config.yaml"
    wait_until(begun.is_file, process, log)
    process.kill()
    process.join()
    assert process.exitcode == -signal.SIGKILL, log.read_text()
    first = predictions_of(study, 3)
    continued = mds_lightning(*command, "seeds=3", cwd=workplace)
    assert continued.returncode == 0, continued.stderr
    assert predictions_of(study, 3) == first
    return study


def predictions_of(study: Path, seed: int) -> list[bytes]:
    return [path.read_bytes() for path in sorted(study.glob(f"*/seed-{seed}/fold-*/predictions.parquet"))]


def test_every_fold_is_trained_with_each_seed(seeded):
    study = load_study(seeded)
    assert study.variants == ["squeezenet1_1"]
    assert study.seeds() == [3, 4, 5]
    runs = [run for seed in study.seeds() for run in study.runs(seed=seed)]
    cells = [(run.settings["seed"], run.index) for run in runs]
    assert cells == [(seed, fold) for seed in (3, 4, 5) for fold in (0, 1)]
    assert all(run.done is not None for run in runs)
    rows = [study.rows(seed=seed) for seed in study.seeds()] + [study.rows()]
    *seeds, ensemble = (table.sort_values(["fold", "image"])["prob_MDS"].to_numpy() for table in rows)
    assert min(abs(seeds[0] - seeds[1]).max(), abs(seeds[1] - seeds[2]).max()) > 1e-3
    assert ensemble == pytest.approx(sum(seeds) / 3)


def test_every_command_finds_the_runs(seeded, workplace, mds_lightning):
    where = ("study=runs/seeds", "n_resamples=100")
    evaluated = mds_lightning("evaluate", *where, cwd=workplace)
    assert evaluated.returncode == 0, evaluated.stderr
    for name in ("ensemble of 3 seeds", "one training (mean of 3 seeds)", "seed 3", "seed 4", "seed 5"):
        assert name in evaluated.stdout
    assert "standard deviation of the mean of the seeds from the choice of test patients" in evaluated.stdout
    reported = mds_lightning("report", *where, cwd=workplace)
    assert reported.returncode == 0, reported.stderr
    page = (seeded / "evaluation/report.html").read_text()
    assert page.count("One training (mean of 3 seeds)") == 1
    assert page.count("<td>squeezenet1_1</td><td>5</td>") == 2
    assert "The folds differ in" not in page
    shown = mds_lightning("study", "show", "study=runs/seeds", cwd=workplace)
    assert shown.returncode == 0, shown.stderr
    assert "6 of 6 finished" in shown.stdout
    explained = mds_lightning("explain", "study=runs/seeds", "seed=5", "images=2", cwd=workplace)
    assert explained.returncode == 0, explained.stderr
    for seed, maps in ((3, 1), (5, 2)):
        assert len(list(seeded.glob(f"squeezenet1_1/seed-{seed}/fold-0/occlusion/*.npz"))) == maps
    assert load_study(seeded).selection.label == "squeezenet1_1"


def test_a_seed_is_trained_as_it_would_be_alone(seeded, workplace, mds_lightning, small):
    arguments = ("train", *small, *SEEDS, "study=alone", "seed=4", "fold=1")
    alone = mds_lightning(*arguments, cwd=workplace)
    assert alone.returncode == 0, alone.stderr
    there = (seeded / "squeezenet1_1/seed-4/fold-1/predictions.parquet").read_bytes()
    assert (workplace / "runs/alone/squeezenet1_1/fold-1/predictions.parquet").read_bytes() == there


def test_one_seed_beside_them_is_refused(seeded, workplace, mds_lightning, small):
    refused = mds_lightning("train", "-m", *small, *SEEDS, cwd=workplace)
    assert refused.returncode != 0
    assert "was trained with several seeds (seed-3, seed-4, seed-5): give seeds=NUMBER" in refused.stderr
    assert not list(seeded.glob("*/fold-*"))
    single = mds_lightning("train", *small, *SEEDS, "seeds=2", cwd=workplace)
    assert (single.returncode, "seeds=2 without -m" in single.stderr) == (2, True), single.stderr
    search = mds_lightning("train", "-m", "sweep=hyperparameters", *small, *SEEDS, "seeds=2", cwd=workplace)
    assert search.returncode == 2
    assert "a search trains each setting with one seed" in search.stderr
