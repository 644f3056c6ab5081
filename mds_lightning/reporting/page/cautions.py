"""What a reader must keep in mind, as far as it can be computed."""

from collections.abc import Iterator

import pandas as pd

from mds_lightning.reporting.page.cohort_flow import CohortFlow
from mds_lightning.reporting.page.provenance_summary import ProvenanceSummary
from mds_lightning.reporting.tables.evidence import HELD_OUT, Evidence
from mds_lightning.reporting.tables.numbers import Estimate, find_estimate

#: An interval of a ROC-AUC wider than this leaves open whether a model is good or middling.
_WIDE = 0.15
#: Pooled and within-fold ROC-AUC further apart than this: the folds' models score on different scales.
_APART = 0.03


def list_cautions(
    evidence: Evidence, flow: CohortFlow, provenance: ProvenanceSummary, headline: Estimate, simulated: bool
) -> Iterator[str]:
    """Yield a sentence for each reason not to take the headline at its face value.

    Args:
        evidence: What the report is about.
        flow: Of its cohort.
        provenance: Provenance of its folds.
        headline: Its ROC-AUC.
        simulated: Whether the images were drawn.
    """
    if simulated:
        yield (
            "The smears were drawn by a simulator. The numbers show that the pipeline works, "
            "and say nothing about patients."
        )
    patients = flow.studied.patients
    if headline.is_defined and not headline.has_interval:
        reason = headline.note or headline.limits
        yield f"The ROC-AUC has no interval ({reason}): {patients} patients are few."
    elif headline.high - headline.low > _WIDE:
        yield (
            f"{patients} patients are few: the interval of the ROC-AUC is "
            f"{headline.high - headline.low:.2f} wide."
        )
    if headline.value == 1:
        yield (
            f"Every patient is in order: {patients} patients cannot show how rare an exception is, and "
            "measures without an interval (no spread) look surer than they are."
        )
    if headline.has_interval and headline.low <= 0.5:
        yield "The interval of the ROC-AUC includes 0.5: the model may do no better than guessing."
    if indifferent := evidence.predictions.indifferent_folds:
        yield (
            f"Every image gets the same probability in fold {', '.join(map(str, indifferent))}: the model "
            "has learned nothing. A lower classifier.learning_rate, or pretrained weights, may help."
        )
    yield from _about_folds(evidence)
    yield from _about_calibration(evidence.tables["calibration"], evidence.predictions.classes[-1])
    yield from _about_sources(evidence, flow)
    if provenance.differing:
        yield f"The folds were not made alike: {', '.join(provenance.differing)} differ between them."
    if any("+changes" in value for value in provenance.facts.values()):
        yield "The code had changes that are in no commit when the models were trained."


def _about_folds(evidence: Evidence) -> Iterator[str]:
    of = evidence.predictions.classes[1] if evidence.predictions.is_binary else "macro"
    both = [
        find_estimate(evidence.tables["metrics"], HELD_OUT, "patient", metric, of)
        for metric in ("roc_auc", "roc_auc_within_folds")
    ]
    pooled, within = both
    if pooled is None or within is None or not (pooled.is_defined and within.is_defined):
        return
    if abs(pooled.value - within.value) > _APART:
        yield (
            f"Pooled, the ROC-AUC is {pooled.value:.3f}; within folds it is {within.value:.3f}: "
            "the folds' models score on different scales, which pooling pays for."
        )


def _about_calibration(table: pd.DataFrame, of: str) -> Iterator[str]:
    chosen = table[(table["level"] == "patient") & (table["metric"] == "slope") & (table["of"] == of)]
    for line in chosen[chosen["probabilities"] == "as predicted"].to_dict("records"):
        slope = Estimate.of(line)
        if slope.has_interval and not slope.low <= 1 <= slope.high:
            kind = "too extreme" if slope.value < 1 else "too timid"
            yield (
                f"Probabilities are no risks as they stand: patient level calibration slope {slope} "
                f"({kind}; 1 is ideal)."
            )


def _about_sources(evidence: Evidence, flow: CohortFlow) -> Iterator[str]:
    sites = set(evidence.predictions.split("test").table["site"])
    if sites <= {""}:
        yield "The manifest names no site: whether laboratories differ cannot be seen."
    elif len(sites) == 1:
        yield "All held-out patients come from one site."
    if not flow.external:
        yield "No patient is external: how the model does elsewhere is not known."
    elif len(flow.external) < len(evidence.predictions.classes):
        inside = " and ".join(one.name for one in flow.external)
        yield (
            f"All external patients are {inside}: set against internal patients of another class, "
            "a difference of laboratory would look like one of disease."
        )
