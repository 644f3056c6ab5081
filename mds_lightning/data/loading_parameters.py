"""Parameters of loading images: size, batches, workers, undecodable images, views."""

from dataclasses import dataclass, field

from mds_lightning.data.augmentation import AugmentationParameters
from mds_lightning.data.data_parameters import ReadingParameters
from mds_lightning.data.resize_spec import ResizeSpec
from mds_lightning.data.stain_normalization import StainNormalization
from mds_lightning.data.views import RandomViews, ViewParameters


@dataclass(frozen=True)
class LoadingParameters(ReadingParameters):
    """`ReadingParameters`, with the size of the input and the stain normalization that were asked for.

    Attributes:
        size: (height, width) of the network's input, pixels.
        stain: Stain normalization of the fields; None: colours stay unchanged.
    """

    size: tuple[int, int] = field(kw_only=True)
    stain: StainNormalization | None = field(default=None, kw_only=True)

    def __post_init__(self) -> None:
        super().__post_init__()
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
