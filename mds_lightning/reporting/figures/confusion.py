"""Confusion matrices side by side, one per level."""

from collections.abc import Mapping

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from mds_lightning.reporting.figures.style import DOUBLE_COLUMN, figure_style, new_figure

#: Cells with a larger fraction of their row are dark and get white text.
_DARK = 0.55


def draw_confusion(
    matrices: Mapping[str, NDArray[np.float64]], classes: tuple[str, ...], title: str
) -> Figure:
    """Draw counts and fractions of each true class.

    Args:
        matrices: Title (such as `patient level`) to counts of shape (true class, predicted class).
        classes: Class names, in the order of rows and columns.
        title: Title of the figure.
    """
    with figure_style():
        width = min(DOUBLE_COLUMN, 0.5 + len(matrices) * (0.9 + 0.75 * len(classes)))
        figure = new_figure(width, 0.9 + 0.75 * len(classes))
        figure.suptitle(title, x=0.01, ha="left", fontsize=8)
        for axes, (name, counts) in zip(
            np.atleast_1d(figure.subplots(1, len(matrices))), matrices.items(), strict=True
        ):
            total = counts.sum(axis=1, keepdims=True)
            fraction = np.divide(counts, total, out=np.zeros_like(counts), where=total > 0)
            axes.imshow(fraction, cmap="Blues", vmin=0, vmax=1.15)
            for (row, column), count in np.ndenumerate(counts):
                axes.text(
                    column,
                    row,
                    f"{count:.0f}\n{fraction[row, column]:.0%}",
                    ha="center",
                    va="center",
                    color="white" if fraction[row, column] > _DARK else "black",
                )
            axes.set_xticks(range(len(classes)), classes)
            axes.set_yticks(range(len(classes)), classes, rotation=90, va="center")
            axes.set_xlabel("predicted")
            axes.set_ylabel("true")
            axes.set_title(name, loc="left", fontsize=7)
            axes.tick_params(length=0)
            axes.spines[:].set_visible(False)
    return figure
