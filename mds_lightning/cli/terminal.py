"""Log messages on standard error, so that results on standard output can be piped."""

import logging
import sys

from rich.console import Console
from rich.logging import RichHandler


def terminal_handler() -> logging.Handler:
    """Return the handler that `conf/hydra/job_logging/terminal.yaml` names: in colour on a terminal."""
    if sys.stderr.isatty():
        return RichHandler(console=Console(stderr=True), show_path=False, show_time=False, highlighter=None)
    handler = logging.StreamHandler()
    handler.setFormatter(logging.Formatter("%(levelname)-7s %(message)s"))
    return handler
