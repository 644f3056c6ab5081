"""`mds-lightning study publish` as a user runs it, where W&B cannot be had."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
import yaml
from omegaconf import OmegaConf

from mds_lightning.commands.study import study

from ..tracking.graphql import KEY, serve

NODE = {"_target_": "mds_lightning.tracking.wandb.fold_logger", "study": "made", "project": "smears"}


@pytest.fixture
def tracked(tmp_path):
    run = tmp_path / "runs/made/resnet18/fold-0"
    run.mkdir(parents=True)
    settings = {"fold": 0, "variant": "resnet18", "logger": {"wandb": NODE}}
    (run / "config.yaml").write_text(yaml.safe_dump(settings))
    return tmp_path


def publish(folder, *overrides, **environment):
    """Run it with no more of W&B's settings than `environment`; return exit code, message and seconds."""
    inherited = {key: value for key, value in os.environ.items() if not key.startswith("WANDB_")}
    own = {"HOME": str(folder), "NETRC": str(folder / "netrc"), "WANDB_CONFIG_DIR": str(folder)}
    command = [str(Path(sys.executable).with_name("mds-lightning")), "study", "publish", "study=runs/made"]
    began = time.monotonic()
    done = subprocess.run(
        [*command, *overrides], cwd=folder, env=inherited | own | environment, capture_output=True,
        text=True, timeout=60, check=False, stdin=subprocess.DEVNULL,
    )  # fmt: skip
    return done.returncode, done.stderr, time.monotonic() - began


@pytest.mark.parametrize(
    ("environment", "says"),
    [
        ({}, ["no API key for", "run `wandb login`, or set WANDB_API_KEY"]),
        ({"WANDB_MODE": "offline", "WANDB_API_KEY": KEY}, ["W&B is offline", "unset WANDB_MODE"]),
        ({"WANDB_BASE_URL": "here"}, ["settings are wrong, check the WANDB_ variables", "base_url"]),
        (
            {"WANDB_API_KEY": KEY, "WANDB_BASE_URL": "http://127.0.0.1:9"},
            ["http://127.0.0.1:9 cannot be reached (Connection refused)", "check the network"],
        ),
    ],
    ids=["no-key", "offline", "bad-url", "refused"],
)
def test_without_wandb_the_file_is_written_and_one_paragraph_says_what_to_do(tracked, environment, says):
    code, message, _ = publish(tracked, **environment)
    assert code == 2, message
    assert message.count("\n") == 1
    for part in [
        *says,
        "wandb sync runs/made/*/fold-*/wandb/offline-run-*",
        "runs/made/wandb_dashboard.json",
    ]:
        assert part in message
    written = json.loads((tracked / "runs/made/wandb_dashboard.json").read_text())
    assert (written["study"], written["project"]) == ("made", "smears")


def test_a_silent_server_is_left_in_time(tracked):
    with serve() as stub:
        stub.silent = True
        code, message, seconds = publish(tracked, "timeout=1", WANDB_API_KEY=KEY, WANDB_BASE_URL=stub.url)
    assert (code, message.count("\n")) == (2, 1), message
    assert "did not answer within 1 s" in message
    assert seconds < 30


def config(folder, **options):
    keys = {"action": "publish", "study": str(folder / "runs/made"), "entity": None, "project": None}
    return OmegaConf.create({**keys, "timeout": 30.0, **options})


@pytest.mark.parametrize("timeout", [0.0, -1.0, float("inf"), float("nan")])
def test_a_timeout_must_be_a_time(tracked, timeout):
    with pytest.raises(ValueError, match="seconds above 0"):
        study(config(tracked, timeout=timeout))


def test_a_missing_package_is_named(tracked, monkeypatch):
    for name in [name for name in sys.modules if name.startswith("mds_lightning.tracking.wandb_")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "wandb_workspaces.reports.v2", None)
    with pytest.raises(ValueError, match=r"wandb_workspaces\.reports\.v2 is missing: pip install"):
        study(config(tracked))
