"""A small version of `benchmarks/coverage.py`: coverage of patients' and of images' bootstrap."""

import numpy as np
from scipy.special import ndtr

from mds_lightning.statistics.intervals.bootstrap import bootstrap
from mds_lightning.statistics.metric import Measure
from mds_lightning.statistics.sample import Sample
from mds_lightning.statistics.weighted_sample import PreparedSample

COHORTS, PATIENTS, IMAGES, WITHIN_PATIENT, SHIFT = 250, 60, 4, 0.7, 1.5
AUC = Measure("roc_auc", "MDS")
TRUTH = ndtr(SHIFT / 2**0.5)


def draw(seed: int, by_patient: bool) -> Sample:
    generator = np.random.default_rng(seed)
    patient = np.repeat(np.arange(PATIENTS), IMAGES)
    target = patient % 2
    score = SHIFT * target + WITHIN_PATIENT**0.5 * generator.normal(size=PATIENTS)[patient]
    score = score + (1 - WITHIN_PATIENT) ** 0.5 * generator.normal(size=len(patient))
    chance = ndtr(score)
    unit = patient if by_patient else np.arange(len(patient))
    strata = np.arange(PATIENTS) % 2 if by_patient else target
    probabilities = np.stack([1 - chance, chance], axis=1)
    return Sample(("donor", "MDS"), target, probabilities, unit, strata, np.zeros(len(target), int))


def coverage(by_patient: bool) -> float:
    n_contain = 0
    for seed in range(COHORTS):
        sample = draw(seed, by_patient)
        ranking = PreparedSample(sample).rankings["MDS"]

        def auc(weights: np.ndarray, ranking=ranking) -> dict[Measure, np.ndarray]:
            won, total = ranking.pairs(weights)
            return {AUC: won / total}

        interval = bootstrap(auc, sample.patient_class, 400, seed).bca(AUC)
        n_contain += interval.low <= TRUTH <= interval.high
    return n_contain / COHORTS


def test_resampling_patients_covers_and_resampling_images_does_not() -> None:
    assert 0.91 < coverage(by_patient=True) < 0.985
    assert coverage(by_patient=False) < 0.82
