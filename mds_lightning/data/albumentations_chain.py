"""Further transforms of a training view, by albumentations' own names: noise, blur, dropout and others.

The only file that knows albumentations (unmaintained since 2.0.8, MIT): it can be replaced here alone. The
paper's augmentation does not come here; it is one warp and one matrix in `augmentation`.
"""

import random
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from typing import Any

import numpy as np
from numpy.typing import NDArray


class FurtherTransforms:
    """A chain of albumentations' transforms, as a function of the view and a seed alone.

    All transforms of a draw share one stream of random numbers. `Compose.set_random_seed` would give each
    transform a stream of its own from the same seed (two flips would then always happen together), and
    without a seed albumentations 2.0.8 repeats its parameters in every worker.

    Args:
        transforms: One mapping of a name to its arguments each, such as `{"GaussNoise": {"p": 0.3}}`.

    Raises:
        ValueError: albumentations has no such transform, or it does not take these arguments.
    """

    def __init__(self, transforms: Sequence[Mapping[str, Mapping[str, Any] | None]]) -> None:
        import albumentations

        built = []
        for entry in transforms:
            if not isinstance(entry, Mapping) or len(entry) != 1:
                raise ValueError(
                    f"augmentation.further has {entry!r}: write one {{Name: {{key: value}}}} each"
                )
            [(name, arguments)] = entry.items()
            kind = getattr(albumentations, name, None)
            if not (isinstance(kind, type) and issubclass(kind, albumentations.BasicTransform)):
                near = get_close_matches(name, dir(albumentations), n=1)
                hint = f"; did you mean {near[0]}?" if near else ""
                raise ValueError(f"augmentation.further: albumentations has no transform {name}{hint}")
            try:
                built.append(kind(**(arguments or {})))
            except (TypeError, ValueError) as error:
                raise ValueError(f"augmentation.further, {name}: {error}") from error
        self._compose = albumentations.Compose(built)

    def __call__(self, view: NDArray[np.uint8], seed: int) -> NDArray[np.uint8]:
        """Transform `view` (H, W, 3), keeping its shape and dtype.

        Raises:
            ValueError: A transform changes the shape or the dtype, which the network's input cannot.
        """
        # Apart from the stream of the geometry and the colours, which starts from the bare seed.
        self._compose.set_random_state(np.random.default_rng([seed, 2]), random.Random(seed))
        changed: NDArray[np.uint8] = self._compose(image=view)["image"]
        if changed.shape != view.shape or changed.dtype != view.dtype:
            raise ValueError(
                f"augmentation.further turns {view.shape} {view.dtype} into {changed.shape} {changed.dtype}: "
                "leave out what resizes or normalises"
            )
        return changed
