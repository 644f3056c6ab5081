"""Appearance of marrow cells outside of granulopoiesis and erythropoiesis."""

from mds_lightning.cohort.simulation.cell_appearance import CellAppearance, Dye, Granules, Nucleus

LYMPHOCYTE = CellAppearance(
    10.0,
    Nucleus("round", 0.84, 0.55, 1.08, 0.38, 0.80),
    Dye(blue=0.38),
    rim=0.10,
)
PLASMA_CELL = CellAppearance(
    15.5,
    Nucleus("round", 0.50, 0.95, 1.15, 0.50, 0.80),
    Dye(azure=0.14, blue=0.85),
    rim=0.15,
    hof=0.60,
    vacuoles=0.5,
    elongation=1.25,
)
MONOCYTE = CellAppearance(
    17.0,
    Nucleus("folded", 0.64, 0.30, 0.70, 0.30, 0.36),
    Dye(eosin=0.06, blue=0.24),
    dust=Dye(eosin=0.08, azure=0.06),
    vacuoles=1.5,
    roughness=0.06,
)
MEGAKARYOCYTE = CellAppearance(
    46.0,
    Nucleus("lobulated", 0.50, 0.25, 0.95, 0.36, 0.80),
    Dye(eosin=0.22, azure=0.04, blue=0.10),
    granules=(Granules(0.8, 0.28, Dye(eosin=0.18, azure=0.14)),),
    roughness=0.12,
)
