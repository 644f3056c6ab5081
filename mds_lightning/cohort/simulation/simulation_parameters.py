"""Parameters of a simulated cohort, validated when they are set."""

import hashlib
import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

#: Labels of a simulated cohort, as in the manifest.
CLASSES = ("MDS", "AML", "donor")
#: Increased with every change of the drawing, so that files of two versions never mix in a folder.
DRAWING = 4

_SIDES = (32, 16384)
_KEY = "cohort.simulation"


@dataclass(frozen=True)
class SimulationParameters:
    """Parameters of a simulated cohort; equal parameters give equal bytes.

    Attributes:
        patients: Label (MDS, AML, donor) to number of internal patients; a missing label means none.
        fields: Label to number of fields of view per patient; required for every label that has patients.
        external_patients: Label to number of patients of another laboratory (`external`: never used for
            training).
        width: Width of a field, pixels. The physical area does not depend on it: 4:3 shows 128 x 96 µm.
        height: Height of a field, pixels.
        signal: 0..1; 0: every class is drawn from the donors' distribution, 1: full dysplasia and blasts.
        confound: 0..1; strength of the association between class and stain.
        sites: Number of internal sites, each with its own stain and scanner and equally many patients.
        seed: Random seed, 0 or more.

    Raises:
        ValueError: A value is out of its range; the message names it as `cohort.simulation.KEY`.
    """

    patients: Mapping[str, int] = field(default_factory=lambda: {"MDS": 40, "AML": 40, "donor": 40})
    fields: Mapping[str, int] = field(default_factory=lambda: {"MDS": 4, "AML": 1, "donor": 1})
    external_patients: Mapping[str, int] = field(default_factory=dict)
    width: int = 640
    height: int = 480
    signal: float = 1.0
    confound: float = 0.0
    sites: int = 2
    seed: int = 0

    def __post_init__(self) -> None:
        for key in ("patients", "fields", "external_patients"):
            # A copy in fixed order and without zeros, so that equal cohorts have equal records and hashes.
            object.__setattr__(self, key, _counts(key, getattr(self, key)))
        for key in ("width", "height"):
            _check_int(key, getattr(self, key), *_SIDES)
        _check_int("sites", self.sites, 1, 1000)
        _check_int("seed", self.seed, 0, 2**63 - 1)
        for key in ("signal", "confound"):
            object.__setattr__(self, key, _fraction(key, getattr(self, key)))
        if not self.patients and not self.external_patients:
            raise ValueError(f"{_KEY}.patients: no class has a patient; give at least one")
        for label in CLASSES:
            if (label in self.patients or label in self.external_patients) and label not in self.fields:
                raise ValueError(f"{_KEY}.fields: {label} has patients but no field of view; add {label}: 1")

    @property
    def record(self) -> dict[str, Any]:
        """Content of `simulation.json`: the parameters and the version of the drawing, as JSON values."""
        return {"drawing": DRAWING, **asdict(self)}

    @property
    def hash(self) -> str:
        """First 12 hex digits of the SHA-256 of `record`, used to name the folder of this cohort."""
        return hashlib.sha256(json.dumps(self.record, sort_keys=True).encode()).hexdigest()[:12]


def _counts(key: str, value: Any) -> dict[str, int]:
    if not isinstance(value, Mapping):
        raise ValueError(
            f"{_KEY}.{key}: {value!r} is not a mapping; write it like {{MDS: 4, AML: 1, donor: 1}}"
        )
    unknown = [str(label) for label in value if label not in CLASSES]
    if unknown:
        raise ValueError(
            f"{_KEY}.{key}: unknown class {', '.join(unknown)}; choose from {', '.join(CLASSES)}"
        )
    for label, number in value.items():
        _check_int(f"{key}.{label}", number, 0, 99_999)
    return {label: value[label] for label in CLASSES if value.get(label)}


def _check_int(key: str, value: Any, low: int, high: int) -> None:
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise ValueError(f"{_KEY}.{key}: {value!r} is not an integer from {low} to {high}")


def _fraction(key: str, value: Any) -> float:
    number = not isinstance(value, bool) and isinstance(value, int | float) and math.isfinite(value)
    if not number or not 0 <= value <= 1:
        raise ValueError(f"{_KEY}.{key}: {value!r} is not a number from 0 to 1")
    return float(value)
