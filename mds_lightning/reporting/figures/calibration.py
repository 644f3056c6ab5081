"""Reliability diagram with a histogram of the predicted probabilities."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure

from mds_lightning.reporting.figures.style import COLOURS, SINGLE_COLUMN, figure_style, new_figure
from mds_lightning.statistics.curves.reliability import ReliabilityBin

_MARKERS = ("o", "s", "D", "^")


def draw_reliability(curves: Mapping[str, Sequence[ReliabilityBin]], positive: str, title: str) -> Figure:
    """Draw reliability curves with intervals above a histogram of the predictions.

    Args:
        curves: Legend label (such as `as predicted`) to bins. Their intervals are Wilson's at patient level
            and percentile intervals of the bootstrap over patients at image level.
        positive: Class whose probability is shown.
        title: Title of the figure.
    """
    with figure_style():
        figure = new_figure(SINGLE_COLUMN, SINGLE_COLUMN * 1.25)
        above, below = figure.subplots(2, 1, height_ratios=[4, 1], sharex=True)
        above.plot([0, 1], [0, 1], color="0.6", linewidth=0.6, linestyle=(0, (1, 2)), zorder=0)
        for k, (name, bins) in enumerate(curves.items()):
            predicted = np.array([one.predicted for one in bins])
            observed = np.array([one.observed for one in bins])
            low = np.array([one.interval.low for one in bins])
            high = np.array([one.interval.high for one in bins])
            above.errorbar(
                predicted,
                observed,
                np.abs([observed - low, high - observed]),
                color=COLOURS[k],
                marker=_MARKERS[k % len(_MARKERS)],
                markersize=3,
                linewidth=0.9,
                elinewidth=0.5,
                linestyle="-" if k == 0 else "--",
                label=name,
            )
            offset = 0.05 if len(curves) == 1 else 0.03 + 0.04 * k
            below.bar(
                [one.low + offset for one in bins],
                [one.rows for one in bins],
                0.035 if len(curves) > 1 else 0.07,
                color=COLOURS[k],
            )
        above.set_title(title, loc="left")
        above.set_ylabel(f"Observed fraction of {positive}")
        above.set_xlim(-0.02, 1.02)
        above.set_ylim(-0.02, 1.02)
        above.legend(loc="upper left")
        below.set_ylabel("rows")
        below.set_xlabel(f"Predicted probability of {positive}")
    return figure
