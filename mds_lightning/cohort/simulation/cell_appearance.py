"""How a kind of cell looks: the words a haematologist describes it with, as numbers."""

from dataclasses import dataclass
from typing import Literal

#: round; kidney (indented); band; segmented (lobes on filaments); pelger (two lobes, pince-nez); double (two
#: nuclei); folded (monocytoid); lobulated (a heap of lobes: megakaryocyte).
NuclearShape = Literal["round", "kidney", "band", "segmented", "pelger", "double", "folded", "lobulated"]


@dataclass(frozen=True)
class Dye:
    """Concentration of each dye; 1 azure is a dense nucleus."""

    eosin: float = 0.0
    azure: float = 0.0
    blue: float = 0.0
    haemoglobin: float = 0.0


@dataclass(frozen=True)
class Granules:
    """Granules of one sort.

    Attributes:
        density: Granules a µm² of cytoplasm.
        radius: µm.
        dye: What one granule adds.
        over_nucleus: Whether they also lie on the nucleus (primary granules, basophils).
    """

    density: float
    radius: float
    dye: Dye
    over_nucleus: bool = False


@dataclass(frozen=True)
class Nucleus:
    """A nucleus and its chromatin.

    Attributes:
        shape: See `NuclearShape`.
        size: Diameter of the disc of its area, as a share of the cell's diameter.
        offset: How far towards the border of the cell: 0 central, 1 touching it.
        density: Mean azure.
        clumping: Contrast of the chromatin, as a share of `density`.
        grain: Size of the clumps in µm.
        blue: Methylene blue in the nucleus: very dark, blue-black nuclei.
        nucleoli: Mean number.
    """

    shape: NuclearShape
    size: float
    offset: float
    density: float
    clumping: float
    grain: float
    blue: float = 0.0
    nucleoli: float = 0.0


@dataclass(frozen=True)
class Look:
    """One kind of cell.

    Attributes:
        diameter: Mean, µm, as spread on a slide.
        nucleus: Its nucleus.
        cytoplasm: Dye of the cytoplasm.
        rim: Share by which the cytoplasm is darker at the border than inside.
        hof: Share by which it is lighter beside the nucleus (the Golgi zone).
        dust: Granules too fine to be seen one by one (the specific granules of neutrophils).
        granules: Sorts of granules.
        vacuoles: Mean number.
        roughness: Waviness of the border.
        elongation: Mean long over short axis.
    """

    diameter: float
    nucleus: Nucleus
    cytoplasm: Dye
    rim: float = 0.0
    hof: float = 0.0
    dust: Dye = Dye()
    granules: tuple[Granules, ...] = ()
    vacuoles: float = 0.0
    roughness: float = 0.045
    elongation: float = 1.08
