"""Independent random streams, each addressed by its own key."""

import numpy as np


def child_seed(seed: np.random.SeedSequence, *key: int) -> np.random.SeedSequence:
    """The child of `seed` with this key; unlike `SeedSequence.spawn`, every call returns the same."""
    return np.random.SeedSequence(seed.entropy, spawn_key=(*seed.spawn_key, *key))


def child_generator(seed: np.random.SeedSequence, *key: int) -> np.random.Generator:
    """A generator for the child of `seed` with this key."""
    return np.random.default_rng(child_seed(seed, *key))
