"""Limitations of a result that its tables show: of the models, and of the cohort."""

from collections.abc import Hashable, Iterator, Mapping
from typing import Any

import pandas as pd

from mds_lightning.reporting.tables.evidence import Evidence
from mds_lightning.reporting.tables.headline import WITHIN_FOLDS
from mds_lightning.reporting.tables.numbers import Estimate, find_estimate
from mds_lightning.statistics.column_separation import IMAGES_PER_PATIENT, SEPARATING
from mds_lightning.statistics.operating_point import Rule
from mds_lightning.statistics.recalibrated_levels import RAW, RECALIBRATED
from mds_lightning.studies.pooled_rows import HELD_OUT

#: A pooled ROC-AUC that is lower than that within folds by more than this is reported.
_APART = 0.03
#: Folds whose test has a smaller p value, after Holm's adjustment, are reported.
_SIGNIFICANT = 0.05


def list_model_cautions(evidence: Evidence) -> Iterator[str]:
    """Yield one sentence for each limitation of the models of a variant."""
    if constant := evidence.predictions.constant_folds:
        yield (
            f"All images have the same probability in fold {', '.join(map(str, constant))}: the model "
            "has not learned. A lower classifier.learning_rate, or pretrained weights, may help."
        )
    for fold, absent in evidence.folds_without_recalibration.items():
        yield (
            f"The validation patients of fold {fold} include no {' and no '.join(absent)}: its probabilities "
            "are not recalibrated, and metrics that pool the folds mix two scales."
        )
    yield from _about_fold_differences(evidence)
    yield from _about_scales(evidence)
    yield from _about_calibration(evidence.tables["calibration"], evidence.predictions.classes[-1])
    yield from _about_external_sensitivity(evidence)


def list_cohort_cautions(evidence: Evidence) -> Iterator[str]:
    """Yield one sentence for each column that alone separates the classes."""
    table, is_binary = evidence.tables["column_separation"], evidence.predictions.is_binary
    for line in table[table["low"] > SEPARATING].to_dict("records"):
        limits = f"ROC-AUC {line['value']:.3f} [{line['low']:.3f} to {line['high']:.3f}] at patient level"
        whom = "the classes" if is_binary else f"{line['class']} from the other classes"
        if line["column"] == IMAGES_PER_PATIENT:
            yield (
                f"The number of images per patient alone distinguishes {whom}: {limits}, without any image. "
                "The probability of a patient is combined from more images in one class than in another, and "
                "whatever determined the number of images may also show in them."
            )
        else:
            yield (
                f"The column {line['column']} alone distinguishes {whom}: {limits}, without any image. The "
                "models do not receive the column, but images may differ because of it and not because of "
                "the disease."
            )


def _about_fold_differences(evidence: Evidence) -> Iterator[str]:
    table = evidence.tables["fold_differences"]
    for line in table[table["p_holm"] < _SIGNIFICANT].to_dict("records"):
        yield (
            f"The models of the folds differ more than chance allows in {_name(evidence, line)}: "
            f"{line['folds']} in the folds ({line['test']}, {_write_p(line['p'])}; after Holm's adjustment "
            f"for {table['p'].notna().sum()} tests {_write_p(line['p_holm'])}). The intervals describe these "
            "models and are too narrow for another model that is trained in the same way."
        )


def _name(evidence: Evidence, line: Mapping[Hashable, Any]) -> str:
    """Of two classes, recall of the second is the sensitivity and that of the first the specificity."""
    classes, name = evidence.predictions.classes, str(line["class"])
    if line["metric"] != "recall":
        return "the ROC-AUC" if evidence.predictions.is_binary else f"the ROC-AUC of {name}"
    if evidence.predictions.is_binary:
        return "specificity" if name == classes[0] else "sensitivity"
    return f"recall of {name}"


def _write_p(p: float) -> str:
    return f"p = {p:.3f}" if p >= 0.001 else f"p = {p:.0e}"


def _about_scales(evidence: Evidence) -> Iterator[str]:
    class_name = evidence.predictions.classes[1] if evidence.predictions.is_binary else "macro"
    pooled, within = (
        find_estimate(evidence.tables["metrics"], HELD_OUT, "patient", metric, class_name)
        for metric in ("roc_auc", WITHIN_FOLDS)
    )
    if pooled is None or within is None or not (pooled.is_defined and within.is_defined):
        return
    if within.value - pooled.value > _APART:
        yield (
            f"Pooled over the folds, the ROC-AUC of the recalibrated probabilities is {pooled.value:.3f}; "
            f"within folds it is {within.value:.3f}: recalibration has not made the models of the folds "
            "comparable, which affects all metrics that pool the folds."
        )


def _about_calibration(table: pd.DataFrame, class_name: str) -> Iterator[str]:
    chosen = table[
        (table["level"] == "patient")
        & (table["class"] == class_name)
        & (table["probabilities"] == RECALIBRATED)
    ]
    for line in chosen[chosen["metric"].isin(["slope", "intercept"])].to_dict("records"):
        one, is_slope = Estimate.of(line), line["metric"] == "slope"
        ideal = 1 if is_slope else 0
        if not one.has_interval or one.low <= ideal <= one.high:
            continue
        low, high = ("overconfident", "underconfident") if is_slope else ("too high", "too low")
        yield (
            f"Recalibrated probabilities of {class_name} are not calibrated: patient-level calibration "
            f"{line['metric']} {one} ({low if one.value < ideal else high}; ideal is {ideal})."
        )
    yield from _about_recalibration(table, class_name)


def _about_recalibration(table: pd.DataFrame, class_name: str) -> Iterator[str]:
    scores = table[
        (table["level"] == "patient") & (table["class"] == class_name) & (table["metric"] == "brier")
    ].set_index("probabilities")["value"]
    if RAW not in scores or RECALIBRATED not in scores:
        return
    before, after = float(scores[RAW]), float(scores[RECALIBRATED])
    if round(after, 3) > round(before, 3):  # as shown
        yield (
            f"Recalibration did not improve the probabilities of patients: the Brier score is {before:.3f} "
            f"as predicted and {after:.3f} recalibrated. Each fold has few validation patients for it."
        )


def _about_external_sensitivity(evidence: Evidence) -> Iterator[str]:
    """Yield a sentence if the sensitivity for external patients is lower than for held-out ones."""
    if evidence.external is None or not evidence.predictions.is_binary:
        return
    positive = evidence.predictions.classes[-1]

    def sensitivity(table: pd.DataFrame) -> dict[Hashable, Any] | None:
        lines = table[
            (table["level"] == "patient")
            & (table["metric"] == "recall")
            & (table["class"] == positive)
            & (table["rule"] == Rule.youden().name)
        ].to_dict("records")
        return lines[0] if lines else None

    external = sensitivity(evidence.tables["external"])
    inside = sensitivity(evidence.tables["operating_points"])
    if external is None or inside is None or not external["value"] < inside["value"]:
        return
    yield (
        f"The sensitivity for external patients is {Estimate.of(external)}, between "
        f"{external['lowest']:.3f} and {external['highest']:.3f} for the models, and {inside['value']:.3f} "
        "for held-out patients (at each model's own threshold with the largest Youden index)."
    )
