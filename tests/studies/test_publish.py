"""A study that was logged offline: its runs, and a dashboard that refers to nothing else."""

import json
from dataclasses import replace

import pytest
import wandb
import yaml

from mds_lightning.cli import conf_directory
from mds_lightning.studies.layout import StudyDirectory
from mds_lightning.tracking.tracked import BEST, read_tracked
from mds_lightning.tracking.wandb_dashboard import publish_dashboard

from ..tracking.wandb_files import read_records
from ..tracking.wandb_stub import KEY, serve

pytestmark = pytest.mark.study


def test_a_dashboard_refers_only_to_what_the_runs_logged(workplace, mds_lightning, small, monkeypatch):
    trained = mds_lightning("train", "study=tracked", "logger=wandb", *small, cwd=workplace)
    assert trained.returncode == 0, trained.stderr
    study = StudyDirectory(workplace / "runs/tracked")
    [run] = study.runs("squeezenet1_1").values()
    lines = read_records(run.path)
    [record] = [line["run"] for line in lines if line["type"] == "run"]
    assert (record["run_group"], record["project"]) == ("tracked", "mds_lightning")
    items = [line["history"]["item"] for line in lines if line["type"] == "history"]
    logged = {key: value for item in items for key, value in item.items()}
    assert logged[BEST] == pytest.approx(run.read_done()["val_auroc"])

    # As if the search that is shipped had been run: each key that it varies is a setting of the run.
    settings = record["config"]["update"]["settings"]
    search = yaml.safe_load((conf_directory() / "sweep/hyperparameters.yaml").read_text())
    varied = search["hydra"]["sweeper"]["params"]
    named = {f"{key}.name" if isinstance(_find(settings, key), dict) else key for key in varied}
    assert all(_find(settings, key) is not None for key in named)
    tracked = replace(read_tracked(study), compared=dict.fromkeys(named, (0.1, 0.2)))
    with serve() as stub, monkeypatch.context() as patch:
        patch.setenv("WANDB_BASE_URL", stub.url)
        patch.setenv("WANDB_API_KEY", KEY)
        wandb.teardown()
        publish_dashboard(tracked, "lab", timeout=30)
        wandb.teardown()
        texts = set(_texts(json.loads(stub.sent["upsertView"]["spec"])))
        assert {f"config:settings.value.{key}" for key in named} <= texts
        metrics = {text.removeprefix("summary:") for text in texts if "/" in text and " " not in text}
        assert {BEST, "val/auroc", "val/loss", "train/loss"} == metrics <= logged.keys()

        published = mds_lightning(
            "study", "publish", "study=runs/tracked",
            cwd=workplace, WANDB_BASE_URL=stub.url, WANDB_API_KEY=KEY,
        )  # fmt: skip
    assert published.returncode == 0, published.stderr
    assert "/lab/mds_lightning/reports/tracked:-folds-and-backbones--new" in published.stderr


def _texts(spec):
    if isinstance(spec, str):
        yield spec
    for part in spec.values() if isinstance(spec, dict) else spec if isinstance(spec, list) else ():
        yield from _texts(part)


def _find(config, dotted):
    for part in dotted.split("."):
        if not isinstance(config, dict) or part not in config:
            return None
        config = config[part]
    return config
