"""The clinical columns of a simulated manifest: plausible, and drawn independently of the images."""

from dataclasses import dataclass

import numpy as np

#: WHO 2022 type, its fraction of the patients, and the range of blasts in the marrow in per cent.
_MDS = (
    ("MDS-LB", 0.40, (0, 4)),
    ("MDS-SF3B1", 0.15, (0, 4)),
    ("MDS-5q", 0.06, (0, 4)),
    ("MDS-biTP53", 0.07, (3, 19)),
    ("MDS-h", 0.05, (0, 4)),
    ("MDS-IB1", 0.14, (5, 9)),
    ("MDS-IB2", 0.13, (10, 19)),
)
_AML = (
    ("AML with NPM1 mutation", 0.30, (25, 95)),
    ("AML, myelodysplasia-related", 0.30, (20, 70)),
    ("AML with RUNX1::RUNX1T1 fusion", 0.07, (25, 80)),
    ("AML without maturation", 0.13, (90, 98)),
    ("AML with maturation", 0.20, (20, 89)),
)
_DONOR = (("", 1.0, (0, 2)),)
_TYPES = {"MDS": _MDS, "AML": _AML, "donor": _DONOR}
_AGE = {"MDS": (71.0, 10.0, 35, 92), "AML": (64.0, 14.0, 20, 90), "donor": (38.0, 12.0, 18, 65)}
_IPSS_R = ("very low", "low", "intermediate", "high", "very high")


@dataclass(frozen=True)
class ClinicalRecord:
    """The clinical record of one patient.

    Attributes:
        age: Years.
        sex: `female` or `male`.
        who_type: WHO 2022 type of MDS or AML; empty for donors.
        ipss_r: Risk category of MDS, otherwise empty.
        blasts: Blasts in the marrow, per cent.
    """

    age: int
    sex: str
    who_type: str
    ipss_r: str
    blasts: int


def draw_clinical(rng: np.random.Generator, label: str) -> ClinicalRecord:
    """Draw the record of a patient of class `label`."""
    mean, spread, low, high = _AGE[label]
    types = _TYPES[label]
    who_type, _, (fewest, most) = types[rng.choice(len(types), p=[fraction for _, fraction, _ in types])]
    blasts = int(rng.integers(fewest, most + 1))
    # Blasts increase the score; cytogenetics and blood counts, which are not simulated, are added as noise.
    risk = blasts / 4 + rng.normal(1.2, 0.8) + 2 * (who_type == "MDS-biTP53")
    return ClinicalRecord(
        age=int(np.clip(round(rng.normal(mean, spread)), low, high)),
        sex="female" if rng.random() < 0.45 else "male",
        who_type=who_type,
        ipss_r=_IPSS_R[int(np.clip(round(risk), 0, 4))] if label == "MDS" else "",
        blasts=blasts,
    )
