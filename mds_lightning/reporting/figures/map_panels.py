"""Figure 3 of the paper: images and their importance maps side by side, with panel letters."""

from collections.abc import Sequence
from dataclasses import dataclass
from string import ascii_uppercase

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.image import AxesImage
from numpy.typing import NDArray

from mds_lightning.maps.overlay import COLOURS
from mds_lightning.reporting.figures.style import DOUBLE_COLUMN, figure_style, new_figure


@dataclass(frozen=True)
class ExplainedField:
    """One image with its map.

    Attributes:
        image: RGB, uint8, (H, W, 3).
        importance: Scaled to 0..1, (H, W).
        caption: Class, probability and largest drop.
    """

    image: NDArray[np.uint8]
    importance: NDArray[np.float32]
    caption: str


def draw_maps(fields: Sequence[ExplainedField], title: str = "") -> Figure:
    """Draw a row for each image: the image on the left, its map over the image in grey on the right.

    Args:
        fields: At least one, at most thirteen (two panel letters each).
        title: Of the figure.

    Raises:
        ValueError: No image, or more than there are panel letters for.
    """
    if not 1 <= len(fields) <= len(ascii_uppercase) // 2:
        raise ValueError(f"a figure of maps shows 1 to {len(ascii_uppercase) // 2} images, not {len(fields)}")
    height, width = fields[0].image.shape[:2]
    with figure_style():
        panel = DOUBLE_COLUMN * 0.46
        figure = new_figure(DOUBLE_COLUMN, len(fields) * (panel * height / width + 0.22) + 0.35)
        if title:
            figure.suptitle(title, x=0.01, ha="left", fontsize=8)
        grid = figure.subplots(len(fields), 2, squeeze=False)
        letters = iter(ascii_uppercase)
        for (left, right), field in zip(grid, fields, strict=True):
            left.imshow(field.image)
            picture = _draw_map(right, field)
            for axes, text in ((left, field.caption), (right, "")):
                axes.set_axis_off()
                axes.set_title(f"{next(letters)}  {text}", loc="left", fontsize=7)
        bar = figure.colorbar(picture, ax=grid[:, 1].tolist(), fraction=0.035, ticks=[0, 0.5, 1])
        bar.set_label("importance")
        if bar.solids is not None:
            bar.solids.set_alpha(1)
    return figure


def _draw_map(axes: Axes, field: ExplainedField) -> AxesImage:
    grey = field.image.astype(float) @ np.array([0.299, 0.587, 0.114]) / 255
    axes.imshow(grey, cmap="gray", vmin=0, vmax=1)
    opacity = np.where(field.importance < 0.5, 0.35, 0.25 + 0.5 * field.importance)
    return axes.imshow(field.importance, cmap=COLOURS, vmin=0, vmax=1, alpha=opacity)
