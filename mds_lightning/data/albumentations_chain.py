"""Additional transforms of a training view from albumentations: noise, blur, dropout and others.

The only file that imports albumentations (unmaintained since 2.0.8, MIT), so that it can be replaced here.
The augmentation of the paper does not use it: that is one warp and one colour matrix, see `augmentation`.
"""

import os
import random
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from typing import Any

import numpy as np
from numpy.typing import NDArray


class AlbumentationsChain:
    """A sequence of albumentations transforms, deterministic given the view and a seed.

    All transforms of one view share one random stream. `Compose.set_random_seed` would seed the stream of
    each transform with the same number (two flips would then always occur together), and without a seed
    albumentations 2.0.8 draws the same parameters in every worker.

    Args:
        transforms: One mapping of name to arguments for each transform, such as `{"GaussNoise": {"p": 0.3}}`.

    Raises:
        ValueError: albumentations has no transform of that name, or the transform refuses the arguments.
    """

    def __init__(self, transforms: Sequence[Mapping[str, Mapping[str, Any] | None]]) -> None:
        # At its import albumentations asks a server whether there is a newer version.
        os.environ["NO_ALBUMENTATIONS_UPDATE"] = "1"
        import albumentations

        built = []
        for entry in transforms:
            if not isinstance(entry, Mapping) or len(entry) != 1:
                raise ValueError(
                    f"augmentation.further has {entry!r}: write each transform as {{Name: {{key: value}}}}"
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
        """Transform `view` (uint8, H x W x 3); shape and dtype are kept.

        Raises:
            ValueError: A transform changes the shape or the dtype, which the network's input does not allow.
        """
        # Independent of the stream for geometry and colour, which is seeded with the bare seed.
        self._compose.set_random_state(np.random.default_rng([seed, 2]), random.Random(seed))
        changed: NDArray[np.uint8] = self._compose(image=view)["image"]
        if changed.shape != view.shape or changed.dtype != view.dtype:
            raise ValueError(
                f"augmentation.further turns {view.shape} {view.dtype} into {changed.shape} {changed.dtype}: "
                "remove the transform that resizes or normalises"
            )
        return changed
