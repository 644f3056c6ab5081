"""Appearance of the erythroid series: nuclei shrink and darken, cytoplasm turns from blue to buff."""

from mds_lightning.cohort.simulation.cell_appearance import CellAppearance, Dye, Nucleus

PROERYTHROBLAST = CellAppearance(
    18.0,
    Nucleus("round", 0.78, 0.20, 0.78, 0.24, 0.36, nucleoli=1.0),
    Dye(azure=0.10, blue=1.0),
    rim=0.20,
    hof=0.30,
)
BASOPHILIC = CellAppearance(
    14.5,
    Nucleus("round", 0.70, 0.25, 1.00, 0.40, 0.54),
    Dye(azure=0.06, blue=0.9),
    rim=0.15,
    hof=0.20,
)
POLYCHROMATIC = CellAppearance(
    12.0,
    Nucleus("round", 0.62, 0.25, 1.15, 0.60, 0.54, blue=0.12),
    Dye(eosin=0.18, blue=0.36, haemoglobin=0.35),
)
ORTHOCHROMATIC = CellAppearance(
    10.0,
    Nucleus("round", 0.53, 0.40, 1.60, 0.22, 0.54, blue=0.25),
    Dye(eosin=0.34, blue=0.14, haemoglobin=0.55),
)
