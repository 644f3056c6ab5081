"""Progress of a sweep: a bar above that of the job, or a log line per trial outside of a terminal."""

import logging
from types import TracebackType
from typing import Any

from tqdm.auto import tqdm

from mds_lightning.search.outcome import Outcome

log = logging.getLogger(__name__)


class SweepProgress:
    """Shows how many trials of a study are finished, over all workers; can be entered several times.

    Args:
        name: Name of the study.
        total: Number of trials of the complete study.
    """

    def __init__(self, name: str, total: int) -> None:
        self._name, self._total = name, total
        self._bar: tqdm[Any] = tqdm(disable=True)

    def __enter__(self) -> "SweepProgress":
        # disable=None: no bar outside of a terminal. tqdm puts the bar of a job below this one.
        self._bar = tqdm(desc=self._name, total=self._total, unit="trial", dynamic_ncols=True, disable=None)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bar.close()

    def show(self, finished: int) -> None:
        """Move the bar to `finished`."""
        self._bar.n = finished
        self._bar.refresh()

    def note(self, number: int, outcome: Outcome, finished: int) -> None:
        """Show the outcome of trial `number`."""
        value = ", ".join(f"{value:.4g}" for value in outcome.values or ()) or "pruned"
        self.show(finished)
        if self._bar.disable:
            log.info("trial %d: %s (%d of %d finished)", number, value, finished, self._total)
        else:
            self._bar.set_postfix_str(f"trial {number}: {value}")
