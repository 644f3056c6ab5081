"""Drawing of nucleated cells: cytoplasm, granules and nucleus."""

import numpy as np
from numpy.typing import NDArray

from mds_lightning.cohort.simulation.canvas import Canvas, Tissue
from mds_lightning.cohort.simulation.cell_appearance import CellAppearance, Dye, Granules
from mds_lightning.cohort.simulation.giemsa_stain import AZURE, BLUE
from mds_lightning.cohort.simulation.nucleus import draw_outline, paint_nucleus
from mds_lightning.cohort.simulation.outline import Plane, Points, Stencil, blob
from mds_lightning.cohort.simulation.texture import cut_texture

#: Granules with a larger radius (µm) are drawn one by one.
_LARGE = 0.35


def paint_cell(
    canvas: Canvas,
    rng: np.random.Generator,
    appearance: CellAppearance,
    centre: Points,
    radius: float,
    tissue: Tissue,
) -> None:
    """Draw one nucleated cell.

    Args:
        canvas: The canvas to draw on.
        rng: Determines everything about this cell that is not part of its appearance.
        appearance: Appearance of its kind.
        centre: x, y in µm.
        radius: µm.
        tissue: Value of its nucleus in the mask.
    """
    stencil = Stencil(centre, radius * 1.3 + 0.5, canvas.scale)
    if not canvas.shows(stencil):
        return
    border = blob(rng, radius, appearance.roughness, 1 + (appearance.elongation - 1) * rng.uniform(0, 2))
    cell = stencil.blur(stencil.fill(border), 0.12)
    outline = draw_outline(rng, appearance.nucleus, radius)
    coverage, azure, blue = paint_nucleus(rng, appearance.nucleus, stencil, outline)
    coverage, azure, blue = coverage * cell, azure * cell, blue * cell

    dye = _cytoplasm(rng, appearance, stencil, cell, coverage, radius)
    free = cell * (1 - coverage)
    if appearance.dust != Dye():
        grain = np.clip(cut_texture(rng, 0.16, stencil.shape, stencil.scale) + 0.2, 0, 2)
        dye += (grain * free)[..., None] * _vector(appearance.dust)
    for kind in appearance.granules:
        _add_granules(rng, dye, kind, stencil, cell if kind.over_nucleus else free, radius)
    # The nucleus replaces nine tenths of the cytoplasm: a film of it is above and below the nucleus.
    dye *= (1 - 0.9 * coverage)[..., None]
    dye[..., AZURE] += azure
    dye[..., BLUE] += blue
    canvas.add(stencil, dye, cell)
    canvas.mark(stencil, cell, Tissue.CYTOPLASM)
    canvas.mark(stencil, coverage, tissue)


def _cytoplasm(
    rng: np.random.Generator,
    appearance: CellAppearance,
    stencil: Stencil,
    cell: Plane,
    nucleus: Plane,
    radius: float,
) -> NDArray[np.float32]:
    amount = 1 + 0.10 * cut_texture(rng, 0.54, stencil.shape, stencil.scale)
    amount += 0.06 * cut_texture(rng, 2.5, stencil.shape, stencil.scale)
    inner = stencil.average(cell, 0.5 * radius)
    amount *= 1 + appearance.rim * (1 - 2 * np.clip(inner - 0.4, 0, 0.5))
    if appearance.hof:
        amount *= 1 - appearance.hof * _hof(rng, stencil, nucleus, radius)
    for _ in range(rng.poisson(appearance.vacuoles)):
        place = rng.uniform(-0.8, 0.8, 2) * radius
        amount *= 1 - 0.75 * stencil.blur(stencil.fill(blob(rng, rng.uniform(0.4, 0.9)) + place), 0.15)
    membrane = cell * np.clip(1 - inner, 0, 1) * 0.12
    return ((amount + membrane) * cell)[..., None] * _vector(appearance.cytoplasm)


def _hof(rng: np.random.Generator, stencil: Stencil, nucleus: Plane, radius: float) -> Plane:
    # The Golgi zone is where the cytoplasm is widest: opposite to the nucleus's centre of mass.
    total = float(nucleus.sum()) + 1e-6
    x, y = (float((stencil.ramp(direction) * nucleus).sum()) / total for direction in (0.0, np.pi / 2))
    away = np.array([-x, -y]) / (np.hypot(x, y) + 1e-6)
    disc = stencil.fill(blob(rng, 0.34 * radius, 0.08) + away * radius * 0.22)
    return stencil.blur(disc, 0.12 * radius)


def _add_granules(
    rng: np.random.Generator,
    dye: NDArray[np.float32],
    kind: Granules,
    stencil: Stencil,
    room: Plane,
    radius: float,
) -> None:
    number = int(rng.poisson(kind.density * np.pi * radius**2))
    distance = radius * 0.97 * np.sqrt(rng.random(number))
    angle = rng.uniform(0, 2 * np.pi, number)
    centres = np.stack([distance * np.cos(angle), distance * np.sin(angle)], axis=1)
    shades = rng.uniform(0.6, 1.0, number)
    if kind.radius < _LARGE:
        specks = stencil.scatter(centres, kind.radius, shades)
    else:
        # A pale rim under each granule separates neighbours.
        radii = kind.radius * np.outer(rng.uniform(0.75, 1.25, number), [1.0, 0.78]).ravel()
        shades = np.outer(shades, [0.45, 1.0]).ravel()
        specks = stencil.blur(stencil.dot(np.repeat(centres, 2, axis=0), radii, shades), 0.08)
    dye += (specks * room)[..., None] * _vector(kind.dye)


def _vector(dye: Dye) -> NDArray[np.float32]:
    return np.array([dye.eosin, dye.azure, dye.blue, dye.haemoglobin], dtype=np.float32)
