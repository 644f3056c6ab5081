"""Search, then test: a command that cannot go on says the one that can."""

import re
import shlex

import pandas as pd

from mds_lightning.studies.settings import read_settings


def test_a_search_leaves_the_test_patients_to_the_command_that_evaluate_names(
    workplace, mds_lightning, small
):
    given = [word for word in small if not word.startswith(("backbone=", "trainer."))]
    searched = mds_lightning(
        "train", "-m", "sweep=hyperparameters", "study=searched", *given, "trainer=smoke",
        "hydra.sweeper.n_trials=2", "backbone=shufflenet_v2_x0_5",
        "data.image_size=64", "classifier.learning_rate=choice(0.003,0.0001)", cwd=workplace,
    )  # fmt: skip
    assert searched.returncode == 0, searched.stderr
    runs = sorted(workplace.glob("runs/searched/trial-*/fold-*"))
    assert len(runs) == 4
    assert all(set(pd.read_parquet(run / "predictions.parquet")["split"]) == {"val"} for run in runs)
    assert all(read_settings(run / "config.yaml")["hpo"]["blind"] is True for run in runs)

    refused = mds_lightning("evaluate", "study=runs/searched", "selection=inner_validation", cwd=workplace)
    assert refused.returncode == 2
    (command,) = re.findall(r"^  mds-lightning (.*)$", refused.stderr, re.M)
    tested = mds_lightning(*shlex.split(command), cwd=workplace)
    assert tested.returncode == 0, tested.stderr
    assert (
        "evaluate it with: mds-lightning evaluate study=runs/searched selection=inner_validation"
        in tested.stderr
    )
    rows = pd.concat(map(pd.read_parquet, workplace.glob("runs/searched/trial-*/fold-*/predictions.parquet")))
    test = rows[rows["split"] == "test"]
    assert len(test) == test["image"].nunique() == 8 * 2 + 8


def test_a_nested_search_is_tested_and_reported(workplace, mds_lightning, small):
    given = [word for word in small if not word.startswith(("backbone=", "trainer."))]
    command = [
        "train", "-m", "sweep=hyperparameters_tpe", "search.nested=true", "study=nested", *given,
        "trainer=smoke", "hydra.sweeper.n_trials=2", "backbone=shufflenet_v2_x0_5",
        "data.image_size=64", "classifier.learning_rate=choice(0.003,0.0001)",
    ]  # fmt: skip
    searched = mds_lightning(*command, cwd=workplace)
    assert searched.returncode == 0, searched.stderr
    assert "2 searches (one for each fold) of 2 trials with one training each: 4 models" in searched.stderr
    runs = sorted(workplace.glob("runs/nested/trial-*/fold-*"))
    names = [f"{run.parent.name}/{run.name}" for run in runs]
    assert names == [f"trial-{fold}-{n}/fold-{fold}" for fold in range(2) for n in range(2)]
    for run in runs:
        assert set(pd.read_parquet(run / "predictions.parquet")["split"]) == {"val"}
        settings = read_settings(run / "config.yaml")
        assert (settings["hpo"]["blind"], settings["search"]["nested"]) == (True, True)

    refused = mds_lightning("evaluate", "study=runs/nested", cwd=workplace)
    assert refused.returncode == 2
    for advice in re.findall(r"^  mds-lightning (.*)$", refused.stderr, re.M):
        followed = mds_lightning(*shlex.split(advice), cwd=workplace)
        assert followed.returncode == 0, followed.stderr
    assert "the selection was blind with any sampler" in " ".join(followed.stdout.split())
    selected = pd.read_csv(workplace / "runs/nested/evaluation/selected/selection.csv")
    assert [name[: len("trial-0")] for name in selected["variant"]] == ["trial-0", "trial-1"]

    report = mds_lightning("report", "study=runs/nested", cwd=workplace)
    assert report.returncode == 0, report.stderr
    page = (workplace / "runs/nested/evaluation/report.html").read_text()
    assert "Each fold had a search of its own" in page
    assert "The search was not blind" not in page


def test_a_nested_search_needs_a_sweep(workplace, mds_lightning, small):
    refused = mds_lightning("train", "search.nested=true", "study=single", *small, cwd=workplace)
    assert refused.returncode == 2
    assert "search.nested=true without a search: add -m sweep=hyperparameters" in refused.stderr
