"""W&B's files, read with W&B's own reader."""

import json
import subprocess
import sys
from pathlib import Path


def read_records(run_directory: Path) -> list[dict]:
    """Every record of the one offline run in a run directory."""
    [path] = run_directory.glob("wandb/offline-run-*/run-*.wandb")
    command = [sys.executable, "-m", "wandb", "leet", "inspect", "--json", str(path)]
    lines = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
    return [json.loads(line) for line in lines]
