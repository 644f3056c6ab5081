"""Random streams: each is found by its own key, so that nobody's draws depend on anyone else's."""

import numpy as np


def child_seed(seed: np.random.SeedSequence, *key: int) -> np.random.SeedSequence:
    """The stream `key` below `seed`: unlike `SeedSequence.spawn`, the same one at every call."""
    return np.random.SeedSequence(seed.entropy, spawn_key=(*seed.spawn_key, *key))


def child_generator(seed: np.random.SeedSequence, *key: int) -> np.random.Generator:
    """A generator on the stream `key` below `seed`."""
    return np.random.default_rng(child_seed(seed, *key))
