"""Joining, splitting and shuffling of channels as bookkeeping: nothing is copied until someone computes."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Indices = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Segment:
    """Neighbouring channels [start, stop) of what one operation produced."""

    producer: int
    start: int
    stop: int

    def __len__(self) -> int:
        return self.stop - self.start


@dataclass(frozen=True, eq=False)
class Channels:
    """Where each channel of a map is to be found.

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
        """A choice of channels, in a new order."""
        return Channels(self.producers[index], self.positions[index])

    def segments(self) -> tuple[Segment, ...]:
        """The channels in their order, neighbours together."""
        breaks = np.flatnonzero((np.diff(self.producers) != 0) | (np.diff(self.positions) != 1)) + 1
        return tuple(
            Segment(int(run.producers[0]), int(run.positions[0]), int(run.positions[-1]) + 1)
            for run in map(self.take, np.split(np.arange(len(self)), breaks))
        )

    def arrange(self) -> Indices:
        """An order that puts neighbours together, for those who do not mind the order: `take` it first."""
        seen: dict[int, int] = {}
        rank = np.array([seen.setdefault(int(producer), len(seen)) for producer in self.producers])
        return np.lexsort((self.positions, rank))
