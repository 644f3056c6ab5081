"""Drawing of red cells: overlapping biconcave discs with central pallor."""

from functools import cache

import cv2
import numpy as np
from numpy.typing import NDArray

from mds_lightning.cohort.simulation.canvas import Canvas, Tissue
from mds_lightning.cohort.simulation.outline import Plane, Points, Stencil, as_plane, blob, blur

#: Templates: their number, half their side in pixels, and half their side in radii of the disc.
_SHAPES, _HALF, _HALF_WIDTH = 24, 64, 1.35
_EOSIN, _HAEMOGLOBIN = 0.25, 0.44
_WARP = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP


def paint_red_cell(
    canvas: Canvas, rng: np.random.Generator, centre: Points, radius: float, pallor: float
) -> None:
    """Draw one red cell; dyes of overlapping cells add up.

    Args:
        canvas: The canvas to draw on.
        rng: Determines its outline, rotation, elongation and colour.
        centre: x, y in µm.
        radius: µm.
        pallor: 0 (a spherocyte) to 1 (hypochromic).
    """
    stencil = Stencil(centre, radius * _HALF_WIDTH, canvas.scale)
    disc, dimple = _templates()[rng.integers(_SHAPES)]
    placed = _place(rng, stencil, centre, radius)
    cover, hollow = (
        as_plane(cv2.warpAffine(plane, placed, stencil.shape[::-1], flags=_WARP)) for plane in (disc, dimple)
    )
    amount = cover * (1 - pallor * hollow) * rng.normal(1, 0.07)
    blue = 0.16 if rng.random() < 0.02 else 0.0  # polychromasia
    dye = np.array([_EOSIN, 0, blue, _HAEMOGLOBIN], dtype=np.float32)
    canvas.add(stencil, as_plane(amount)[..., None] * dye)
    canvas.mark(stencil, cover, Tissue.RED_CELL)


def _place(rng: np.random.Generator, stencil: Stencil, centre: Points, radius: float) -> NDArray[np.float64]:
    # Maps pixels of the stencil to pixels of the template, with rotation and slight elongation.
    angle, stretch = rng.uniform(0, 2 * np.pi), 1 + 0.08 * abs(rng.normal())
    cosine, sine = np.cos(angle), np.sin(angle)
    zoom = _HALF / _HALF_WIDTH / (radius * stencil.scale)
    matrix = zoom * np.array([[cosine * stretch, sine * stretch], [-sine / stretch, cosine / stretch]])
    middle = np.asarray(centre) * stencil.scale - (stencil.left, stencil.top) - 0.5
    return np.column_stack([matrix, _HALF - matrix @ middle])


@cache
def _templates() -> tuple[tuple[Plane, Plane], ...]:
    """Pairs of a disc's coverage and the depth of its dimple, always the same."""
    rng = np.random.default_rng(7)
    side = 2 * _HALF + 1
    return tuple(_template(rng, side) for _ in range(_SHAPES))


def _template(rng: np.random.Generator, side: int) -> tuple[Plane, Plane]:
    unit = _HALF / _HALF_WIDTH
    outline = blob(rng, 1.0, 0.05, rng.uniform(1.0, 1.12)) * unit + _HALF
    disc = np.zeros((side, side), dtype=np.uint8)
    cv2.fillPoly(disc, [np.rint(outline * 16).astype(np.int32)], 255, cv2.LINE_AA, 4)
    cover = blur(disc.astype(np.float32) / np.float32(255), 0.045 * unit)
    rows, columns = np.mgrid[:side, :side].astype(np.float32)
    shift = rng.normal(0, 0.05, 2) * unit
    distance = np.hypot(rows - _HALF - shift[0], columns - _HALF - shift[1]) / unit
    dimple = 1 / (1 + np.exp((distance - rng.uniform(0.42, 0.56)) / 0.09))
    rim = 0.12 * np.exp(-(((distance - 0.82) / 0.14) ** 2))  # thickest near the border
    return cover, as_plane(dimple - rim)
