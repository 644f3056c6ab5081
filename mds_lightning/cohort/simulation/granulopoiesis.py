"""Appearance of the granulocytic series, from blasts to segmented neutrophils, eosinophils and basophils."""

from mds_lightning.cohort.simulation.cell_appearance import CellAppearance, Dye, Granules, Nucleus

AZUROPHIL = Granules(0.62, 0.32, Dye(eosin=0.85, azure=0.70), over_nucleus=True)
_SPECIFIC = Dye(eosin=0.17, azure=0.04)
_EOSINOPHIL = Granules(1.5, 0.48, Dye(eosin=0.62, haemoglobin=1.0))
_BASOPHIL = Granules(0.42, 0.55, Dye(azure=0.85, blue=0.45), over_nucleus=True)

BLAST = CellAppearance(
    16.0,
    Nucleus("round", 0.83, 0.35, 0.62, 0.20, 0.24, nucleoli=2.6),
    Dye(azure=0.02, blue=0.52),
    rim=0.35,
    hof=0.15,
    roughness=0.05,
)
PROMYELOCYTE = CellAppearance(
    19.5,
    Nucleus("round", 0.66, 0.65, 0.66, 0.26, 0.36, nucleoli=1.2),
    Dye(azure=0.05, blue=0.42),
    rim=0.25,
    hof=0.55,
    granules=(AZUROPHIL,),
)
MYELOCYTE = CellAppearance(
    16.5,
    Nucleus("round", 0.60, 0.70, 0.78, 0.36, 0.54),
    Dye(eosin=0.16, azure=0.02, blue=0.14),
    rim=0.10,
    hof=0.35,
    dust=Dye(eosin=0.13, azure=0.05),
    granules=(Granules(0.12, 0.22, Dye(eosin=0.3, azure=0.25)),),
)
METAMYELOCYTE = CellAppearance(
    15.0,
    Nucleus("kidney", 0.58, 0.55, 0.88, 0.40, 0.54),
    Dye(eosin=0.20, blue=0.06),
    dust=_SPECIFIC,
)
BAND = CellAppearance(
    14.0,
    Nucleus("band", 0.52, 0.25, 0.96, 0.45, 0.54),
    Dye(eosin=0.21, blue=0.03),
    dust=_SPECIFIC,
)
SEGMENTED = CellAppearance(
    13.5,
    Nucleus("segmented", 0.50, 0.25, 1.05, 0.45, 0.54),
    Dye(eosin=0.21, blue=0.02),
    dust=_SPECIFIC,
)
EOSINOPHIL = CellAppearance(
    14.0,
    Nucleus("pelger", 0.48, 0.35, 0.95, 0.40, 0.54),
    Dye(eosin=0.22, blue=0.05),
    granules=(_EOSINOPHIL,),
)
BASOPHIL = CellAppearance(
    12.5,
    Nucleus("segmented", 0.52, 0.15, 0.75, 0.3, 0.54),
    Dye(eosin=0.18, azure=0.04),
    granules=(_BASOPHIL,),
)
