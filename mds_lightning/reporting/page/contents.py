"""Contents of the report, computed before any HTML is written."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import yaml

from mds_lightning.reporting.page.cautions import describe_changed_manifest, list_cautions
from mds_lightning.reporting.page.cohort_flow import (
    CohortFlow,
    count_flow,
    count_folds,
    count_training_images,
)
from mds_lightning.reporting.page.provenance_summary import (
    ProvenanceSummary,
    summarise_provenance,
)
from mds_lightning.reporting.page.report_maps import MapsOfMethod, gather_maps
from mds_lightning.reporting.page.roc_curves import CurveFamily, trace_families
from mds_lightning.reporting.page.training_summary import FoldTraining, describe_training, read_fold_training
from mds_lightning.reporting.seed_evaluation import gather_seeds
from mds_lightning.reporting.tables.characteristics import clinical_columns, tabulate_characteristics
from mds_lightning.reporting.tables.evidence import Evidence, gather_evidence
from mds_lightning.reporting.tables.external_table import ModelsLine, list_external_lines
from mds_lightning.reporting.tables.headline import WITHIN_FOLDS
from mds_lightning.reporting.tables.numbers import Estimate, MetricLine, find_estimate, list_metric_lines
from mds_lightning.reporting.tables.published import PUBLISHED, SOURCE
from mds_lightning.reporting.tables.seed_evidence import SeedEvidence
from mds_lightning.statistics.aggregate import aggregate_patients
from mds_lightning.statistics.comparison import Comparison, compare_models
from mds_lightning.statistics.estimates import Settings
from mds_lightning.studies.cohort_files import find_cohort_files, is_simulated
from mds_lightning.studies.fold_run import FoldRun
from mds_lightning.studies.manifest_rows import ManifestRows, read_manifest_rows
from mds_lightning.studies.pooled_rows import HELD_OUT
from mds_lightning.studies.recorded_maps import find_maps
from mds_lightning.studies.selection import NOT_BLIND, Selection
from mds_lightning.studies.stored_recalibration import read_study_recalibrations
from mds_lightning.studies.study import Study


@dataclass(frozen=True)
class Page:
    """Contents of a report. Fields that are None have no section; the report states why."""

    study: str
    directory: str
    evidence: Evidence
    settings: Settings
    simulated: bool
    headline: Estimate
    headline_class: str
    selection: Selection
    flow: CohortFlow
    folds: pd.DataFrame
    characteristics: pd.DataFrame | None
    metrics: tuple[MetricLine, ...]
    external: tuple[ModelsLine, ...]
    families: tuple[CurveFamily, ...]
    comparison: Comparison | None
    maps: tuple[MapsOfMethod, ...]
    seeds: Mapping[str, SeedEvidence]
    fold_training: tuple[FoldTraining, ...]
    training_settings: Mapping[str, str]
    provenance: ProvenanceSummary
    configuration: str
    cautions: tuple[str, ...]

    @property
    def classes(self) -> tuple[str, ...]:
        """Classes of the task; of two, the second is the positive class."""
        return self.evidence.predictions.classes

    @property
    def task(self) -> str:
        """For example `MDS against donor`."""
        if len(self.classes) == 2:
            return f"{self.classes[1]} against {self.classes[0]}"
        return f"{', '.join(self.classes[:-1])} and {self.classes[-1]}"

    @property
    def n_folds(self) -> int:
        """Number of folds."""
        return len(self.selection.chosen)

    @property
    def is_ensemble(self) -> bool:
        """Whether each fold is reported with the ensemble of several seeds."""
        return all(variant in self.seeds for variant in self.selection.chosen.values())

    @property
    def selected_seeds(self) -> SeedEvidence | None:
        """Results of the seeds of the variant, if it has several and all folds selected it."""
        return self.seeds.get(self.selection.label)

    @property
    def fold_range(self) -> tuple[float, float]:
        """Smallest and largest patient-level ROC-AUC of a fold; NaN where no fold has one."""
        table = self.evidence.tables["folds"]
        wanted = {
            "patients": HELD_OUT, "level": "patient", "metric": "roc_auc", "class": self.headline_class,
        }  # fmt: skip
        values = table[np.logical_and.reduce([table[key] == name for key, name in wanted.items()])]["value"]
        return float(values.min()), float(values.max())

    @property
    def predictive_values(self) -> pd.DataFrame:
        """Predictive values at `settings.prevalence`; empty without one."""
        return self.evidence.tables.get("predictive_values", pd.DataFrame())

    @property
    def published(self) -> str:
        """Sentence with the published result for the same task, or an empty string."""
        found = PUBLISHED.get((self.classes[0], self.classes[-1])) if len(self.classes) == 2 else None
        if found is None:
            return ""
        patients = " and ".join(f"{count} {name}" for name, count in found.patients.items())
        auc = found.values["roc_auc", self.classes[1]]
        return f"Published for other patients: ROC-AUC {auc:.2f} ({found.model}; {patients}; {SOURCE})."

    @property
    def sites(self) -> pd.DataFrame:
        """Performance within each site; empty with fewer than two sites."""
        table = self.evidence.tables.get("subgroups", pd.DataFrame(columns=["column"]))
        return table[table["column"] == "site"] if len(table) else pd.DataFrame()

    @property
    def groups(self) -> pd.DataFrame:
        """Performance within the subgroups of clinical columns; empty without any."""
        table = self.evidence.tables.get("subgroups", pd.DataFrame(columns=["column"]))
        return table[table["column"] != "site"] if len(table) else pd.DataFrame()

    @property
    def places(self) -> set[str]:
        """Anchors of the sections that the page has."""
        tables = self.evidence.tables
        optional = {
            "external": bool(self.external),
            "external-patients": bool(self.external) and self.characteristics is not None,
            "patients": self.characteristics is not None,
            "subgroups": len(self.groups) > 0,
            "sites": len(self.sites) > 0,
            "maps": bool(self.maps),
            "thresholds": "operating_points" in tables and len(tables["operating_points"]) > 0,
            "decision": "decision_curve" in tables,
            "prevalence": len(self.predictive_values) > 0,
            "variants": self.comparison is not None,
            "seeds": bool(self.seeds),
        }
        always = {
            "answer", "cautions", "selection", "cohort", "folds", "performance", "roc", "confusion",
            "calibration", "training", "provenance", "checklists",
        }  # fmt: skip
        return always | {name for name, there in optional.items() if there}


def gather_page(study: Study, settings: Settings) -> Page:
    """Compute the contents of the report of a study.

    Args:
        study: A finished study.
        settings: Settings of the estimates.

    Raises:
        ValueError: A fold is unfinished or does not match the split.
    """
    selection = study.selection
    runs = [study.fold(fold, variant) for fold, variant in selection.chosen.items()]
    configuration = runs[0].settings
    files = find_cohort_files(study.directory, runs[0].directory, study.location)
    rows = None if files is None else read_manifest_rows(files, selection.predictions)
    clinical = None if rows is None else clinical_columns(rows.table)
    recalibrations = read_study_recalibrations(
        study.directory, selection.chosen, selection.predictions, settings.aggregation
    )
    evidence = gather_evidence(selection.predictions, settings, clinical, recalibrations)
    headline_class = evidence.predictions.classes[1] if evidence.predictions.is_binary else "macro"
    metrics = evidence.tables["metrics"]
    headline = find_estimate(metrics, HELD_OUT, "patient", WITHIN_FOLDS, headline_class)
    assert headline is not None, "a study has several folds, so the ROC-AUC within folds is estimated"
    skipped = {image for run in runs for image in run.skipped}
    there = None if rows is None or files is None else files.manifest
    flow = count_flow(evidence.predictions, there, skipped)
    trained = [one for chosen in selection.chosen.items() for one in study.fold_of_seeds(*chosen)]
    provenance = summarise_provenance([run.directory for run in trained])
    simulated = is_simulated(configuration)
    labels = evidence.predictions.table.drop_duplicates("patient_id").set_index("patient_id")["label"]
    training_images = count_training_images(study.folds, evidence.predictions)
    fold_training = tuple(read_fold_training(trained, training_images))
    cautions = list(list_cautions(evidence, flow, provenance, headline, simulated, fold_training))
    if files is not None and files.has_changed:
        cautions.append(describe_changed_manifest(is_read=rows is not None))
    if not selection.blind:
        cautions.append(NOT_BLIND)
    return Page(
        study=study.directory.path.resolve().name,
        directory=f"{configuration['paths']['runs']}/{study.directory.path.resolve().name}",
        evidence=evidence,
        settings=settings,
        simulated=simulated,
        headline=headline,
        headline_class=headline_class,
        selection=selection,
        flow=flow,
        folds=count_folds(
            dict(zip(labels.index.astype(str), labels, strict=True)),
            study.folds,
            evidence.predictions.classes,
        ),
        characteristics=None if rows is None else tabulate_characteristics(rows.table),
        metrics=tuple(list_metric_lines(metrics, HELD_OUT)),
        external=tuple(list_external_lines(evidence)),
        families=tuple(trace_families({level: evidence.test[level] for level in ("patient", "image")})),
        comparison=_compare(study, selection, settings),
        maps=_gather_maps(runs, rows, evidence),
        seeds=gather_seeds(study, settings),
        fold_training=fold_training,
        training_settings=describe_training(runs),
        provenance=provenance,
        configuration=yaml.safe_dump(configuration, sort_keys=False),
        cautions=tuple(cautions),
    )


def _compare(study: Study, selection: Selection, settings: Settings) -> Comparison | None:
    """Compare all variants on the same patients with the preferred one.

    None for a single variant, for more than two classes, or if a search tested only the chosen trials.
    """
    pooled = study.pooled
    if len(pooled) < 2 or not selection.predictions.is_binary or not selection.complete:
        return None
    # Recalibration does not change the ranks within a fold.
    patients = {
        name: aggregate_patients(rows.split("test"), settings.aggregation) for name, rows in pooled.items()
    }
    return compare_models(
        patients, selection.preferred, settings.n_resamples, settings.confidence, settings.seed
    )


def _gather_maps(
    runs: Sequence[FoldRun], rows: ManifestRows | None, evidence: Evidence
) -> tuple[MapsOfMethod, ...]:
    """Maps of every method; empty if no image was explained or the images were not found."""
    files = find_maps(run.directory for run in runs)
    return () if rows is None else tuple(gather_maps(files, rows.root, len(evidence.test["image"].table)))
