"""How figures look: journal width, legible in grey, colour-blind safe; PNG and SVG."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.figure import Figure

from mds_lightning.tracking.run_directory import write_atomically

#: Widths of one and two columns of a journal page, inches (89 and 183 mm).
SINGLE_COLUMN = 89 / 25.4
DOUBLE_COLUMN = 183 / 25.4

#: Okabe and Ito's colours, safe for the colour blind, ordered so that neighbours also differ in lightness.
COLOURS = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#F0E442", "#000000")
#: A second cue beside the colour, for print in grey.
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
def house_style() -> Iterator[None]:
    """Draw within this context; the caller's own settings come back afterwards."""
    with mpl.rc_context(_SETTINGS):
        yield


def new_figure(width: float, height: float) -> Figure:
    """A figure of so many inches that belongs to no window and no global list."""
    return Figure(figsize=(width, height), layout="constrained")


def save_figure(figure: Figure, stem: Path) -> tuple[Path, Path]:
    """Write `<stem>.png` and `<stem>.svg`; the same figure gives the same bytes. Returns both paths."""
    written = []
    for suffix, metadata in ((".png", {"Software": None}), (".svg", {"Date": None, "Creator": None})):
        path = stem.with_name(stem.name + suffix)
        with house_style(), write_atomically(path) as temporary:
            figure.savefig(temporary, metadata=metadata)
        # The first drawing has found every place; the second file shows the same picture.
        figure.set_layout_engine("none")
        written.append(path)
    return written[0], written[1]
