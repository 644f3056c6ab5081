"""One patient's marrow: which cells it holds, how many, and how many of them belong to a clone."""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from mds_lightning.cohort.simulation import erythropoiesis, granulopoiesis, other_lineages
from mds_lightning.cohort.simulation.cell_appearance import Look
from mds_lightning.cohort.simulation.dysplasia import Dysplasia, draw_dysplasia

Lineage = Literal["granulocytic", "erythroid", "megakaryocytic", "other"]


@dataclass(frozen=True)
class Kind:
    """A kind of nucleated cell.

    Attributes:
        look: How it looks in health.
        lineage: What dysplasia makes of it; `other` is never dysplastic.
        share: Of all nucleated cells of a healthy marrow (any unit).
    """

    look: Look
    lineage: Lineage
    share: float


BLAST = Kind(granulopoiesis.BLAST, "other", 1.2)
#: The differential count of a healthy marrow in per cent (megakaryocytes are met more often than counted).
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
#: Dirichlet concentration: how alike the differential counts of two patients are.
_ALIKE = 90.0


@dataclass(frozen=True)
class Marrow:
    """What every field of one patient is drawn from.

    Attributes:
        differential: Probability of each of `KINDS`.
        density: Nucleated cells a field.
        dysplastic: Probability that a granulocytic, erythroid or megakaryocytic cell is dysplastic.
        blasts: Probability that a cell is a blast of the disease.
        dysplasia: How its dysplastic cells tend to look.
        blast_growth: Size of the disease's blasts: they are of one clone, and look alike.
        red_cells: Red cells a field.
        red_radius: Their mean radius, µm.
        red_spread: Relative standard deviation of it (anisocytosis).
        pallor: Their mean central pallor, 0..1.
        rouleaux: Share of red cells that lie in piles.
        plasma: Thickness of the film of plasma.
        precipitate: Mean number of specks of stain precipitate a field.
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

    The label has a say in three numbers alone, and in each of them by way of `signal`: the share of
    dysplastic cells (MDS), the share of blasts (MDS and AML) and how crowded the marrow is (AML). At
    `signal` 0 the same `rng` gives the same marrow under every label.

    Args:
        rng: Source of everything else.
        label: MDS, AML or donor.
        signal: 0..1.
        blast_per_cent: What the haematologist counted; beyond the few of health they belong to the disease.
    """
    shares = np.array([kind.share for kind in KINDS])
    differential = rng.dirichlet(_ALIKE * shares / shares.sum())
    dysplastic, blasts = rng.uniform(0.50, 0.80), max(0.0, blast_per_cent / 100 - 0.02)
    return Marrow(
        differential=tuple(float(share) for share in differential),
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
