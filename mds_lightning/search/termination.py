"""Orderly exit with code 143 after SIGTERM, which clusters send before they kill a process."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

#: 128 + SIGTERM, the exit code that shells report.
EXIT_CODE = 143


class Termination:
    """Context manager in which SIGTERM raises SystemExit(143) in the main thread.

    Lightning calls the handler that was installed before its own, so the exception also ends a running `fit`.

    Attributes:
        received: Whether SIGTERM was received; further signals have no effect.
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
        """Delay SIGTERM until the end of the block, so that its writes are complete."""
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
