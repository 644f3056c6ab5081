"""The patients of a simulated cohort: clinical record, marrow, stain and scanner of each."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from mds_lightning.cohort.simulation.clinical_record import ClinicalRecord, draw_clinical
from mds_lightning.cohort.simulation.giemsa_stain import REFERENCE, Stain, vary_stain
from mds_lightning.cohort.simulation.marrow import Marrow, draw_marrow
from mds_lightning.cohort.simulation.random_streams import child_generator, child_seed
from mds_lightning.cohort.simulation.scanner import Scanner, draw_scanner
from mds_lightning.cohort.simulation.simulation_parameters import CLASSES, SimulationParameters

#: First key of each kind of random stream, so that streams are independent.
_SITE, _PATIENT, _FIELD = 1, 2, 3
#: Index of the external laboratory among the sites.
_EXTERNAL = 10**6
#: Shift of each class's stain at `confound` 1 (logarithm of the concentration).
_STAIN_SHIFT = {"MDS": 0.30, "AML": -0.30, "donor": 0.0}


@dataclass(frozen=True)
class PatientKey:
    """Identifies a patient, independently of the other patients of the cohort.

    Attributes:
        label: MDS, AML or donor.
        number: From 0 within a label, counted separately for internal and external patients.
        external: Whether the patient comes from the external laboratory.
    """

    label: str
    number: int
    external: bool

    @property
    def patient_id(self) -> str:
        """`MDS-007`, or `MDS-E007` for an external patient."""
        return f"{self.label}-{'E' * self.external}{self.number + 1:03d}"

    def seed(self, stream: int, seed: int, *further: int) -> np.random.SeedSequence:
        """Seed of one of this patient's random streams."""
        key = (stream, CLASSES.index(self.label), int(self.external), self.number, *further)
        return child_seed(np.random.SeedSequence(seed), *key)


@dataclass(frozen=True)
class Patient:
    """What all fields of one patient have in common.

    Attributes:
        site: Name of the site.
        clinical: Clinical record.
        marrow: Parameters of the fields.
        stain: Stain of the slide.
        scanner: Scanner of the site.
    """

    site: str
    clinical: ClinicalRecord
    marrow: Marrow
    stain: Stain
    scanner: Scanner


def list_patients(parameters: SimulationParameters) -> Iterator[PatientKey]:
    """Internal patients, then external ones, class by class."""
    for counts, external in ((parameters.patients, False), (parameters.external_patients, True)):
        for label in CLASSES:
            for number in range(counts.get(label, 0)):
                yield PatientKey(label, number, external)


def draw_patient(parameters: SimulationParameters, key: PatientKey) -> Patient:
    """Draw the patient `key` of a cohort."""
    return draw_patient_from(key.seed(_PATIENT, parameters.seed), parameters, key)


def draw_patient_from(
    seed: np.random.SeedSequence, parameters: SimulationParameters, key: PatientKey
) -> Patient:
    """Draw a patient from an explicit seed; `key` determines label and site only.

    With `signal` and `confound` 0 one seed gives the same marrow, stain and scanner for every label.
    """
    record, marrow, slide = (child_generator(seed, index) for index in range(3))
    site = _EXTERNAL if key.external else key.number % parameters.sites
    stain, scanner = _draw_site(parameters.seed, site)
    clinical = draw_clinical(record, key.label)
    return Patient(
        site="external" if key.external else f"site-{site + 1}",
        clinical=clinical,
        marrow=draw_marrow(marrow, key.label, parameters.signal, clinical.blasts),
        stain=vary_stain(stain, slide, 0.05, 0.015, shift=parameters.confound * _STAIN_SHIFT[key.label]),
        scanner=scanner,
    )


def field_seed(parameters: SimulationParameters, key: PatientKey, field: int) -> np.random.SeedSequence:
    """Seed of field number `field` (from 0) of patient `key`."""
    return key.seed(_FIELD, parameters.seed, field)


def _draw_site(seed: int, site: int) -> tuple[Stain, Scanner]:
    rng = child_generator(np.random.SeedSequence(seed), _SITE, site)
    strength, hue = (0.10, 0.045) if site == _EXTERNAL else (0.06, 0.03)
    return vary_stain(REFERENCE, rng, strength, hue), draw_scanner(rng)
