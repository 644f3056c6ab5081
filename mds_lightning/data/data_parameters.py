"""The settings `data` and `sampling` of a configuration.

Imports no torch, so that the command line can read the settings.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

from mds_lightning.data.decode import MAX_PIXELS

ViewName: TypeAlias = Literal["whole", "tiles", "multi_scale"]
SamplingName: TypeAlias = Literal["balanced", "natural", "weighted_loss"]
StainMethod: TypeAlias = Literal["reinhard", "macenko"]
OnError: TypeAlias = Literal["raise", "skip"]


@dataclass(frozen=True)
class ReadingParameters:
    """How images are read, whatever the size of the network's input.

    Attributes:
        view: `whole`: the field resized to `image_size`; `tiles`: crops of that size at the field's own
            resolution; `multi_scale`: both.
        tile_overlap: Smallest fraction of a tile's side that is shared with its neighbour when a whole field
            is predicted, in [0, 1).
        magnification: Scale of the field that tiles are cut from, in (0, 1]; 0.5: half as many pixels along
            each side.
        batch_size: Images per step and device.
        num_workers: Processes that decode and augment; 0: the training process itself.
        max_pixels: Largest image that is decoded (height x width); protects from decompression bombs.
        on_error: What happens with images that cannot be decoded: `raise` stops the run, `skip` continues
            without them and lists them in the run's skipped.csv.
        max_skipped: Largest fraction of the cohort's images that `skip` leaves out, in [0, 1]; more stop the
            run.
        max_worker_deaths: Number of times that a run continues from its last epoch after one of its workers
            was killed; 0: it stops.
    """

    view: ViewName = "whole"
    tile_overlap: float = 0.0
    magnification: float = 1.0
    batch_size: int = 8
    num_workers: int = 0
    max_pixels: int = MAX_PIXELS
    on_error: OnError = "raise"
    max_skipped: float = 0.05
    max_worker_deaths: int = 0

    def __post_init__(self) -> None:
        for key, least in (
            ("batch_size", 1),
            ("num_workers", 0),
            ("max_pixels", 1),
            ("max_worker_deaths", 0),
        ):
            if getattr(self, key) < least:
                raise ValueError(f"data.{key} is {getattr(self, key)}: give {least} or more")
        if self.on_error not in ("raise", "skip"):
            raise ValueError(f"data.on_error is {self.on_error!r}: choose raise or skip")
        if not 0 <= self.max_skipped <= 1:
            raise ValueError(
                f"data.max_skipped is {self.max_skipped}: give a fraction of the images in [0, 1]"
            )


@dataclass(frozen=True)
class DataParameters(ReadingParameters):
    """The settings `data`.

    Attributes:
        image_size: Size of the network's input in pixels: the longer side (the shape is then that of the most
            common field), or [height, width].
        stain: Stain normalization of every field to one target; null: none.
        stain_reference: Image with the target's colours (not of a patient in the cohort); null: those of a
            simulated smear.
    """

    image_size: int | Sequence[int] = 320
    stain: StainMethod | None = None
    stain_reference: str | None = None


@dataclass(frozen=True)
class SamplingParameters:
    """The settings `sampling`.

    Attributes:
        name: How the training images of an epoch are drawn: `balanced`: every class equally often; `natural`:
            every image once; `weighted_loss`: every image once, with classes weighted in the loss.
    """

    name: SamplingName = "balanced"
