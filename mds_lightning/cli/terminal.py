"""Log messages on standard error, so that results on standard output can be piped."""

import logging
import sys

from rich.console import Console
from rich.logging import RichHandler

from mds_lightning.cohort.visible_text import show_lines


class VisibleFormatter(logging.Formatter):
    """Shows control characters, which a manifest or a study may contain, as escapes."""

    def format(self, record: logging.LogRecord) -> str:
        """The record as text."""
        return show_lines(super().format(record))


def terminal_handler() -> logging.Handler:
    """Return the handler that `conf/hydra/job_logging/terminal.yaml` names: in colour on a terminal."""
    handler: logging.Handler
    if sys.stderr.isatty():
        handler = RichHandler(
            console=Console(stderr=True), show_path=False, show_time=False, highlighter=None
        )
        handler.setFormatter(VisibleFormatter("%(message)s"))
    else:
        handler = logging.StreamHandler()
        handler.setFormatter(VisibleFormatter("%(levelname)-7s %(message)s"))
    return handler
