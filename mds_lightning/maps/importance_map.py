"""The record of one explained image, for maps of every method."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mds_lightning.explain.faithfulness_curves import FaithfulnessCurves
from mds_lightning.maps.explained_image import ExplainedImage
from mds_lightning.maps.fingerprint import Fingerprint


@dataclass(frozen=True, eq=False)
class MapRecord:
    """One explained image without the pixels of its map, which may be large.

    Attributes:
        file: The `.npz` of the map.
        explained: The image, its fold and its true class.
        classes: Classes of the task.
        shown: Index of the class whose map is drawn on the picture.
        probabilities: (classes,), of the whole image.
        low: (classes,), importance that is scaled to 0.
        high: (classes,), importance that is scaled to 1.
        fingerprint: Settings, model and pixels.
        windows: Sides of the covered squares, pixels; empty for methods without windows.
        stride: Step between windows, pixels; 0 for methods without windows.
        drops: For each window size (classes, rows, columns): score of the whole image less that of the
            covered one; empty for methods other than occlusion.
        error: Largest measured error of a drop with reduced precision; 0 where the drops are exact.
        curves: Deletion and insertion curves of the class `shown`; None where they were not measured.
    """

    file: Path
    explained: ExplainedImage
    classes: tuple[str, ...]
    shown: int
    probabilities: NDArray[np.float32]
    low: NDArray[np.float32]
    high: NDArray[np.float32]
    fingerprint: Fingerprint
    windows: tuple[int, ...] = ()
    stride: int = 0
    drops: tuple[NDArray[np.float32], ...] = ()
    error: float = 0.0
    curves: FaithfulnessCurves | None = None

    @property
    def image(self) -> str:
        """Name of the image in the manifest."""
        return self.explained.image

    @property
    def fold(self) -> int:
        """Index of the fold whose model was used."""
        return self.explained.fold

    @property
    def settings(self) -> dict[str, Any]:
        """The settings under `explain` that determined the map, such as method, score and baseline."""
        return self.fingerprint.described

    @property
    def method(self) -> str:
        """Value of `explain.method`."""
        return str(self.settings["method"])

    @property
    def label(self) -> str:
        """The true class; '' where it is unknown."""
        return self.classes[self.explained.target] if self.explained.target >= 0 else ""

    @property
    def predicted(self) -> str:
        """The class with the largest probability."""
        return self.classes[int(self.probabilities.argmax())]

    @property
    def is_correct(self) -> bool:
        """Whether the predicted class is the true one."""
        return int(self.probabilities.argmax()) == self.explained.target

    @property
    def margin(self) -> float:
        """Difference of the two largest probabilities."""
        top = np.sort(self.probabilities)[-2:]
        return float(top[-1] - top[0])

    def largest_drop(self, name: str) -> float | None:
        """Largest drop of the score of the class called `name`; None for methods without drops."""
        k = self.classes.index(name)
        return max(float(drops[k].max()) for drops in self.drops) if self.drops else None

    def is_faint(self, name: str) -> bool:
        """Whether no window reduces the score of this class by `explain.least_drop` or more.

        Such a map looks as distinct as any other after scaling. False for methods without drops.
        """
        largest = self.largest_drop(name)
        return largest is not None and largest < float(self.settings["least_drop"])


@dataclass(frozen=True, eq=False, kw_only=True)
class ImportanceMap(MapRecord):
    """One explained image with its maps.

    Attributes:
        importance: (classes, H, W), each class scaled to 0..1 by itself.
    """

    importance: NDArray[np.float32]

    def of_class(self, name: str) -> NDArray[np.float32]:
        """(H, W) importance for the class called `name`, scaled to 0..1."""
        return self.importance[self.classes.index(name)]

    def unscaled(self, name: str) -> NDArray[np.float32]:
        """(H, W) importance for the class called `name` before scaling: 0 is neutral."""
        k = self.classes.index(name)
        low, high = self.low[k], self.high[k]
        unscaled: NDArray[np.float32] = low + self.importance[k] * (high - low)
        return unscaled
