"""Settings under `explain` of a configuration."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any, get_args

from mds_lightning.explain.method_registry import find_method
from mds_lightning.explain.removed_settings import REMOVED_SETTINGS
from mds_lightning.explain.setting_types import BaselineName, Length, Precision, Score, Target
from mds_lightning.explain.windows import place_windows

_CHOICES: dict[str, Any] = {
    "baseline": BaselineName,
    "score": Score,
    "precision": Precision,
    "target": Target,
}
#: Settings that every method uses.
_COMMON = frozenset({"method", "score", "target"})


@dataclass(frozen=True)
class ExplanationParameters:
    """How images are explained.

    Attributes:
        method: Kind of map: the name of any method in `explain/methods/`; occlusion is exact and fast.
        window: Side of the covered square: pixels (int) or fraction of the longer side (float); with method
            occlusion also a list of sizes, such as [0.0625,0.125], whose maps are averaged.
        stride: Step between windows: pixels (int) or fraction of the longer side (float).
        baseline: What covers a window: background (the image's background colour), blur, mean (mean colour of
            the training images) or zero; for integrated_gradients the start of the path.
        score: What is explained: probability, or logit, which does not saturate.
        precision: full, or bfloat16, which is faster on some machines and not exact: its error is measured
            and recorded. With method occlusion only.
        memory_gb: Memory for activations, GB; null: 1, on a GPU 4.
        target: Class whose map is drawn: predicted, or labelled (the class in the manifest).
        least_drop: A map whose largest drop of the score is smaller is marked: no single region is decisive,
            which scaled colours hide. With method occlusion only.
        faithfulness: Number of images per fold, or of an explain command, whose map is tested by deletion and
            insertion curves (about 30 forward passes each); -1: all, 0: none; null: 4, and none where images
            are classified crop by crop.

    Raises:
        ValueError: A value is out of range, or does not go with the method.
    """

    method: str = "occlusion"
    window: Length | Sequence[Length] = 0.125
    stride: Length = 0.0625
    baseline: BaselineName = "background"
    score: Score = "probability"
    precision: Precision = "full"
    memory_gb: float | None = None
    target: Target = "predicted"
    least_drop: float = 0.05
    faithfulness: int | None = None

    def __post_init__(self) -> None:
        method = find_method(self.method)
        for key, choices in _CHOICES.items():
            if getattr(self, key) not in get_args(choices):
                raise ValueError(
                    f"explain.{key} is {getattr(self, key)!r}: choose one of {', '.join(get_args(choices))}"
                )
        if not isinstance(self.window, int | float):
            object.__setattr__(self, "window", tuple(self.window))
            if not self.windows:
                raise ValueError("explain.window is empty: give one size or several, such as [0.0625,0.125]")
        method.check_settings(self)
        if self.memory_gb is not None and not self.memory_gb > 0:
            raise ValueError(f"explain.memory_gb is {self.memory_gb}: give a number above 0, or null")
        if not self.least_drop >= 0:
            raise ValueError(f"explain.least_drop is {self.least_drop}: give 0 or more")
        if self.faithfulness is not None and self.faithfulness < -1:
            raise ValueError(
                f"explain.faithfulness is {self.faithfulness}: give a number of images, 0 for none "
                "or -1 for all"
            )

    @classmethod
    def from_settings(cls, settings: Mapping[str, Any]) -> "ExplanationParameters":
        """Parameters from the `explain` section of a finished run's config.yaml.

        Args:
            settings: The section; that of version 0.1.0 is accepted where its removed keys had no effect.

        Raises:
            ValueError: A key is unknown, or selects something that was removed.
        """
        removed = {key: settings[key] for key in REMOVED_SETTINGS if key in settings}
        for key, value in removed.items():
            if value != REMOVED_SETTINGS[key]:
                raise ValueError(
                    f"explain.{key}={value} was removed after version 0.1.0: set "
                    f"explain.{key}={REMOVED_SETTINGS[key]} in the run's config.yaml, delete the maps and "
                    "explain again"
                )
        # Used by mode=adaptive alone.
        left = {key: value for key, value in settings.items() if key not in {*removed, "tolerance"}}
        unknown = sorted(left.keys() - {field.name for field in fields(cls)})
        if unknown:
            raise ValueError(f"explain.{unknown[0]} is not a setting: remove it from the run's config.yaml")
        return cls(**left)

    @property
    def windows(self) -> tuple[Length, ...]:
        """The window sizes."""
        return (self.window,) if isinstance(self.window, int | float) else tuple(self.window)

    @property
    def memory(self) -> int | None:
        """Memory for activations, bytes."""
        return None if self.memory_gb is None else round(self.memory_gb * (1 << 30))

    def check_size(self, height: int, width: int) -> None:
        """Raise if the windows do not fit images of this size (pixels).

        Raises:
            ValueError: A length is out of range, or the stride leaves pixels uncovered.
        """
        if "window" in find_method(self.method).settings:
            for window in self.windows:
                try:
                    place_windows(height, width, window, self.stride)
                except ValueError as error:
                    raise ValueError(f"explain.window and explain.stride: {error}") from None

    def check_crops(self) -> None:
        """Raise if images that are classified crop by crop cannot be explained with these settings.

        Raises:
            ValueError: They cannot, or faithfulness curves are asked for.
        """
        find_method(self.method).check_crops(self)
        if self.faithfulness:
            raise ValueError(
                f"explain.faithfulness={self.faithfulness}: images that are classified crop by crop "
                "(data.view=tiles or multi_scale) have no faithfulness curves; set explain.faithfulness=0"
            )

    def describe(self) -> dict[str, Any]:
        """The settings that change a map or its picture, as plain JSON values."""
        used = _COMMON | find_method(self.method).settings
        return {key: value for key, value in asdict(self).items() if key in used}
