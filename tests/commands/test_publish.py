import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from omegaconf import OmegaConf

from mds_lightning.commands.study import study

NODE = {"_target_": "mds_lightning.tracking.wandb.fold_logger", "study": "made", "project": "smears"}


@pytest.fixture
def tracked(tmp_path):
    run = tmp_path / "runs/made/resnet18/fold-0"
    run.mkdir(parents=True)
    settings = {"fold": 0, "variant": "resnet18", "logger": {"wandb": NODE}}
    (run / "config.yaml").write_text(yaml.safe_dump(settings))
    return tmp_path


@pytest.mark.parametrize(
    ("environment", "message"),
    [
        ({}, "No API key configured"),
        (
            {"WANDB_MODE": "offline"},
            "W&B is offline on this machine: unset WANDB_MODE",
        ),
        ({"WANDB_BASE_URL": "here"}, "base_url"),
    ],
    ids=["no-key", "offline", "wrong-url"],
)
def test_without_access_to_w_and_b_one_line_says_what_to_do(tracked, environment, message):
    inherited = {key: value for key, value in os.environ.items() if not key.startswith("WANDB_")}
    own = {"HOME": str(tracked), "NETRC": str(tracked / "netrc"), "WANDB_CONFIG_DIR": str(tracked)}
    done = subprocess.run(
        [str(Path(sys.executable).with_name("mds-lightning")), "study", "publish", "study=runs/made"],
        cwd=tracked, env=inherited | own | environment, capture_output=True, text=True, check=False,
        stdin=subprocess.DEVNULL,
    )  # fmt: skip
    assert done.returncode == 2, done.stderr
    [line] = [line for line in done.stderr.splitlines() if line.startswith("mds-lightning study")]
    assert message in line
    assert "`wandb sync runs/made/*/fold-*/wandb/offline-run-*`" in line


@pytest.mark.parametrize("timeout", [0.0, -1.0, float("inf"), float("nan")])
def test_a_timeout_must_be_a_time(tracked, timeout):
    keys = {"action": "publish", "study": str(tracked / "runs/made"), "entity": None, "project": None}
    with pytest.raises(ValueError, match="seconds above 0"):
        study(OmegaConf.create({**keys, "timeout": timeout}))
