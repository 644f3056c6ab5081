"""Concatenation, splitting and shuffling of channels without copies: records where each channel is stored."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Indices = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Segment:
    """Consecutive channels [start, stop) of one operation's output."""

    producer: int
    start: int
    stop: int

    def __len__(self) -> int:
        return self.stop - self.start


@dataclass(frozen=True, eq=False)
class Channels:
    """Where each channel of a map is stored.

    Attributes:
        producers: For each channel the number of the operation's output that holds it.
        positions: Its position there.
    """

    producers: Indices
    positions: Indices

    @classmethod
    def whole(cls, producer: int, count: int) -> "Channels":
        """All channels of one output in their order."""
        return cls(np.full(count, producer), np.arange(count))

    @classmethod
    def join(cls, parts: Sequence["Channels"]) -> "Channels":
        """Concatenation."""
        return cls(
            np.concatenate([part.producers for part in parts]),
            np.concatenate([part.positions for part in parts]),
        )

    def __len__(self) -> int:
        return len(self.producers)

    def take(self, index: Indices | slice) -> "Channels":
        """Selected channels, in the order of the index."""
        return Channels(self.producers[index], self.positions[index])

    def segments(self) -> tuple[Segment, ...]:
        """The channels in their order, consecutive ones as one segment."""
        breaks = np.flatnonzero((np.diff(self.producers) != 0) | (np.diff(self.positions) != 1)) + 1
        return tuple(
            Segment(int(run.producers[0]), int(run.positions[0]), int(run.positions[-1]) + 1)
            for run in map(self.take, np.split(np.arange(len(self)), breaks))
        )

    def arrange(self) -> Indices:
        """An order with the fewest segments, for operations that do not depend on the order (see `take`)."""
        seen: dict[int, int] = {}
        rank = np.array([seen.setdefault(int(producer), len(seen)) for producer in self.producers])
        return np.lexsort((self.positions, rank))
