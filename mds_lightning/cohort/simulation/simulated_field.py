"""Drawing of one field of view: its photograph and mask from a patient and a seed."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from mds_lightning.cohort.simulation.canvas import Canvas, Tissue
from mds_lightning.cohort.simulation.cell_layout import MARGIN, place_cells, place_red_cells
from mds_lightning.cohort.simulation.debris import paint_platelet, paint_precipitate, paint_smudge_cell
from mds_lightning.cohort.simulation.dysplasia import make_dysplastic
from mds_lightning.cohort.simulation.giemsa_stain import vary_stain
from mds_lightning.cohort.simulation.marrow import BLAST, KINDS, Marrow
from mds_lightning.cohort.simulation.nucleated_cell import paint_cell
from mds_lightning.cohort.simulation.outline import Points
from mds_lightning.cohort.simulation.random_streams import child_generator
from mds_lightning.cohort.simulation.red_cells import paint_red_cell
from mds_lightning.cohort.simulation.simulated_patients import Patient

#: Pixels per µm of a field of 640 x 480 pixels (100x objective), and its number of pixels.
_SCALE, _PIXELS = 5.0, 640 * 480
_LAYOUT, _BACKGROUND, _CELL, _DEBRIS, _CAMERA = range(5)


@dataclass(frozen=True)
class Field:
    """A photograph and its mask.

    Attributes:
        image: uint8 (height, width, 3) RGB.
        mask: uint8 (height, width), values of `canvas.Tissue`.
    """

    image: NDArray[np.uint8]
    mask: NDArray[np.uint8]


def draw_field(patient: Patient, seed: np.random.SeedSequence, width: int, height: int) -> Field:
    """Draw one field of view of a patient.

    Layout, cells, debris and camera have their own random streams, and the layout does not depend on
    dysplasia: the same seed gives the same cells at the same positions whether or not some are dysplastic.

    Args:
        patient: Determines marrow, stain and scanner.
        seed: Determines the rest.
        width: Pixels.
        height: Pixels; the physical area does not depend on the number of pixels.
    """
    scale = _SCALE * float(np.sqrt(width * height / _PIXELS))
    size = width / scale, height / scale
    canvas = Canvas(width, height, scale)
    cells = _Cells(child_generator(seed, _LAYOUT), patient.marrow, size)
    _paint_background(canvas, child_generator(seed, _BACKGROUND), patient.marrow, cells, size)
    for index in range(len(cells.kinds)):
        cells.paint(canvas, child_generator(seed, _CELL, index), index)
    debris = child_generator(seed, _DEBRIS)
    for _ in range(debris.poisson(patient.marrow.precipitate)):
        paint_precipitate(canvas, debris, debris.uniform(0, size))
    camera = child_generator(seed, _CAMERA)
    stain = vary_stain(patient.stain, camera, strength=0.02, hue=0.005)
    image = patient.scanner.record(camera, stain.absorb(canvas.dye), scale)
    return Field(image, canvas.mask)


class _Cells:
    """The nucleated cells of a field: kinds, positions, and which of them belong to the clone."""

    def __init__(self, rng: np.random.Generator, marrow: Marrow, size: tuple[float, float]) -> None:
        self.marrow = marrow
        width, height = size
        area = (width + 2 * MARGIN) * (height + 2 * MARGIN) / (width * height)
        number = int(rng.poisson(marrow.density * area * rng.gamma(25, 1 / 25)))
        kinds = rng.choice(len(KINDS), number, p=marrow.differential)
        spread = np.clip(rng.normal(1, 0.06, number), 0.85, 1.18)
        radii = np.array([KINDS[kind].appearance.diameter for kind in kinds]) / 2 * spread
        order = np.argsort(-radii, kind="stable")  # large cells first, so that small ones fill gaps
        self.kinds = [KINDS[kind] for kind in kinds[order]]
        self.radii = radii[order]
        self.clonal = rng.random(number) < marrow.dysplastic
        self.malignant = rng.random(number) < marrow.blasts
        self.smudged = rng.random(number) < 0.012
        self.places = place_cells(rng, self.radii, [kind.lineage for kind in self.kinds], width, height)

    def paint(self, canvas: Canvas, rng: np.random.Generator, index: int) -> None:
        kind, centre, radius = self.kinds[index], self.places[index], float(self.radii[index])
        if self.smudged[index]:
            paint_smudge_cell(canvas, rng, centre, min(radius, 8.0))
        elif self.malignant[index]:
            radius = BLAST.appearance.diameter / 2 * self.marrow.blast_growth * rng.normal(1, 0.05)
            paint_cell(canvas, rng, BLAST.appearance, centre, radius, Tissue.CLONE_NUCLEUS)
        elif self.clonal[index] and kind.lineage != "other":
            appearance, growth = make_dysplastic(rng, kind.appearance, self.marrow.dysplasia, kind.lineage)
            paint_cell(canvas, rng, appearance, centre, radius * growth, Tissue.CLONE_NUCLEUS)
        else:
            paint_cell(canvas, rng, kind.appearance, centre, radius, Tissue.NUCLEUS)


def _paint_background(
    canvas: Canvas, rng: np.random.Generator, marrow: Marrow, cells: _Cells, size: tuple[float, float]
) -> None:
    """Draw the film of plasma, red cells and platelets."""
    height, width = canvas.mask.shape
    cloud = cv2.resize(
        rng.normal(1, 0.25, (5, 7)).astype(np.float32), (width, height), interpolation=cv2.INTER_CUBIC
    )
    canvas.dye += marrow.plasma * cloud[..., None] * np.array([1.0, 0.05, 0.8, 0.3], dtype=np.float32)
    number = int(rng.poisson(marrow.red_cells * 1.3))
    radii = marrow.red_radius * np.clip(rng.normal(1, marrow.red_spread, number), 0.7, 1.3)
    places, radii = place_red_cells(rng, radii, marrow.rouleaux, (cells.places, cells.radii), size)
    for centre, radius in zip(places, radii, strict=True):
        pallor = float(np.clip(rng.normal(marrow.pallor, 0.1), 0, 0.9))
        paint_red_cell(canvas, rng, centre, float(radius), pallor)
    for _ in range(rng.poisson(2.0)):
        group: Points = rng.uniform(0, size)
        for _ in range(rng.integers(1, 5)):
            paint_platelet(canvas, rng, group + rng.normal(0, 3.0, 2))
