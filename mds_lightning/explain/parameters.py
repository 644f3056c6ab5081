"""How an image is explained: the settings under `explain` of a configuration, checked once."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal, TypeAlias, get_args

from mds_lightning.explain.baselines import BaselineName
from mds_lightning.explain.score import Score
from mds_lightning.explain.windows import Length, place_windows

#: occlusion: our engine; captum_occlusion: the reference that it is tested against, a full pass a window and
#: class.
Method: TypeAlias = Literal["occlusion", "captum_occlusion", "integrated_gradients", "layer_gradcam"]
Mode: TypeAlias = Literal["exact", "adaptive"]
Precision: TypeAlias = Literal["full", "bfloat16"]
#: Class whose map is drawn.
Shown: TypeAlias = Literal["predicted", "labelled"]

_CHOICES: dict[str, Any] = {
    "method": Method,
    "baseline": BaselineName,
    "score": Score,
    "mode": Mode,
    "precision": Precision,
    "target": Shown,
}
#: Methods that cover windows.
WINDOWED: tuple[Method, ...] = ("occlusion", "captum_occlusion")


@dataclass(frozen=True)
class ExplanationParameters:
    """How maps are made; see `OcclusionEngine.maps` for what concerns windows.

    Attributes:
        method: Which kind of map.
        window: Side of the square window, pixels (int) or share of the longer side (float); of method
            `occlusion` also several, whose maps are averaged.
        stride: Step between windows, likewise.
        baseline: What covers a patch; for integrated gradients where the path begins.
        score: What is explained.
        mode: `adaptive` leaves windows out where little happens: not exact. Of method `occlusion`.
        tolerance: Of `adaptive`: share of the largest drop that is not looked into.
        precision: `bfloat16` is not exact; its error is measured and noted. Of method `occlusion`.
        memory_gb: What activations may take; None: 1, on a GPU 4.
        target: Class whose map is drawn: the one that was decided, or that of the manifest.
        least_drop: Below this largest drop a map is marked: scaling would hide that it says nothing. On the
            score's scale.

    Raises:
        ValueError: A value that is not one, or does not go with the method.
    """

    method: Method = "occlusion"
    window: Length | Sequence[Length] = 0.125
    stride: Length = 0.0625
    baseline: BaselineName = "background"
    score: Score = "probability"
    mode: Mode = "exact"
    tolerance: float = 0.1
    precision: Precision = "full"
    memory_gb: float | None = None
    target: Shown = "predicted"
    least_drop: float = 0.05

    def __post_init__(self) -> None:
        for key, choices in _CHOICES.items():
            if getattr(self, key) not in get_args(choices):
                raise ValueError(
                    f"explain.{key} is {getattr(self, key)!r}: choose one of {', '.join(get_args(choices))}"
                )
        if not isinstance(self.window, int | float):
            object.__setattr__(self, "window", tuple(self.window))
            if not self.windows:
                raise ValueError("explain.window is empty: give one size or several, such as [0.0625,0.125]")
        for key, default in (("mode", "exact"), ("precision", "full")):
            if getattr(self, key) != default and self.method != "occlusion":
                raise ValueError(
                    f"explain.{key}={getattr(self, key)} is of explain.method=occlusion alone: "
                    f"with {self.method} set explain.{key}={default}"
                )
        if len(self.windows) > 1 and self.method == "captum_occlusion":
            raise ValueError("explain.window: captum_occlusion takes one size; occlusion averages several")
        if self.memory_gb is not None and not self.memory_gb > 0:
            raise ValueError(f"explain.memory_gb is {self.memory_gb}: give a number above 0, or null")
        for key in ("tolerance", "least_drop"):
            if not getattr(self, key) >= 0:
                raise ValueError(f"explain.{key} is {getattr(self, key)}: give 0 or more")

    @property
    def windows(self) -> tuple[Length, ...]:
        """The sizes, one or several."""
        return (self.window,) if isinstance(self.window, int | float) else tuple(self.window)

    @property
    def memory(self) -> int | None:
        """Bytes, for `OcclusionEngine`."""
        return None if self.memory_gb is None else round(self.memory_gb * (1 << 30))

    def check_size(self, height: int, width: int) -> None:
        """Raise if the windows do not fit fields of this size (pixels).

        Raises:
            ValueError: A length is none, or the stride leaves pixels uncovered.
        """
        if self.method in WINDOWED:
            for window in self.windows:
                try:
                    place_windows(height, width, window, self.stride)
                except ValueError as error:
                    raise ValueError(f"explain.window and explain.stride: {error}") from None

    def describe(self) -> dict[str, Any]:
        """Those settings that decide what a map and its picture look like, as plain JSON values."""
        left_out = {"memory_gb"}
        if self.method not in WINDOWED:
            left_out |= {"window", "stride", "least_drop"}
        if self.method == "layer_gradcam":
            left_out |= {"baseline"}
        if self.method != "occlusion":
            left_out |= {"mode", "precision"}
        if self.mode == "exact":
            left_out |= {"tolerance"}
        return {key: value for key, value in asdict(self).items() if key not in left_out}
