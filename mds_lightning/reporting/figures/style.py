"""Style of the figures: journal width, legible in grey, colour-blind safe; PNG and SVG."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.figure import Figure

from mds_lightning.cohort.atomic_file import write_atomically

#: Widths of one and two journal columns, inches (89 and 183 mm).
SINGLE_COLUMN = 89 / 25.4
DOUBLE_COLUMN = 183 / 25.4

#: Colour-blind safe palette of Okabe and Ito, ordered so that neighbours also differ in lightness.
COLOURS = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#F0E442", "#000000")
#: Dash patterns, which distinguish curves in greyscale print.
DASHES: tuple[tuple[float, ...], ...] = ((), (4, 1.5), (1, 1), (4, 1.5, 1, 1.5), (7, 1.5), (2, 1))

_SETTINGS: dict[Any, Any] = {
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans"],
    "font.size": 7,
    "axes.titlesize": 8,
    "axes.labelsize": 7,
    "axes.linewidth": 0.6,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "xtick.labelsize": 6.5,
    "ytick.labelsize": 6.5,
    "xtick.major.width": 0.6,
    "ytick.major.width": 0.6,
    "legend.fontsize": 6,
    "legend.frameon": True,
    "legend.framealpha": 0.85,
    "legend.edgecolor": "none",
    "legend.fancybox": False,
    "lines.linewidth": 1.0,
    "savefig.dpi": 300,
    "svg.fonttype": "none",
    "svg.hashsalt": "mds_lightning",
}


@contextmanager
def figure_style() -> Iterator[None]:
    """Context in which figures are drawn with the style; matplotlib settings are restored afterwards."""
    with mpl.rc_context(_SETTINGS):
        yield


def new_figure(width: float, height: float) -> Figure:
    """A figure of the given size in inches that is not registered with pyplot."""
    return Figure(figsize=(width, height), layout="constrained")


def save_figure(figure: Figure, stem: Path) -> tuple[Path, Path]:
    """Write `<stem>.png` and `<stem>.svg` (equal figures give equal bytes); returns both paths."""
    written = []
    for suffix, metadata in ((".png", {"Software": None}), (".svg", {"Date": None, "Creator": None})):
        path = stem.with_name(stem.name + suffix)
        with figure_style(), write_atomically(path) as temporary:
            figure.savefig(temporary, metadata=metadata)
        # The layout was computed for the first file; freeze it so that both files are equal.
        figure.set_layout_engine("none")
        written.append(path)
    return written[0], written[1]
