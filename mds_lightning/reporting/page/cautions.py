"""Limitations of a result that can be computed automatically."""

from collections.abc import Iterator, Sequence

from mds_lightning.reporting.page.cohort_flow import CohortFlow
from mds_lightning.reporting.page.provenance_summary import ProvenanceSummary
from mds_lightning.reporting.page.training_summary import FoldTraining
from mds_lightning.reporting.tables.evidence import Evidence
from mds_lightning.reporting.tables.evidence_cautions import list_cohort_cautions, list_model_cautions
from mds_lightning.reporting.tables.numbers import Estimate

#: An interval of the ROC-AUC wider than this is reported as too few patients.
_WIDE = 0.15
#: A training loss above this fraction of that of a constant prediction is reported.
_NOT_LEARNED = 0.95


def list_cautions(
    evidence: Evidence,
    flow: CohortFlow,
    provenance: ProvenanceSummary,
    headline: Estimate,
    simulated: bool,
    trainings: Sequence[FoldTraining],
) -> Iterator[str]:
    """Yield one sentence for each limitation of the main result.

    Args:
        evidence: Results of the reported models.
        flow: Flow of patients.
        provenance: Provenance of its folds.
        headline: Patient-level ROC-AUC within folds of the held-out patients.
        simulated: Whether the images are simulated.
        trainings: How each fold was trained.
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
            f"The models rank all {patients} patients correctly within their folds. So few patients cannot "
            "show how frequent errors are, and metrics without an interval (no spread) appear more certain "
            "than they are."
        )
    if headline.has_interval and headline.low <= 0.5:
        yield "The interval of the ROC-AUC includes 0.5: the models may be no better than chance."
    yield from list_cohort_cautions(evidence)
    yield from _about_training(trainings)
    yield from list_model_cautions(evidence)
    yield from _about_sources(evidence, flow)
    if provenance.differing:
        yield f"The folds differ in {', '.join(provenance.differing)}."
    if any("+changes" in value for value in provenance.facts.values()):
        yield "At least one model was trained from a working copy with uncommitted changes."


def describe_changed_manifest(is_read: bool) -> str:
    """The limitation of a manifest that has changed; `is_read`: its rows still fit the study."""
    effect = "use its current values" if is_read else "are omitted"
    return (
        "The manifest has changed since the study was trained: patient characteristics and subgroups "
        f"{effect}."
    )


def _about_training(trainings: Sequence[FoldTraining]) -> Iterator[str]:
    for one in trainings:
        if one.train_loss is not None and one.train_loss > _NOT_LEARNED * one.chance_loss:
            seed = "" if one.seed is None else f", seed {one.seed},"
            yield (
                f"The model of fold {one.fold}{seed} has not learned: its training loss in the last epoch is "
                f"{one.train_loss:.3f}, and {one.chance_loss:.3f} is reached by predicting the same "
                "probabilities for every image."
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
    elif evidence.external is not None and evidence.external.mixture:
        yield (
            f"Of the external patients, {evidence.external.mixture}: a difference between laboratories would "
            "appear as a difference between classes."
        )
