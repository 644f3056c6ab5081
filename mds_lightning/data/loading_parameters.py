"""Parameters of loading images: size, batches, workers, undecodable images, views."""

from dataclasses import dataclass
from typing import Literal

from mds_lightning.data.augmentation import AugmentationParameters
from mds_lightning.data.decode import MAX_PIXELS
from mds_lightning.data.resize_spec import ResizeSpec
from mds_lightning.data.stain_normalization import StainNormalization
from mds_lightning.data.views import RandomViews, ViewName, ViewParameters


@dataclass(frozen=True)
class LoadingParameters:
    """How images are loaded.

    Attributes:
        size: (height, width) of the network's input, pixels.
        batch_size: Images per step and device.
        num_workers: Processes that load and augment images; 0: the training process itself.
        max_pixels: Largest image that is decoded (height x width); protects against decompression bombs.
        on_error: What to do about images that cannot be decoded. `raise`: stop; `skip`: continue without
            them.
        max_skipped: Largest fraction of the cohort's images that `skip` may leave out, in [0, 1].
        max_worker_deaths: How often the run restarts after one of its workers was killed; 0: it stops.
        stain: Stain normalisation of the fields; None: colours stay unchanged.
        view: What the network is shown of a field, see `ViewParameters`.
        tile_overlap: See `ViewParameters.overlap`.
        magnification: See `ViewParameters`.
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
            raise ValueError(
                f"data.max_skipped is {self.max_skipped}: give a fraction of the images in [0, 1]"
            )
        assert self.views  # Its constructor refuses invalid values.

    @property
    def views(self) -> ViewParameters:
        """The parameters of the view."""
        return ViewParameters(self.size, self.view, self.tile_overlap, self.magnification)


def required_resize_specs(
    loading: LoadingParameters, augmentation: AugmentationParameters
) -> tuple[ResizeSpec, ...]:
    """All sizes in which fields are read, without duplicates; the cache stores each of them.

    They are those of training and of evaluation, and the whole field, on which maps are drawn.
    """
    views = loading.views
    read = [
        *RandomViews(views, augmentation).resize_specs,
        *([views.native] if views.has_tiles else ()),
        views.whole,
    ]
    return tuple(dict.fromkeys(read))
