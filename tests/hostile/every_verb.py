"""Runs verbs in one process: `python every_verb.py FILE`, whose lines are JSON lists of words."""

import json
import sys
from pathlib import Path

from mds_lightning.cli import main

if __name__ == "__main__":
    commands = Path(sys.argv[1]).read_text().splitlines()
    for line in commands:
        sys.argv = ["mds-lightning", *json.loads(line)]
        main()
