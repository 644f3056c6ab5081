"""Drawing of objects between cells: platelets, smudge cells, stain precipitate."""

import numpy as np

from mds_lightning.cohort.simulation.canvas import Canvas, Tissue
from mds_lightning.cohort.simulation.outline import Points, Stencil, blob
from mds_lightning.cohort.simulation.texture import cut_texture


def paint_platelet(canvas: Canvas, rng: np.random.Generator, centre: Points) -> None:
    """Draw a platelet: small and pale with purple granules. It is background in the mask."""
    radius = rng.uniform(0.8, 1.5)
    stencil = Stencil(centre, 2.2 * radius, canvas.scale)
    body = stencil.blur(stencil.fill(blob(rng, radius, 0.12, rng.uniform(1, 1.5))), 0.15)
    grains = stencil.scatter(rng.normal(0, 0.4 * radius, (9, 2)), 0.26, np.ones(9)) * body
    canvas.add(
        stencil,
        body[..., None] * np.array([0.08, 0.05, 0.10, 0], dtype=np.float32)
        + grains[..., None] * np.array([0.1, 0.42, 0.0, 0], dtype=np.float32),
    )


def paint_smudge_cell(canvas: Canvas, rng: np.random.Generator, centre: Points, radius: float) -> None:
    """Draw a smudge cell (Gumprecht shadow): a crushed nucleus without cytoplasm, with smeared chromatin."""
    stencil = Stencil(centre, 2.0 * radius, canvas.scale)
    core = stencil.blur(stencil.fill(blob(rng, 0.85 * radius, 0.16, rng.uniform(1.1, 1.6))), 0.4)
    veil = stencil.blur(stencil.fill(blob(rng, 1.3 * radius, 0.22, rng.uniform(1.2, 1.9))), 1.2)
    # Strands of chromatin: they are where a smooth texture changes its sign.
    threads = np.exp(-((cut_texture(rng, 1.2, stencil.shape, stencil.scale) / 0.6) ** 2))
    clots = np.clip(cut_texture(rng, 0.8, stencil.shape, stencil.scale), 0, 2)
    azure = core * (0.34 + 0.16 * threads + 0.14 * clots) + veil * (0.07 + 0.08 * threads)
    dye = azure[..., None] * np.array([0.30, 1.0, 0.0, 0.0], dtype=np.float32)
    canvas.add(stencil, dye, 0.7 * core)
    canvas.mark(stencil, core, Tissue.NUCLEUS)


def paint_precipitate(canvas: Canvas, rng: np.random.Generator, centre: Points) -> None:
    """Draw stain precipitate: black-purple specks on top of other objects. It is not in the mask."""
    number = int(rng.integers(4, 26))
    spread = rng.uniform(0.8, 3.5)
    stencil = Stencil(centre, 3 * spread + 1, canvas.scale)
    places = rng.normal(0, spread, (number, 2)) * np.array([1.0, rng.uniform(0.4, 1.0)])
    specks = stencil.scatter(places, rng.uniform(0.2, 0.45), rng.uniform(0.3, 1.0, number))
    canvas.add(stencil, specks[..., None] * np.array([0.2, 1.3, 0.5, 0], dtype=np.float32))
