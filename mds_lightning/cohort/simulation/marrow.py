"""The marrow of one patient: kinds and numbers of cells, and the fraction that belongs to a clone."""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from mds_lightning.cohort.simulation import erythropoiesis, granulopoiesis, other_lineages
from mds_lightning.cohort.simulation.cell_appearance import CellAppearance
from mds_lightning.cohort.simulation.dysplasia import Dysplasia, draw_dysplasia

Lineage = Literal["granulocytic", "erythroid", "megakaryocytic", "other"]


@dataclass(frozen=True)
class Kind:
    """A kind of nucleated cell.

    Attributes:
        appearance: Appearance of a healthy cell.
        lineage: Determines the signs of dysplasia; `other` is never dysplastic.
        percentage: Per cent of the nucleated cells of a healthy marrow.
    """

    appearance: CellAppearance
    lineage: Lineage
    percentage: float


BLAST = Kind(granulopoiesis.BLAST, "other", 1.2)
#: The differential count of a healthy marrow in per cent (megakaryocytes are more frequent in fields than in
#: counts).
KINDS = (
    BLAST,
    Kind(granulopoiesis.PROMYELOCYTE, "other", 4.0),
    Kind(granulopoiesis.MYELOCYTE, "granulocytic", 12.0),
    Kind(granulopoiesis.METAMYELOCYTE, "granulocytic", 13.0),
    Kind(granulopoiesis.BAND, "granulocytic", 14.0),
    Kind(granulopoiesis.SEGMENTED, "granulocytic", 16.0),
    Kind(granulopoiesis.EOSINOPHIL, "other", 3.0),
    Kind(granulopoiesis.BASOPHIL, "other", 0.3),
    Kind(erythropoiesis.PROERYTHROBLAST, "erythroid", 1.0),
    Kind(erythropoiesis.BASOPHILIC, "erythroid", 4.0),
    Kind(erythropoiesis.POLYCHROMATIC, "erythroid", 12.0),
    Kind(erythropoiesis.ORTHOCHROMATIC, "erythroid", 6.0),
    Kind(other_lineages.LYMPHOCYTE, "other", 9.0),
    Kind(other_lineages.PLASMA_CELL, "other", 1.5),
    Kind(other_lineages.MONOCYTE, "other", 2.0),
    Kind(other_lineages.MEGAKARYOCYTE, "megakaryocytic", 0.25),
)
#: Dirichlet concentration of the differential counts of patients: larger means more similar.
_CONCENTRATION = 90.0


@dataclass(frozen=True)
class Marrow:
    """Parameters of all fields of one patient.

    Attributes:
        differential: Probability of each of `KINDS`.
        density: Mean number of nucleated cells per field.
        dysplastic: Probability that a granulocytic, erythroid or megakaryocytic cell is dysplastic.
        blasts: Probability that a cell is a blast of the disease.
        dysplasia: Probabilities of signs in its dysplastic cells.
        blast_growth: Factor of the diameter of the disease's blasts, which are of one clone and look alike.
        red_cells: Mean number of red cells per field.
        red_radius: Their mean radius, µm.
        red_spread: Relative standard deviation of it (anisocytosis).
        pallor: Their mean central pallor, 0..1.
        rouleaux: Fraction of red cells that are in rouleaux.
        plasma: Thickness of the film of plasma.
        precipitate: Mean number of spots of stain precipitate per field.
    """

    differential: tuple[float, ...]
    density: float
    dysplastic: float
    blasts: float
    dysplasia: Dysplasia
    blast_growth: float
    red_cells: float
    red_radius: float
    red_spread: float
    pallor: float
    rouleaux: float
    plasma: float
    precipitate: float


def draw_marrow(rng: np.random.Generator, label: str, signal: float, blast_per_cent: float) -> Marrow:
    """Draw one patient's marrow.

    The label affects three numbers only, each scaled by `signal`: the fraction of dysplastic cells (MDS), the
    fraction of blasts (MDS and AML) and the density of cells (AML). At `signal` 0 the same `rng` gives the
    same marrow for every label.

    Args:
        rng: Determines everything else.
        label: MDS, AML or donor.
        signal: 0..1.
        blast_per_cent: Counted blasts, per cent; those above 2 % belong to the disease.
    """
    percentages = np.array([kind.percentage for kind in KINDS])
    differential = rng.dirichlet(_CONCENTRATION * percentages / percentages.sum())
    dysplastic, blasts = rng.uniform(0.50, 0.80), max(0.0, blast_per_cent / 100 - 0.02)
    return Marrow(
        differential=tuple(float(probability) for probability in differential),
        density=float(28 * np.exp(rng.normal(0, 0.18))) * (1 + 0.7 * signal * (label == "AML")),
        dysplastic=signal * dysplastic * (label == "MDS"),
        blasts=signal * blasts * (label in ("MDS", "AML")),
        dysplasia=draw_dysplasia(rng),
        blast_growth=rng.uniform(0.9, 1.12),
        red_cells=float(70 * np.exp(rng.normal(0, 0.25))),
        red_radius=rng.normal(3.6, 0.12),
        red_spread=rng.uniform(0.04, 0.09),
        pallor=rng.uniform(0.30, 0.62),
        rouleaux=rng.uniform(0.0, 0.3),
        plasma=rng.uniform(0.01, 0.06),
        precipitate=rng.uniform(0.0, 1.2),
    )
