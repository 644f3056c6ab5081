"""SIGTERM, as a cluster sends it before it kills: leave in order, with exit code 143."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

#: 128 + SIGTERM, as a shell reports a process that SIGTERM ended.
EXIT_CODE = 143


class Termination:
    """While entered, SIGTERM raises SystemExit(143) in the main thread.

    Lightning calls a handler that was there before its own, so the exception also leaves a running `fit`.

    Attributes:
        received: Whether SIGTERM came; a second one changes nothing.
    """

    def __init__(self) -> None:
        self.received = False
        self._held = 0
        self._previous: Any = None

    def __enter__(self) -> "Termination":
        if threading.current_thread() is threading.main_thread():
            self._previous = signal.signal(signal.SIGTERM, self._handle)
        return self

    def __exit__(self, *_: object) -> None:
        if self._previous is not None:
            signal.signal(signal.SIGTERM, self._previous)

    @contextmanager
    def held(self) -> Iterator[None]:
        """Put SIGTERM off until the block is done: nothing in it is left half written."""
        self._held += 1
        try:
            yield
        finally:
            self._held -= 1
        if self.received and not self._held:
            raise SystemExit(EXIT_CODE)

    def _handle(self, _signal: int, _frame: FrameType | None) -> None:
        first, self.received = not self.received, True
        if first and not self._held:
            raise SystemExit(EXIT_CODE)
