"""Logger of learning curves: `metrics.csv`, one row per epoch."""

from argparse import Namespace
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd
from lightning.pytorch.loggers import Logger
from lightning.pytorch.utilities import rank_zero_only

from mds_lightning.cohort.atomic_file import write_atomically
from mds_lightning.cohort.damaged_file import reading


class MetricsFile(Logger):
    """A Lightning logger with one row per epoch and none per step.

    Lightning's `CSVLogger` deletes the earlier rows when a run is continued. Here they are kept, and epochs
    that are trained again replace their rows.
    """

    def __init__(self, path: str | Path) -> None:
        super().__init__()
        self.path = Path(path)
        self._epochs: dict[int, dict[str, float]] = {}
        if self.path.is_file():
            with reading(self.path, "restore it, or delete it: it then holds only the epochs that follow"):
                table = pd.read_csv(self.path).set_index("epoch").astype(float)
                self._epochs = {int(str(epoch)): dict(row) for epoch, row in table.iterrows()}

    @property
    def name(self) -> str:
        """Name of the logger."""
        return "metrics"

    @property
    def version(self) -> int:
        """Always 0: the run directory is the version."""
        return 0

    @rank_zero_only
    def log_hyperparams(self, params: dict[str, Any] | Namespace, *args: Any, **kwargs: Any) -> None:
        """Do nothing: `config.yaml` holds all settings."""

    @rank_zero_only
    def log_metrics(self, metrics: Mapping[str, float], step: int | None = None) -> None:  # noqa: ARG002
        """Merge `metrics` into the row of their epoch."""
        values = {key: float(value) for key, value in metrics.items() if key != "epoch"}
        if "epoch" in metrics:
            self._epochs.setdefault(int(metrics["epoch"]), {}).update(values)

    @rank_zero_only
    def save(self) -> None:
        """Write the whole file."""
        if not self._epochs:
            return
        table = pd.DataFrame.from_dict(self._epochs, orient="index").sort_index().rename_axis("epoch")
        with write_atomically(self.path) as temporary:
            table.to_csv(temporary)

    @rank_zero_only
    def finalize(self, status: str) -> None:  # noqa: ARG002
        """Write the file."""
        self.save()
