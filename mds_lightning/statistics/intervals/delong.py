"""The covariance of ROC-AUCs without resampling, and the interval that follows."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from mds_lightning.statistics.intervals.interval import Interval


@dataclass(frozen=True)
class AucCovariance:
    """ROC-AUCs of several models on the same rows.

    Attributes:
        auc: (models,).
        covariance: (models, models) of the AUCs under sampling of patients.
        clustered: Whether some patient has several rows.
    """

    auc: NDArray[np.float64]
    covariance: NDArray[np.float64]
    clustered: bool


def covary_aucs(
    is_positive: NDArray[np.bool_], scores: NDArray[np.float64], patient: NDArray[np.int64]
) -> AucCovariance:
    """ROC-AUCs of models that scored the same rows, with their covariance.

    The placement of a row is the fraction of the rows of the other class that its score is on the right side
    of, ties counting half. The covariance is that of the placements summed over a patient's rows: Obuchowski,
    Biometrics 53 (1997) 567, equations 4 to 7; with one row per patient it is DeLong, DeLong and
    Clarke-Pearson, Biometrics 44 (1988) 837. Placements come from sorted scores in n log n, as Sun and Xu,
    IEEE Signal Process Lett 21 (2014) 1389 propose.

    Args:
        is_positive: (rows,).
        scores: (rows, models); higher: more likely positive.
        patient: (rows,) number of the patient.

    Raises:
        ValueError: Fewer than two patients have positive rows, or fewer than two have negative ones.
    """
    _, patient = np.unique(patient, return_inverse=True)
    n_patients_by_class = [len(np.unique(patient[rows])) for rows in (is_positive, ~is_positive)]
    if min(n_patients_by_class) < 2:
        raise ValueError(
            "the variance of a ROC-AUC needs two positive and two negative patients; "
            f"there are {n_patients_by_class[0]} and {n_patients_by_class[1]}"
        )
    placements = np.stack([_place(is_positive, column) for column in scores.T], axis=1)
    auc = placements[is_positive].mean(axis=0)
    positive = _deviate(placements, is_positive, patient, auc)
    negative = _deviate(placements, ~is_positive, patient, auc)
    n_patients = len(positive)
    cross = positive.T @ negative * n_patients / (n_patients - 1)
    covariance = (
        positive.T @ positive * n_patients_by_class[0] / (n_patients_by_class[0] - 1)
        + negative.T @ negative * n_patients_by_class[1] / (n_patients_by_class[1] - 1)
        + cross
        + cross.T
    )
    return AucCovariance(auc, covariance, bool(np.bincount(patient).max() > 1))


def interval_of_auc(
    is_positive: NDArray[np.bool_],
    score: NDArray[np.float64],
    patient: NDArray[np.int64],
    confidence: float = 0.95,
) -> Interval:
    """Normal interval of a ROC-AUC, clipped to [0, 1]; undefined with a reason where its variance is.

    Args:
        is_positive: (rows,).
        score: (rows,).
        patient: (rows,) number of the patient.
        confidence: Of the interval.
    """
    method = "DeLong"
    try:
        result = covary_aucs(is_positive, score[:, None], patient)
    except ValueError as error:
        return Interval.undefined(method, str(error))
    if result.clustered:
        method = "DeLong, clustered by patient (Obuchowski)"
    deviation = float(np.sqrt(result.covariance[0, 0]))
    if deviation == 0:
        return Interval.undefined(
            method, "the scores of the classes do not overlap, so the variance is estimated as 0"
        )
    half_width = float(ndtri((1 + confidence) / 2)) * deviation
    auc = float(result.auc[0])
    return Interval(max(auc - half_width, 0.0), min(auc + half_width, 1.0), method)


def _place(is_positive: NDArray[np.bool_], score: NDArray[np.float64]) -> NDArray[np.float64]:
    """(rows,) fraction of the rows of the other class that each row's score is on the right side of."""
    placement = np.empty(len(score))
    for rows, sign in ((is_positive, 1.0), (~is_positive, -1.0)):
        others = np.sort(sign * score[~rows])
        own = sign * score[rows]
        correct = np.searchsorted(others, own, "left") + np.searchsorted(others, own, "right")
        placement[rows] = correct / (2 * len(others))
    return placement


def _deviate(
    placements: NDArray[np.float64],
    rows: NDArray[np.bool_],
    patient: NDArray[np.int64],
    auc: NDArray[np.float64],
) -> NDArray[np.float64]:
    """(patients, models) sum of the deviations of a patient's rows, over the number of rows of the class."""
    deviations = np.zeros((patient.max() + 1, placements.shape[1]))
    np.add.at(deviations, patient[rows], placements[rows] - auc)
    return deviations / rows.sum()
