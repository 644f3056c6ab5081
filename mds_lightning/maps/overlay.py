"""Rendering of an image and its importance map."""

from io import BytesIO

import numpy as np
import numpy.typing as npt
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from PIL import Image

#: Blue and faint below one half, red from one half on (as in the paper).
COLOURS = LinearSegmentedColormap.from_list(
    "importance",
    [
        (0.0, "#313695"),
        (0.25, "#74add1"),
        (0.4999, "#f1f5e3"),
        (0.5, "#fca58a"),
        (0.7, "#e3342b"),
        (1.0, "#8c0012"),
    ],
    N=512,
)
_DPI = 100
#: Level of PNG compression: half the time of the default, for a sixth more bytes.
_COMPRESSION = 1


def scale_importance(importance: npt.ArrayLike) -> npt.NDArray[np.float32]:
    """Scale maps of shape (..., H, W) to 0..1, each by its own minimum and maximum (as in the paper).

    A constant map becomes 0 everywhere.
    """
    values = np.asarray(importance, dtype=np.float64)
    low, high = values.min((-2, -1), keepdims=True), values.max((-2, -1), keepdims=True)
    span = high - low
    return np.where(span > 0, (values - low) / np.where(span > 0, span, 1), 0).astype(np.float32)


def render_overlay(
    image: npt.NDArray[np.uint8], importance: npt.NDArray[np.float32], title: str = "", remark: str = ""
) -> bytes:
    """Render the image, and beside it the image under its map with a colour bar.

    Args:
        image: RGB, uint8, shape (H, W, 3).
        importance: Scaled to 0..1, shape (H, W).
        title: Above both; may have several lines.
        remark: Below both; may have several lines.

    Returns:
        A PNG.
    """
    height, width = image.shape[:2]
    panel = 4.8 / max(height, width)
    wide, high = panel * width, panel * height
    margin, bar = 0.12, 0.85
    above, below = _room(title, 0.17), _room(remark, 0.155)
    figure = Figure(figsize=(2 * wide + 2 * margin + bar, high + above + below), dpi=_DPI)
    canvas = FigureCanvasAgg(figure)
    across, down = figure.get_size_inches()
    places = [
        (left / across, below / down, wide / across, high / down) for left in (margin, 2 * margin + wide)
    ]
    field, overlay = (figure.add_axes(place) for place in places)
    field.imshow(image, interpolation="antialiased")
    grey = np.dot(image.astype(np.float32) / 255, np.array([0.299, 0.587, 0.114], dtype=np.float32))
    overlay.imshow(grey, cmap="gray", vmin=0, vmax=1, interpolation="antialiased")
    colours = overlay.imshow(importance, cmap=COLOURS, vmin=0, vmax=1, alpha=_opacity(importance))
    if importance.min() < 0.5 <= importance.max():
        overlay.contour(importance, levels=[0.5], colors="#5c000c", linewidths=0.8)
    for axes in (field, overlay):
        axes.set_axis_off()
    place = ((2 * margin + 2 * wide + 0.1) / across, below / down, 0.14 / across, high / down)
    scale = figure.colorbar(colours, cax=figure.add_axes(place), ticks=[0, 0.25, 0.5, 0.75, 1])
    if scale.solids is not None:
        scale.solids.set_alpha(1)
    scale.ax.tick_params(labelsize=8, length=2)
    scale.set_label("importance", fontsize=8)
    if title:
        figure.text(margin / across, 1 - 0.14 / down, title, fontsize=10, va="top")
    if remark:
        figure.text(margin / across, 0.14 / down, remark, fontsize=9, color="#5c000c", va="bottom")
    canvas.draw()
    written = BytesIO()
    # Matplotlib would draw it a second time, and write its version into the file.
    pixels = np.asarray(canvas.buffer_rgba())[..., :3]
    Image.fromarray(pixels).save(written, "PNG", compress_level=_COMPRESSION)
    return written.getvalue()


def blend(image: npt.NDArray[np.uint8], importance: npt.NDArray[np.float32]) -> npt.NDArray[np.uint8]:
    """Lay the colours of importance over the image in grey, faint below one half and opaque above.

    Args:
        image: RGB, (H, W, 3).
        importance: (H, W), 0..1.

    Returns:
        RGB, (H, W, 3).
    """
    grey = image.astype(np.float64) @ np.array([0.299, 0.587, 0.114]) / 255
    opacity = _opacity(importance)[..., None]
    mixed = (1 - opacity) * grey[..., None] + opacity * COLOURS(importance)[..., :3]
    return (np.clip(mixed, 0, 1) * 255).round().astype(np.uint8)


def list_colours(steps: int = 16) -> list[str]:
    """The colours of importance from 0 to 1 as `#rrggbb`, for a legend."""
    rgb = (COLOURS(np.linspace(0, 1, steps))[:, :3] * 255).round().astype(int)
    return ["#{:02x}{:02x}{:02x}".format(*colour) for colour in rgb.tolist()]


def _room(text: str, line: float) -> float:
    """Height of lines of text and their margins, inches."""
    return 0.12 + (line * (text.count("\n") + 1) + 0.1 if text else 0)


def _opacity(importance: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Faint below one half, so that the cells stay visible, and more opaque towards 1."""
    return np.where(importance < 0.5, 0.38 - 0.3 * importance, 0.1 + 0.5 * importance).astype(np.float32)
