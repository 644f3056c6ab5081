"""Parameters of the appearance of a kind of cell, in haematological terms."""

from dataclasses import dataclass
from typing import Literal

#: round; kidney (indented); band; segmented (lobes on filaments); pelger (two lobes, pince-nez); double (two
#: nuclei); folded (monocytoid); lobulated (many lobes: megakaryocyte).
NuclearShape = Literal["round", "kidney", "band", "segmented", "pelger", "double", "folded", "lobulated"]


@dataclass(frozen=True)
class Dye:
    """Concentration of each dye, arbitrary units; azure 1 is a dense nucleus."""

    eosin: float = 0.0
    azure: float = 0.0
    blue: float = 0.0
    haemoglobin: float = 0.0


@dataclass(frozen=True)
class Granules:
    """One kind of granules.

    Attributes:
        density: Granules per µm² of the cell.
        radius: µm.
        dye: Dye of one granule.
        over_nucleus: Whether they are also visible over the nucleus (primary granules, basophils).
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
        size: Diameter of a disc of its area, as a fraction of the cell's diameter.
        offset: Position between the centre of the cell (0) and its border (1).
        density: Mean azure.
        clumping: Contrast of the chromatin, as a fraction of `density`.
        grain: Size of the clumps in µm.
        blue: Methylene blue in the nucleus, for blue-black nuclei.
        nucleoli: Mean number of nucleoli.
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
class CellAppearance:
    """Appearance of one kind of cell.

    Attributes:
        diameter: Mean, µm, as spread on a slide.
        nucleus: Its nucleus.
        cytoplasm: Dye of the cytoplasm.
        rim: Fraction by which the cytoplasm is darker at the border than inside.
        hof: Fraction by which it is lighter beside the nucleus (the Golgi zone).
        dust: Dye of granules too fine to be resolved (the specific granules of neutrophils).
        granules: Kinds of granules.
        vacuoles: Mean number of vacuoles.
        roughness: Waviness of the border, as a fraction of the radius.
        elongation: Mean ratio of long to short axis.
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
