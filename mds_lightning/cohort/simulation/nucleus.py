"""Drawing of nuclei: the outline of each shape, and its chromatin."""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from mds_lightning.cohort.simulation.cell_appearance import Nucleus
from mds_lightning.cohort.simulation.outline import Plane, Points, Stencil, blob, rotate
from mds_lightning.cohort.simulation.texture import cut_texture

#: Smallest and largest radius of the chromatin filament between two lobes, µm.
_FILAMENT = (0.26, 0.5)


@dataclass(frozen=True)
class Outline:
    """Closed outlines and discs whose union is a nucleus, in µm relative to the centre of the cell.

    Attributes:
        pieces: Closed outlines of (n, 2) points each.
        spine: (m, 2) centres of the discs.
        widths: (m,) radii of the discs.
    """

    pieces: tuple[Points, ...] = ()
    spine: Points | None = None
    widths: Points | None = None

    def cover(self, stencil: Stencil) -> Plane:
        """Coverage 0..1 on `stencil`."""
        plane = stencil.fill(*self.pieces)
        if self.spine is not None and self.widths is not None:
            plane = np.maximum(plane, stencil.dot(self.spine, self.widths))
        return plane


def draw_outline(rng: np.random.Generator, nucleus: Nucleus, radius: float) -> Outline:
    """Draw the outline of a nucleus in a cell of `radius` µm, rotated and shifted at random."""
    size = nucleus.size * radius * rng.normal(1, 0.03)
    direction = rng.uniform(0, 2 * np.pi)
    shift = nucleus.offset * max(0.0, 0.96 * radius - size) * np.array([np.cos(direction), np.sin(direction)])
    outline = _SHAPES[nucleus.shape](rng, size, radius)
    angle = rng.uniform(0, 2 * np.pi)
    if nucleus.shape in ("kidney", "folded"):
        angle = direction + np.pi  # the dent faces the wide side of the cytoplasm
    pieces = tuple(rotate(piece, angle) + shift for piece in outline.pieces)
    if outline.spine is None:
        return Outline(pieces)
    # Lobes fill the cell, so that their shift is small.
    return Outline(pieces, rotate(outline.spine, angle) + shift * 0.3, outline.widths)


def paint_nucleus(
    rng: np.random.Generator, nucleus: Nucleus, stencil: Stencil, outline: Outline
) -> tuple[Plane, Plane, Plane]:
    """Paint chromatin, nuclear membrane and nucleoli.

    Returns:
        Coverage (0..1), azure and methylene blue, each (h, w) float32; the dyes are zero outside.
    """
    coarse = cut_texture(rng, 0.8, stencil.shape, stencil.scale)
    soft = stencil.blur(outline.cover(stencil), 0.22)
    # A spatially varying threshold makes the border irregular.
    edge = 2.2 * min(1.0, stencil.scale / 5)
    coverage: Plane = np.clip((soft - 0.5 + 0.05 * coarse) * edge + 0.5, 0, 1)
    coverage *= np.clip(soft * 8, 0, 1)
    clumps = np.tanh(1.3 * cut_texture(rng, nucleus.grain, stencil.shape, stencil.scale))
    fine = cut_texture(rng, 0.24, stencil.shape, stencil.scale)
    inner = stencil.blur(coverage, 0.55)
    azure: Plane = nucleus.density * (
        1 + nucleus.clumping * (clumps + 0.15 * fine) + 0.28 * np.clip(1 - inner, 0, 0.5)
    )
    blue: Plane = np.full(stencil.shape, nucleus.blue + 0.06, dtype=np.float32)
    for _ in range(rng.poisson(nucleus.nucleoli)):
        spot = _nucleolus(rng, stencil, outline)
        azure *= 1 - 0.42 * spot
        blue += 0.16 * spot
    return coverage, np.maximum(azure, 0.12) * coverage, blue * coverage


def _nucleolus(rng: np.random.Generator, stencil: Stencil, outline: Outline) -> Plane:
    corners = outline.pieces[0] if outline.pieces else outline.spine
    assert corners is not None
    centre = corners.mean(axis=0)
    place = centre + 0.6 * np.sqrt(rng.random()) * (corners[rng.integers(len(corners))] - centre)
    return stencil.blur(stencil.fill(blob(rng, rng.uniform(0.8, 1.4), 0.08) + place), 0.2)


def _round(rng: np.random.Generator, size: float, _radius: float) -> Outline:
    return Outline((blob(rng, size, 0.035, rng.uniform(1.0, 1.14)),))


def _dented(rng: np.random.Generator, size: float, depth: float, width: float) -> Outline:
    outline = blob(rng, size * 1.06, 0.02, 1.0)
    angle = np.arctan2(outline[:, 1], outline[:, 0])
    outline *= (1 - depth * np.exp(-((angle / width) ** 2)))[:, None]
    outline[:, 1] *= 1.18
    return Outline((outline - np.array([0.12 * size * depth, 0.0]),))


def _kidney(rng: np.random.Generator, size: float, _radius: float) -> Outline:
    return _dented(rng, size, rng.uniform(0.35, 0.62), rng.uniform(0.5, 0.75))


def _folded(rng: np.random.Generator, size: float, _radius: float) -> Outline:
    return _dented(rng, size, rng.uniform(0.2, 0.5), rng.uniform(0.25, 0.5))


def _band(rng: np.random.Generator, _size: float, radius: float) -> Outline:
    bend = radius * rng.uniform(0.46, 0.56)
    span = np.radians(rng.uniform(170, 265))
    along = np.linspace(-0.5, 0.5, 30)
    spine = bend * np.stack([np.cos(along * span), np.sin(along * span)], axis=1)
    if rng.random() < 0.25:  # an S instead of a C
        spine = np.stack([along * radius * 1.25, 0.3 * radius * np.sin(along * 2 * np.pi)], axis=1)
    wave = 1 + 0.10 * np.cos(along * 4 * np.pi + rng.uniform(0, 2 * np.pi))
    return Outline(spine=spine - spine.mean(axis=0) * 0.6, widths=radius * rng.uniform(0.20, 0.25) * wave)


def _segmented(rng: np.random.Generator, _size: float, radius: float) -> Outline:
    lobes = int(rng.choice([2, 3, 4, 5], p=[0.08, 0.47, 0.35, 0.10]))
    span = np.radians({2: 120, 3: 190, 4: 250, 5: 285}[lobes]) * rng.uniform(0.85, 1.05)
    angles = np.linspace(0, span, lobes) + rng.normal(0, 0.08, lobes)
    distance = radius * rng.uniform(0.36, 0.56, lobes)
    centres = distance[:, None] * np.stack([np.cos(angles), np.sin(angles)], axis=1)
    size = radius * {2: 0.36, 3: 0.30, 4: 0.26, 5: 0.235}[lobes]
    # Lobes are elongated along the bend.
    return _lobed(rng, centres, size, angles + np.pi / 2 + rng.normal(0, 0.4, lobes), 1.45)


def _pelger(rng: np.random.Generator, size: float, radius: float) -> Outline:
    apart = 0.40 * radius
    bend = rng.uniform(0, 0.15) * radius
    return _lobed(rng, np.array([[-apart, bend], [apart, bend]]), 0.68 * size, np.zeros(2), 1.1)


def _lobed(rng: np.random.Generator, centres: Points, size: float, angles: Points, stretch: float) -> Outline:
    pieces = []
    for centre, angle in zip(centres, angles, strict=True):
        lobe, long = blob(rng, size * rng.uniform(0.88, 1.14), 0.08), stretch ** rng.uniform(0, 0.5)
        pieces.append(rotate(lobe * np.array([long, 1 / long]), angle) + centre)
    steps = np.linspace(0, 1, 8)[:, None]
    spine = np.concatenate([a + (b - a) * steps for a, b in pairwise(centres)])
    widths = np.repeat(rng.uniform(*_FILAMENT, len(centres) - 1), len(steps))
    return Outline(tuple(pieces), spine, widths)


def _double(rng: np.random.Generator, size: float, radius: float) -> Outline:
    each = 0.70 * size
    apart = min(max(each * 1.08, 0.4 * radius), 0.95 * radius - each * 0.9)
    return Outline(
        tuple(blob(rng, each, 0.035, 1.08) + np.array([side * apart, 0.0]) for side in (-1.0, 1.0))
    )


def _lobulated(rng: np.random.Generator, size: float, _radius: float) -> Outline:
    number = int(rng.integers(7, 13))
    angle = rng.uniform(0, 2 * np.pi) + np.arange(number) * 2.4
    distance = size * 0.78 * np.sqrt((np.arange(number) + 0.5) / number)
    centres = distance[:, None] * np.stack([np.cos(angle), np.sin(angle)], axis=1)
    return Outline(tuple(blob(rng, size * rng.uniform(0.3, 0.42), 0.06, 1.15) + centre for centre in centres))


_SHAPES: dict[str, Callable[[np.random.Generator, float, float], Outline]] = {
    "round": _round,
    "kidney": _kidney,
    "folded": _folded,
    "band": _band,
    "segmented": _segmented,
    "pelger": _pelger,
    "double": _double,
    "lobulated": _lobulated,
}
