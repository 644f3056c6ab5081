"""Hydra hears of the sweeper without anybody importing Optuna."""

import subprocess
import sys


def test_registering_imports_neither_optuna_nor_sqlalchemy() -> None:
    code = (
        "import sys; from mds_lightning.search.plugin import register_search; register_search(); "
        "print([name for name in ('optuna', 'sqlalchemy', 'submitit', 'torch') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
