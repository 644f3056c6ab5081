"""Dysplasia: what a myelodysplastic clone does to the look of a cell."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from mds_lightning.cohort.simulation.cell_appearance import Dye, Look, NuclearShape

#: Nuclei that granulocytic dysplasia turns into two lobes, or into two nuclei.
#: Cytoplasm without granules: grey-blue.
_PALE = Dye(eosin=0.04, azure=0.03, blue=0.25, haemoglobin=0.04)
_MATURE, _YOUNG = ("band", "segmented"), ("round", "kidney")


@dataclass(frozen=True)
class Dysplasia:
    """How one patient's clone tends to look: the probability of each sign in a dysplastic cell.

    Attributes:
        hypogranulation: Pale grey-blue cytoplasm without granules.
        pelger: Pseudo-Pelger nuclei in mature granulocytes.
        double_nucleus: Two nuclei in myelocytes, metamyelocytes and erythroblasts.
        clumping: Chromatin in coarse clumps.
        megaloblastoid: Large erythroblasts whose chromatin stays open while haemoglobin comes.
    """

    hypogranulation: float
    pelger: float
    double_nucleus: float
    clumping: float
    megaloblastoid: float


def draw_dysplasia(rng: np.random.Generator) -> Dysplasia:
    """Draw the habits of one patient's clone."""
    return Dysplasia(
        hypogranulation=rng.uniform(0.8, 1.0),
        pelger=rng.uniform(0.4, 0.9),
        double_nucleus=rng.uniform(0.15, 0.5),
        clumping=rng.uniform(0.4, 0.9),
        megaloblastoid=rng.uniform(0.6, 0.95),
    )


def make_dysplastic(
    rng: np.random.Generator, look: Look, clone: Dysplasia, lineage: str
) -> tuple[Look, float]:
    """Return the look of a dysplastic cell and by how much its diameter grows.

    Every dysplastic cell shows at least one sign.
    """
    alter = {"granulocytic": _granulocyte, "erythroid": _erythroblast, "megakaryocytic": _megakaryocyte}
    return alter[lineage](rng, look, clone)


def _granulocyte(rng: np.random.Generator, look: Look, clone: Dysplasia) -> tuple[Look, float]:
    pale, lobes, twins, clumps = _signs(
        rng,
        {
            "pale": clone.hypogranulation,
            "lobes": clone.pelger * (look.nucleus.shape in _MATURE),
            "twins": clone.double_nucleus * (look.nucleus.shape in _YOUNG),
            "clumps": clone.clumping,
        },
    )
    nucleus = look.nucleus
    if pale:
        look = replace(look, granules=(), dust=Dye(), cytoplasm=_PALE, hof=0.0, rim=0.1)
    if lobes:
        nucleus = replace(nucleus, shape="pelger", size=0.52, offset=0.1)
    if twins:
        nucleus = replace(nucleus, shape="double", offset=0.0)
    if clumps:
        nucleus = replace(nucleus, density=nucleus.density * 1.1, clumping=0.62, grain=0.8)
    return replace(look, nucleus=nucleus), rng.uniform(1.08, 1.25)


def _erythroblast(rng: np.random.Generator, look: Look, clone: Dysplasia) -> tuple[Look, float]:
    large, twins = _signs(rng, {"large": clone.megaloblastoid, "twins": clone.double_nucleus})
    nucleus, growth = look.nucleus, rng.uniform(1.05, 1.15)
    if large:
        # Open, stippled chromatin: lighter than its cytoplasm would have it.
        nucleus = replace(
            nucleus, density=min(nucleus.density, 0.85), clumping=0.48, grain=0.36, size=0.66, blue=0.05
        )
        growth = rng.uniform(1.3, 1.5)
    if twins:
        nucleus = replace(nucleus, shape="double", offset=0.0)
    return replace(look, nucleus=nucleus), growth


def _megakaryocyte(rng: np.random.Generator, look: Look, _clone: Dysplasia) -> tuple[Look, float]:
    # A micromegakaryocyte: small, with one round nucleus, or two apart.
    shape: NuclearShape = "double" if rng.random() < 0.5 else "round"
    nucleus = replace(look.nucleus, shape=shape, size=0.55, density=1.1)
    return replace(look, nucleus=nucleus), rng.uniform(0.5, 0.65)


def _signs(rng: np.random.Generator, odds: Mapping[str, float]) -> list[bool]:
    drawn = rng.random(len(odds))
    shown = [bool(u < p) for u, p in zip(drawn, odds.values(), strict=True)]
    if not any(shown):
        shown[int(np.argmax(list(odds.values())))] = True
    return shown
