"""Every metric, table and figure of a study, computed from the rows of its predictions."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import pandas as pd
from rich.table import Table

from mds_lightning.cohort.cohort_parameters import CohortLocation
from mds_lightning.reporting.figures.figures_of_variant import draw_figures
from mds_lightning.reporting.figures.style import save_figure
from mds_lightning.reporting.map_evaluation import write_map_results
from mds_lightning.reporting.seed_evaluation import read_seed_evidence, write_seed_results
from mds_lightning.reporting.study_tables import write_study_tables
from mds_lightning.reporting.tables.characteristics import clinical_columns
from mds_lightning.reporting.tables.estimate_tables import (
    show_estimates,
    write_csv,
)
from mds_lightning.reporting.tables.evidence import Evidence, gather_evidence
from mds_lightning.reporting.tables.evidence_cautions import list_cohort_cautions, list_model_cautions
from mds_lightning.reporting.tables.external_table import (
    show_external,
)
from mds_lightning.reporting.tables.optimism import claim_on_test, show_claim
from mds_lightning.reporting.written_files import list_written
from mds_lightning.statistics.estimates import Settings
from mds_lightning.studies.cohort_files import UNNAMED
from mds_lightning.studies.folder_links import refuse_links_outside
from mds_lightning.studies.layout import RunDirectory, StudyDirectory
from mds_lightning.studies.manifest_rows import ManifestRows, find_manifest_rows
from mds_lightning.studies.pooled_rows import average_variants, command_to_test, read_seeds, refuse_untested
from mds_lightning.studies.selection import (
    NESTED,
    NOT_BLIND,
    Selection,
    is_blind_study,
    select_variants,
)
from mds_lightning.studies.stored_recalibration import read_study_recalibrations

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Evaluation:
    """The result of `evaluate_study`.

    Attributes:
        evidence: Variant to its evidence; `selected` alone for a search of which only the selected trials
            were tested.
        files: Every file that was written.
        summary: Tables and lines for a terminal.
    """

    evidence: Mapping[str, Evidence]
    files: tuple[Path, ...]
    summary: tuple[Table | str, ...]


#: One step of the evaluation: the files that it wrote, and what it has for the terminal.
_Step = tuple[list[Path], list[Table | str]]


def evaluate_study(
    path: str | Path,
    settings: Settings | None = None,
    selection: Literal["none", "inner_validation"] = "none",
    location: CohortLocation = UNNAMED,
    output: str | Path | None = None,
) -> Evaluation:
    """Pool the folds of every variant of a study, and write its `evaluation/` folder.

    `evaluation/<variant>/` holds the tables and figures of one variant; `evaluation/` itself those of the
    whole study: patient characteristics, performance, and the comparison of two or more variants. The
    predicted class is the class with the largest probability: for two classes, positive above 0.5.

    Args:
        path: The study's directory, such as `runs/demo`.
        settings: Aggregation, resamples, confidence and seed; None: the defaults of `mds-lightning evaluate`.
        selection: `none`: every variant by itself. `inner_validation`: each fold is reported with the variant
            that its own validation patients select.
        location: Paths or URLs of the manifest and the images that the user names.
        output: Folder of the results; None: `evaluation/` in the study.

    Raises:
        ValueError: See `studies.pooled_rows.read_runs`.
        UntestedError: It is a search, and trials that have to be reported were not tested.
        OutsideFolderError: Without `output`, the results would be written through a link out of the study.
    """
    if selection not in ("none", "inner_validation"):
        raise ValueError(f"selection={selection}: choose none or inner_validation")
    study = StudyDirectory(Path(path), None if output is None else Path(output))
    if output is None:
        refuse_links_outside(study.path, study.evaluation)
    settings = settings or Settings()
    by_seed = read_seeds(study)
    pooled = average_variants(by_seed)
    if selection == "none":
        refuse_untested(study, pooled)
    selected = select_variants(study, pooled) if selection == "inner_validation" else None
    # Often only the selected trials of a search were tested: then they are all that can be reported.
    whole = {variant: rows for variant, rows in pooled.items() if selected is None or selected.complete}
    first = next(iter(whole)) if selected is None else selected.chosen[0]
    reported = whole[first] if selected is None else selected.predictions
    rows = find_manifest_rows(study, next(iter(study.runs(first).values())), reported, location)
    clinical = None if rows is None else clinical_columns(rows.table)
    steps: list[_Step] = []
    evidence: dict[str, Evidence] = {}
    performance: dict[str, pd.DataFrame] = {}
    for variant, predictions in whole.items():
        variants = dict.fromkeys(study.runs(variant), variant)
        recalibrations = read_study_recalibrations(study, variants, predictions, settings.aggregation)
        evidence[variant] = gather_evidence(predictions, settings, clinical, recalibrations)
        _warn(variant, evidence[variant])
        runs = list(study.runs(variant).values())
        steps.append(_write_variant(study, variant, variant, runs, evidence[variant], rows))
        estimates = evidence[variant].tables["metrics"]
        seeds = read_seed_evidence(study, variant, by_seed[variant], estimates, settings)
        if seeds is None:
            performance[variant] = estimates
        else:
            performance |= seeds.models(variant)
            steps.append(write_seed_results(study, variant, seeds, predictions.classes))
    if selected is not None:
        by_fold = {fold: study.runs(variant)[fold] for fold, variant in selected.chosen.items()}
        recalibrations = read_study_recalibrations(
            study, selected.chosen, selected.predictions, settings.aggregation
        )
        chosen = gather_evidence(selected.predictions, settings, clinical, recalibrations)
        _warn("selected", chosen)
        runs = list(by_fold.values())
        title = "selected on validation images in each fold"
        steps.append(_write_variant(study, "selected", title, runs, chosen, rows))
        steps.append(_write_selection(study, selected, chosen, evidence))
        evidence = evidence or {"selected": chosen}
        performance = performance or {"selected": chosen.tables["metrics"]}
    # The patients, and so the columns, are the same for every variant.
    for sentence in list_cohort_cautions(next(iter(evidence.values()))):
        log.warning("%s", sentence)
    steps.append((write_study_tables(study, evidence, performance, rows), []))
    files = [file for written, _ in steps for file in written]
    summary = [item for _, shown in steps for item in shown]
    if not is_blind_study(study, pooled):
        summary.append(NOT_BLIND)
    return Evaluation(evidence, tuple(files), (*summary, *list_written(study, files)))


def _write_variant(
    study: StudyDirectory,
    name: str,
    title: str,
    runs: Sequence[RunDirectory],
    evidence: Evidence,
    rows: ManifestRows | None,
) -> _Step:
    """Write the tables and figures of one variant to `evaluation/<name>`."""
    folder, title = study.evaluation / name, f"{study.path.name}, {title}"
    files = [write_csv(table, folder / f"{stem}.csv") for stem, table in evidence.tables.items()]
    for stem, figure in draw_figures(evidence):
        files += save_figure(figure, folder / stem)
    shown = show_estimates(evidence.tables["metrics"], title, evidence.settings.confidence)
    shown += show_external(evidence, title)
    map_files, map_tables = write_map_results(folder, title, runs, rows)
    return files + map_files, [*shown, *map_tables]


def _warn(variant: str, evidence: Evidence) -> None:
    for sentence in list_model_cautions(evidence):
        log.warning("%s: %s", variant, sentence)


def _write_selection(
    study: StudyDirectory, selection: Selection, chosen: Evidence, evidence: Mapping[str, Evidence]
) -> _Step:
    """Write the variant selected in each fold, and what selection on the test folds would have reported."""
    patients = {variant: one.test["patient"] for variant, one in evidence.items()}
    claim = claim_on_test(patients, chosen.test["patient"], selection)
    shown: list[Table | str] = [show_claim(claim)]
    if selection.is_nested:
        shown.append(NESTED)
    if not (selection.complete or selection.is_nested):
        shown.append(
            "The optimistic result of selection on the test patients needs the test rows of every trial:\n"
            f"  {command_to_test(study, every=True)}"
        )
    folder = study.evaluation / "selected"
    folds = pd.DataFrame(sorted(selection.chosen.items()), columns=["fold", "variant"])
    return [write_csv(folds, folder / "selection.csv"), write_csv(claim, folder / "optimism.csv")], shown
