"""How images travel from disk to the network."""

from dataclasses import dataclass
from typing import Literal

from mds_lightning.data.augmentation import AugmentationParameters
from mds_lightning.data.decode import MAX_PIXELS
from mds_lightning.data.resize_spec import Form
from mds_lightning.data.stain_normalization import StainNormalization
from mds_lightning.data.views import RandomViews, ViewName, ViewParameters


@dataclass(frozen=True)
class LoadingParameters:
    """What decides on it.

    Attributes:
        size: (height, width) of the network's input, pixels.
        batch_size: Images a step and device.
        num_workers: Processes that decode and augment; 0: the training process itself.
        max_pixels: Largest image that is decoded (height x width); a guard against decompression bombs.
        on_error: What becomes of images that cannot be decoded: the run stops, or goes on without them.
        max_skipped: Largest share of the cohort's images that `skip` leaves out.
        max_worker_deaths: So many times the run goes on when one of `num_workers` was killed; 0: it stops.
        stain: What brings the fields' colours together; None: they stay as they are.
        view: What is seen of a field, see `ViewParameters`; likewise `tile_overlap` and `magnification`.
    """

    size: tuple[int, int]
    batch_size: int = 32
    num_workers: int = 0
    max_pixels: int = MAX_PIXELS
    on_error: Literal["raise", "skip"] = "raise"
    max_skipped: float = 0.05
    max_worker_deaths: int = 0
    stain: StainNormalization | None = None
    view: ViewName = "whole"
    tile_overlap: float = 0.0
    magnification: float = 1.0

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
            raise ValueError(f"data.max_skipped is {self.max_skipped}: give a share of the images in [0, 1]")
        assert self.views  # Refuses what makes no sense.

    @property
    def views(self) -> ViewParameters:
        """What is seen of a field."""
        return ViewParameters(self.size, self.view, self.tile_overlap, self.magnification)


def loading_forms(loading: LoadingParameters, augmentation: AugmentationParameters) -> tuple[Form, ...]:
    """What is read of every field, each form once: what a cache should hold.

    In training, in evaluation, and (at the end) the whole field that is shown to people.
    """
    views = loading.views
    read = [
        *RandomViews(views, augmentation).forms,
        *([views.native] if views.has_tiles else ()),
        views.whole,
    ]
    return tuple(dict.fromkeys(read))
