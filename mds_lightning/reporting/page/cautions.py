"""Limitations of a result that can be computed automatically."""

from collections.abc import Iterator

import pandas as pd

from mds_lightning.reporting.page.cohort_flow import CohortFlow
from mds_lightning.reporting.page.provenance_summary import ProvenanceSummary
from mds_lightning.reporting.tables.evidence import Evidence
from mds_lightning.reporting.tables.numbers import Estimate, find_estimate
from mds_lightning.studies.pooled_rows import HELD_OUT

#: An interval of the ROC-AUC wider than this is reported as too few patients.
_WIDE = 0.15
#: A larger difference between pooled and within-fold ROC-AUC is reported.
_APART = 0.03


def list_cautions(
    evidence: Evidence, flow: CohortFlow, provenance: ProvenanceSummary, headline: Estimate, simulated: bool
) -> Iterator[str]:
    """Yield one sentence for each limitation of the main result.

    Args:
        evidence: Results of the reported models.
        flow: Flow of patients.
        provenance: Provenance of its folds.
        headline: Patient-level ROC-AUC of the held-out patients.
        simulated: Whether the images are simulated.
    """
    if simulated:
        yield (
            "The smears are simulated. The results show that the pipeline works; they do not apply to "
            "patients."
        )
    patients = flow.studied.patients
    if headline.is_defined and not headline.has_interval:
        reason = headline.note or headline.limits
        yield f"The ROC-AUC has no interval ({reason}): {patients} patients are too few."
    elif headline.high - headline.low > _WIDE:
        yield (
            f"The interval of the ROC-AUC is {headline.high - headline.low:.2f} wide: {patients} patients do "
            "not allow a precise estimate."
        )
    if headline.value == 1:
        yield (
            f"The model ranks all {patients} patients correctly. So few patients cannot show how frequent "
            "errors are, and metrics without an interval (no spread) appear more certain than they are."
        )
    if headline.has_interval and headline.low <= 0.5:
        yield "The interval of the ROC-AUC includes 0.5: the model may be no better than chance."
    if constant := evidence.predictions.constant_folds:
        yield (
            f"All images have the same probability in fold {', '.join(map(str, constant))}: the model "
            "has not learned. A lower classifier.learning_rate, or pretrained weights, may help."
        )
    yield from _about_folds(evidence)
    yield from _about_calibration(evidence.tables["calibration"], evidence.predictions.classes[-1])
    yield from _about_sources(evidence, flow)
    if provenance.differing:
        yield f"The folds differ in {', '.join(provenance.differing)}."
    if any("+changes" in value for value in provenance.facts.values()):
        yield "The models were trained from a working copy with uncommitted changes."


def _about_folds(evidence: Evidence) -> Iterator[str]:
    class_name = evidence.predictions.classes[1] if evidence.predictions.is_binary else "macro"
    both = [
        find_estimate(evidence.tables["metrics"], HELD_OUT, "patient", metric, class_name)
        for metric in ("roc_auc", "roc_auc_within_folds")
    ]
    pooled, within = both
    if pooled is None or within is None or not (pooled.is_defined and within.is_defined):
        return
    if abs(pooled.value - within.value) > _APART:
        yield (
            f"Pooled, the ROC-AUC is {pooled.value:.3f}; within folds it is {within.value:.3f}: "
            "the models of the folds have different score scales, which lowers the pooled value."
        )


def _about_calibration(table: pd.DataFrame, class_name: str) -> Iterator[str]:
    chosen = table[
        (table["level"] == "patient") & (table["metric"] == "slope") & (table["class"] == class_name)
    ]
    for line in chosen[chosen["probabilities"] == "as predicted"].to_dict("records"):
        slope = Estimate.of(line)
        if slope.has_interval and not slope.low <= 1 <= slope.high:
            kind = "overconfident" if slope.value < 1 else "underconfident"
            yield (
                f"Predicted probabilities are not calibrated: patient-level calibration slope {slope} "
                f"({kind}; ideal is 1)."
            )


def _about_sources(evidence: Evidence, flow: CohortFlow) -> Iterator[str]:
    sites = set(evidence.predictions.split("test").table["site"])
    if sites <= {""}:
        yield "The manifest has no site information: differences between laboratories cannot be assessed."
    elif len(sites) == 1:
        yield "All held-out patients are from one site."
    if not flow.external:
        yield "There are no external patients: performance at other sites is unknown."
    elif len(flow.external) < len(evidence.predictions.classes):
        inside = " and ".join(one.name for one in flow.external)
        yield (
            f"All external patients are {inside}. They are compared with internal patients of another class, "
            "so a difference between laboratories would appear as a difference between classes."
        )
