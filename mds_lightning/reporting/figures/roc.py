"""ROC figure: one curve per fold, their macro average with its band, areas in the legend."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MultipleLocator

from mds_lightning.reporting.figures.style import COLOURS, DASHES, SINGLE_COLUMN, figure_style, new_figure
from mds_lightning.statistics.curves.roc import AveragedRoc, RocCurve, average_vertically


def draw_roc(
    curves: Mapping[str, RocCurve],
    title: str,
    pooled: RocCurve | None = None,
    remarks: Sequence[str] = (),
) -> Figure:
    """Draw the curves of the folds, their macro average, and the pooled curve.

    Args:
        curves: Legend label (such as `fold 0`) to curve; at least one.
        title: Title of the figure, such as `MDS vs donor, patient level`.
        pooled: Curve of the rows of all folds, or None.
        remarks: Additional legend entries, such as areas with their intervals; the first one labels the
            pooled curve, if given.
    """
    with figure_style():
        figure = new_figure(SINGLE_COLUMN, SINGLE_COLUMN * 1.02)
        axes = figure.add_subplot()
        axes.plot([0, 1], [0, 1], color="0.6", linewidth=0.6, linestyle=(0, (1, 2)), zorder=0)
        for k, (name, curve) in enumerate(curves.items()):
            axes.plot(
                curve.false_positive_rate,
                curve.true_positive_rate,
                color=COLOURS[k % (len(COLOURS) - 1)],
                dashes=DASHES[k % len(DASHES)],
                linewidth=0.9,
                alpha=0.9,
                label=f"{name}: AUC {curve.auc:.3f}",
            )
        if len(curves) > 1:
            _draw_average(axes, average_vertically(list(curves.values())))
        rest = list(remarks)
        if pooled is not None:
            name = rest.pop(0) if rest else f"pooled: AUC {pooled.auc:.3f}"
            x, y = pooled.false_positive_rate, pooled.true_positive_rate
            axes.plot(x, y, color="black", linewidth=0.8, dashes=(6, 1, 1, 1, 1, 1), label=name)
        for remark in rest:
            axes.plot([], [], " ", label=remark)
        _format_axes(axes, title)
    return figure


def _draw_average(axes: Axes, average: AveragedRoc) -> None:
    axes.fill_between(
        average.false_positive_rate,
        np.clip(average.true_positive_rate - average.deviation, 0, 1),
        np.clip(average.true_positive_rate + average.deviation, 0, 1),
        color="0.82",
        linewidth=0,
        zorder=0.5,
        label="±1 SD over folds",
    )
    axes.plot(
        average.false_positive_rate,
        average.true_positive_rate,
        color="black",
        linewidth=1.8,
        label=f"macro average: AUC {average.auc:.3f} ± {average.auc_deviation:.3f}",
    )


def _format_axes(axes: Axes, title: str) -> None:
    axes.set_title(title, loc="left")
    axes.set_xlabel("1 − specificity (false positive rate)")
    axes.set_ylabel("Sensitivity (true positive rate)")
    axes.set_xlim(-0.015, 1.015)
    axes.set_ylim(-0.015, 1.015)
    axes.set_aspect("equal")
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_locator(MultipleLocator(0.2))
    axes.legend(loc="lower right", handlelength=2.6, borderaxespad=0.2)
