"""Decision curve: net benefit of the model, of treating everyone, of treating no one."""

import pandas as pd
from matplotlib.figure import Figure

from mds_lightning.reporting.figures.style import COLOURS, SINGLE_COLUMN, figure_style, new_figure


def draw_decision(table: pd.DataFrame, title: str) -> Figure:
    """Draw a decision curve with its confidence band.

    Args:
        table: Columns threshold, model (net benefit), low and high (its interval), and all (net benefit of
            predicting all patients positive).
        title: Title of the figure.
    """
    with figure_style():
        figure = new_figure(SINGLE_COLUMN, SINGLE_COLUMN * 0.8)
        axes = figure.add_subplot()
        axes.fill_between(table["threshold"], table["low"], table["high"], color=COLOURS[0], alpha=0.2, lw=0)
        axes.plot(table["threshold"], table["model"], color=COLOURS[0], linewidth=1.4, label="model")
        axes.plot(table["threshold"], table["all"], color="0.35", dashes=(4, 1.5), label="all positive")
        axes.axhline(0, color="black", linewidth=0.8, dashes=(1, 1), label="none positive")
        top = max(float(table["high"].max()), float(table["all"].max()), 0.05)
        axes.set_ylim(-0.25 * top, 1.1 * top)
        axes.set_xlim(0, 1)
        axes.set_title(title, loc="left")
        axes.set_xlabel("Threshold probability")
        axes.set_ylabel("Net benefit")
        axes.legend(loc="upper right")
    return figure
