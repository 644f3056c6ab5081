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
