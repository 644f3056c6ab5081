"""Dysplasia: changes of the appearance of cells by a myelodysplastic clone."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from mds_lightning.cohort.simulation.cell_appearance import CellAppearance, Dye, NuclearShape

#: Cytoplasm without granules: grey-blue.
_PALE = Dye(eosin=0.04, azure=0.03, blue=0.25, haemoglobin=0.04)
#: Nuclei that granulocytic dysplasia turns into two lobes, and nuclei that it turns into two nuclei.
_MATURE, _YOUNG = ("band", "segmented"), ("round", "kidney")


@dataclass(frozen=True)
class Dysplasia:
    """The clone of one patient: the probability of each sign in a dysplastic cell.

    Attributes:
        hypogranulation: Pale grey-blue cytoplasm without granules.
        pelger: Pseudo-Pelger nuclei in mature granulocytes.
        double_nucleus: Two nuclei in myelocytes, metamyelocytes and erythroblasts.
        clumping: Coarsely clumped chromatin.
        megaloblastoid: Large erythroblasts with open chromatin in haemoglobinised cytoplasm.
    """

    hypogranulation: float
    pelger: float
    double_nucleus: float
    clumping: float
    megaloblastoid: float


def draw_dysplasia(rng: np.random.Generator) -> Dysplasia:
    """Draw the probabilities of one patient's clone."""
    return Dysplasia(
        hypogranulation=rng.uniform(0.8, 1.0),
        pelger=rng.uniform(0.4, 0.9),
        double_nucleus=rng.uniform(0.15, 0.5),
        clumping=rng.uniform(0.4, 0.9),
        megaloblastoid=rng.uniform(0.6, 0.95),
    )


def make_dysplastic(
    rng: np.random.Generator, appearance: CellAppearance, clone: Dysplasia, lineage: str
) -> tuple[CellAppearance, float]:
    """Return the appearance of a dysplastic cell and the factor of its diameter.

    Every dysplastic cell shows at least one sign.
    """
    alter = {"granulocytic": _granulocyte, "erythroid": _erythroblast, "megakaryocytic": _megakaryocyte}
    return alter[lineage](rng, appearance, clone)


def _granulocyte(
    rng: np.random.Generator, appearance: CellAppearance, clone: Dysplasia
) -> tuple[CellAppearance, float]:
    pale, lobes, twins, clumps = _signs(
        rng,
        {
            "pale": clone.hypogranulation,
            "lobes": clone.pelger * (appearance.nucleus.shape in _MATURE),
            "twins": clone.double_nucleus * (appearance.nucleus.shape in _YOUNG),
            "clumps": clone.clumping,
        },
    )
    nucleus = appearance.nucleus
    if pale:
        appearance = replace(appearance, granules=(), dust=Dye(), cytoplasm=_PALE, hof=0.0, rim=0.1)
    if lobes:
        nucleus = replace(nucleus, shape="pelger", size=0.52, offset=0.1)
    if twins:
        nucleus = replace(nucleus, shape="double", offset=0.0)
    if clumps:
        nucleus = replace(nucleus, density=nucleus.density * 1.1, clumping=0.62, grain=0.8)
    return replace(appearance, nucleus=nucleus), rng.uniform(1.08, 1.25)


def _erythroblast(
    rng: np.random.Generator, appearance: CellAppearance, clone: Dysplasia
) -> tuple[CellAppearance, float]:
    large, twins = _signs(rng, {"large": clone.megaloblastoid, "twins": clone.double_nucleus})
    nucleus, growth = appearance.nucleus, rng.uniform(1.05, 1.15)
    if large:
        # Open, stippled chromatin: lighter than expected from the maturity of the cytoplasm.
        nucleus = replace(
            nucleus, density=min(nucleus.density, 0.85), clumping=0.48, grain=0.36, size=0.66, blue=0.05
        )
        growth = rng.uniform(1.3, 1.5)
    if twins:
        nucleus = replace(nucleus, shape="double", offset=0.0)
    return replace(appearance, nucleus=nucleus), growth


def _megakaryocyte(
    rng: np.random.Generator, appearance: CellAppearance, _clone: Dysplasia
) -> tuple[CellAppearance, float]:
    # A micromegakaryocyte: small, with one round nucleus or two separate nuclei.
    shape: NuclearShape = "double" if rng.random() < 0.5 else "round"
    nucleus = replace(appearance.nucleus, shape=shape, size=0.55, density=1.1)
    return replace(appearance, nucleus=nucleus), rng.uniform(0.5, 0.65)


def _signs(rng: np.random.Generator, odds: Mapping[str, float]) -> list[bool]:
    drawn = rng.random(len(odds))
    shown = [bool(u < p) for u, p in zip(drawn, odds.values(), strict=True)]
    if not any(shown):
        shown[int(np.argmax(list(odds.values())))] = True
    return shown
