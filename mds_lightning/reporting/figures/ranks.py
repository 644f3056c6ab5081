"""Rank figure: interval of every model, and the distribution of its rank over bootstrap resamples."""

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from mds_lightning.reporting.figures.style import DOUBLE_COLUMN, figure_style, new_figure
from mds_lightning.statistics.comparison import Comparison


def draw_ranks(comparison: Comparison, title: str) -> Figure:
    """Draw the models, best first: ROC-AUC with interval on the left, rank distribution on the right.

    Args:
        comparison: Comparison of two or more models.
        title: Title of the left panel.
    """
    models = comparison.models
    n = len(models)
    with figure_style():
        figure = new_figure(DOUBLE_COLUMN, 0.9 + 0.22 * n)
        left, right = figure.subplots(1, 2, sharey=True, width_ratios=[1, 1])
        rows = np.arange(n)
        value = models["roc_auc_within_folds"].to_numpy(float)
        error = np.abs([value - models["low"].to_numpy(float), models["high"].to_numpy(float) - value])
        left.errorbar(value, rows, xerr=error, fmt="o", color="black", markersize=3, elinewidth=0.8)
        left.set_yticks(rows, models["model"])
        left.set_ylim(n - 0.5, -0.5)
        left.grid(axis="x", color="0.9", linewidth=0.5)
        left.set_xlabel("ROC-AUC within folds, patient level")
        left.set_title(title, loc="left")
        picture = right.imshow(
            comparison.rank_fractions,
            cmap="Greys",
            vmin=0,
            vmax=1,
            aspect="auto",
            extent=(0.5, n + 0.5, n - 0.5, -0.5),
        )
        for row in rows:
            for rank, fraction in enumerate(comparison.rank_fractions[row], start=1):
                if fraction >= 0.01 and n <= 20:
                    colour = "white" if fraction > 0.5 else "black"
                    right.text(
                        rank, row, f"{fraction:.0%}", ha="center", va="center", fontsize=5, color=colour
                    )
        right.xaxis.set_major_locator(MaxNLocator(integer=True))
        right.set_xlabel("Rank (fraction of bootstrap resamples)")
        right.set_title("rank uncertainty", loc="left")
        right.tick_params(left=False)
        bar = figure.colorbar(picture, ax=right, fraction=0.04, pad=0.02)
        bar.outline.set_visible(False)
    return figure
