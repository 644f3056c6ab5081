"""Rules for splitting, concatenating and reordering channels, which copy nothing; see `layer_rules`."""

from typing import Any

import numpy as np

from mds_lightning.explain.incremental.graph.node_values import BATCH, Call, Grouped, Spatial
from mds_lightning.explain.incremental.graph.program_builder import Builder
from mds_lightning.explain.incremental.program.channels import Channels


def concatenate(builder: Builder, call: Call) -> Any:
    """Channels of several maps, one after the other."""
    del builder
    axis = call.given("dim", dim=0)["dim"]
    parts = call.subject
    if axis not in (1, -3) or not all(isinstance(part, Spatial) for part in parts):
        return None
    return Spatial(Channels.join([part.channels for part in parts]), parts[0].size)


def split(builder: Builder, call: Call) -> Any:
    """Chunk and split: a tuple of maps."""
    del builder
    if call.given("sizes", "dim", dim=0)["dim"] not in (1, -3):
        return None
    stops = np.cumsum([part.shape[1] for part in call.result])
    x = call.subject
    return tuple(
        Spatial(x.channels.take(slice(int(stop - part.shape[1]), int(stop))), x.size)
        for stop, part in zip(stops, call.result, strict=True)
    )


def take(builder: Builder, call: Call) -> Any:
    """One map of a tuple, or some channels of a map."""
    del builder
    subject, index = call.subject, call.arguments[1]
    if not isinstance(subject, Spatial):
        # A tuple of maps; a tuple of sizes depends on the batch and is left to the graph.
        is_split = isinstance(subject, tuple) and all(isinstance(part, Spatial) for part in subject)
        return subject[index] if is_split and isinstance(index, int | slice) else None
    everything = slice(None)
    if not isinstance(index, tuple) or len(index) < 2 or not all(isinstance(part, slice) for part in index):
        return None
    if any(part != everything for axis, part in enumerate(index) if axis != 1):
        return None
    return Spatial(subject.channels.take(index[1]), subject.size)


def view(builder: Builder, call: Call) -> Any:
    """Channels as a table, or a table as channels: first and last step of a shuffle."""
    del builder
    subject, shape = call.subject, tuple(call.result.shape)
    if shape[0] != BATCH:
        return None
    if isinstance(subject, Spatial):
        if shape[1:] == subject.shape:
            return subject
        if len(shape) == 5 and shape[3:] == subject.size:
            return Grouped(subject, np.arange(len(subject.channels)).reshape(shape[1:3]))
    if isinstance(subject, Grouped) and shape == (BATCH, *subject.spatial.shape):
        return Spatial(subject.spatial.channels.take(subject.table.reshape(-1)), subject.spatial.size)
    return None


def transpose(builder: Builder, call: Call) -> Any:
    """Transposed table of channels: second step of a shuffle."""
    del builder
    if isinstance(call.subject, Grouped) and {axis % 5 for axis in call.arguments[1:3]} == {1, 2}:
        return Grouped(call.subject.spatial, call.subject.table.T)
    return None


def shuffle(builder: Builder, call: Call) -> Any:
    """Channel shuffle in one call."""
    del builder
    groups, x = call.given("groups")["groups"], call.subject
    return Spatial(x.channels.take(np.arange(len(x.channels)).reshape(groups, -1).T.reshape(-1)), x.size)


def keep(builder: Builder, call: Call) -> Any:
    """An operation that changes only where the map is stored."""
    del builder
    return call.subject
