"""Precision-recall figure: one curve per fold, and the prevalence as the chance level."""

from collections.abc import Mapping

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import MultipleLocator

from mds_lightning.reporting.figures.style import COLOURS, DASHES, SINGLE_COLUMN, figure_style, new_figure
from mds_lightning.statistics.curves.precision_recall import PrecisionRecallCurve


def draw_precision_recall(
    curves: Mapping[str, PrecisionRecallCurve], title: str, summary: str = ""
) -> Figure:
    """Draw the curves of the folds as step functions.

    Args:
        curves: Legend label to curve; at least one.
        title: Title of the figure.
        summary: Additional legend entry, such as the pooled average precision with its interval.
    """
    with figure_style():
        figure = new_figure(SINGLE_COLUMN, SINGLE_COLUMN * 1.02)
        axes = figure.add_subplot()
        prevalence = float(np.mean([curve.prevalence for curve in curves.values()]))
        axes.axhline(prevalence, color="0.6", linewidth=0.6, linestyle=(0, (1, 2)), zorder=0)
        for k, (name, curve) in enumerate(curves.items()):
            axes.step(
                np.concatenate([[0], curve.recall]),
                np.concatenate([curve.precision[:1], curve.precision]),
                where="pre",
                color=COLOURS[k % (len(COLOURS) - 1)],
                dashes=DASHES[k % len(DASHES)],
                linewidth=0.9,
                label=f"{name}: AP {curve.average_precision:.3f}",
            )
        if summary:
            axes.plot([], [], " ", label=summary)
        axes.annotate(
            f"chance: {prevalence:.2f}", (0.01, prevalence), (0, 2), textcoords="offset points", fontsize=6
        )
        axes.set_title(title, loc="left")
        axes.set_xlabel("Recall (sensitivity)")
        axes.set_ylabel("Precision (positive predictive value)")
        axes.set_xlim(-0.015, 1.015)
        axes.set_ylim(-0.015, 1.015)
        axes.set_aspect("equal")
        for axis in (axes.xaxis, axes.yaxis):
            axis.set_major_locator(MultipleLocator(0.2))
        axes.legend(loc="lower left", handlelength=2.6, borderaxespad=0.2)
    return figure
