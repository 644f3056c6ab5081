"""A study that was tracked offline: its runs, and a dashboard that asks for nothing they do not hold."""

import json
from dataclasses import replace

import pytest
import yaml

from mds_lightning.cli import conf_directory
from mds_lightning.studies.layout import StudyDirectory
from mds_lightning.tracking.tracked import BEST, read_tracked
from mds_lightning.tracking.wandb_dashboard import build_dashboard

from ..tracking.graphql import KEY, serve
from ..tracking.wandb_files import read_records

#: Columns and keys that every run of W&B has.
_BUILT_IN = {"createdAt", "group", "displayName", "state", "duration", "epoch"}


def test_a_tracked_study_is_published_with_what_its_runs_logged(workplace, mds_lightning, small):
    trained = mds_lightning("train", "-m", "study=tracked", "logger=wandb", *small, cwd=workplace)
    assert trained.returncode == 0, trained.stderr
    study = StudyDirectory(workplace / "runs/tracked")
    runs = list(study.runs("squeezenet1_1").values())
    records = [read_records(run.path) for run in runs]
    assert len({_of_type(lines, "run")[0]["run_id"] for lines in records}) == 2
    assert all(run.metrics.is_file() for run in runs)
    for run, lines in zip(runs, records, strict=True):
        assert _items(lines, "history")[BEST] == pytest.approx(run.read_done()["val_auroc"])
    _check_keys(read_tracked(study), records[0])

    with serve() as stub:
        stub.project["allViews"]["edges"] = [{"node": {"id": "VmlldzoxMjM="}}]
        published = mds_lightning(
            "study", "publish", "study=runs/tracked", "entity=our-team",
            cwd=workplace, WANDB_BASE_URL=stub.url, WANDB_API_KEY=KEY,
        )  # fmt: skip
    assert published.returncode == 0, published.stderr
    assert "/our-team/mds_lightning/reports/tracked%3A-folds-and-backbones--VmlldzoxMjM" in published.stderr
    assert json.loads(stub.asked["Project"]["runs"]) == {"group": "tracked"}
    assert stub.asked["Upsert"]["id"] == "VmlldzoxMjM="
    assert stub.keys == {KEY}
    kept = json.loads(study.dashboard.read_text())
    assert _without_project(json.loads(stub.asked["Upsert"]["spec"])) == kept["spec"]


def _check_keys(tracked, lines):
    [run] = _of_type(lines, "run")
    config = {**run["config"]["update"], **_of_type(lines, "config")[-1]["update"]}
    metrics = _items(lines, "history")
    assert (run["run_group"], run["project"]) == (tracked.name, tracked.project)
    assert run["job_type"] == "fold"

    # As if the search that is shipped had been run: every key it varies is one of the run's settings.
    search = yaml.safe_load((conf_directory() / "sweep/hyperparameters.yaml").read_text())
    varied = search["hydra"]["sweeper"]["params"]
    named = {f"{key}.name" if isinstance(_find(config, f"settings.{key}"), dict) else key for key in varied}
    spec = build_dashboard(replace(tracked, compared=dict.fromkeys(named, (0.1, 0.2)))).spec
    used = set(_keys(spec))
    assert {f"config:settings.value.{key}" for key in named} <= used
    assert {"val/auroc", "val/loss", "train/loss", f"summary:{BEST}", "variant.value"} <= used
    for key in used:
        section, _, name = key.rpartition(":")
        if section == "config" or ".value" in name:
            assert _find(config, name.replace(".value", "")) is not None, key
        else:
            assert name in _BUILT_IN or name in metrics, key


def _keys(spec):
    """Every key that a panel, filter, column, grouping or order of the dashboard refers to."""
    if isinstance(spec, list):
        for part in spec:
            yield from _keys(part)
    if not isinstance(spec, dict):
        return
    for key, value in spec.items():
        if key in ("groupBy", "xAxis", "accessor", "targetKey") and value != "_step":
            yield value
        elif key in ("metrics", "columnOrder", "columnVisible", "legendFields"):
            yield from value
        elif key in ("key", "grouping"):
            yield from (
                f"{one['section']}:{one['name']}" for one in (value if key == "grouping" else [value])
            )
        else:
            yield from _keys(value)


def _of_type(lines, name):
    return [line[name] for line in lines if line["type"] == name]


def _items(lines, name):
    return {key: value for part in _of_type(lines, name) for key, value in part["item"].items()}


def _find(config, dotted):
    for part in dotted.split("."):
        if not isinstance(config, dict) or part not in config:
            return None
        config = config[part]
    return config


def _without_project(spec):
    for block in spec["blocks"]:
        for runs in block.get("metadata", {}).get("runSets", []):
            assert runs.pop("project") == {"name": "mds_lightning", "entityName": "our-team", "id": "17"}
    return spec
