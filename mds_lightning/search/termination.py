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
    Ctrl-C raises KeyboardInterrupt as usual, except in the blocks of `held`.

    Attributes:
        received: Whether SIGTERM was received; further ones have no effect.
    """

    def __init__(self) -> None:
        self.received = False
        self._interrupted = False
        self._held = 0
        self._previous: dict[int, Any] = {}

    def __enter__(self) -> "Termination":
        if threading.current_thread() is threading.main_thread():
            self._previous[signal.SIGTERM] = signal.signal(signal.SIGTERM, self._terminate)
            # Not in a background job of a shell script, in which Ctrl-C is ignored.
            if callable(signal.getsignal(signal.SIGINT)):
                self._previous[signal.SIGINT] = signal.signal(signal.SIGINT, self._interrupt)
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._previous.items():
            signal.signal(number, handler)

    @contextmanager
    def held(self) -> Iterator[None]:
        """Delay SIGTERM and Ctrl-C until the end of the block, so that its writes are complete."""
        self._held += 1
        try:
            yield
        finally:
            self._held -= 1
        if self._held:
            return
        if self.received:
            raise SystemExit(EXIT_CODE)
        if self._interrupted:
            self._interrupted = False
            raise KeyboardInterrupt

    def _terminate(self, _signal: int, _frame: FrameType | None) -> None:
        first, self.received = not self.received, True
        if first and not self._held:
            raise SystemExit(EXIT_CODE)

    def _interrupt(self, number: int, frame: FrameType | None) -> None:
        if self._held:
            self._interrupted = True
        else:
            self._previous[number](number, frame)
