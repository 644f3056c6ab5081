"""`mds-lightning evaluate`: every number, table and figure of a study, from the rows of its predictions."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from omegaconf import DictConfig
from rich.console import Console

from mds_lightning.reporting.attention import measure_attention, show_attention, summarise_attention
from mds_lightning.reporting.characteristics import clinical_columns, tabulate_characteristics
from mds_lightning.reporting.clinical import ManifestRows, read_manifest_rows
from mds_lightning.reporting.evidence import Evidence, gather_evidence
from mds_lightning.reporting.explained import choose_fields
from mds_lightning.reporting.figures.maps import draw_maps
from mds_lightning.reporting.figures.ranks import draw_ranks
from mds_lightning.reporting.figures.style import save_figure
from mds_lightning.reporting.gallery import draw_figures
from mds_lightning.reporting.headline import KINDS
from mds_lightning.reporting.optimism import claim_on_test, show_claim
from mds_lightning.reporting.origin import find_manifest
from mds_lightning.reporting.paper import PUBLISHED
from mds_lightning.reporting.selection import select_variants
from mds_lightning.reporting.study import read_study
from mds_lightning.reporting.tables import show_estimates, tabulate_performance, write_csv, write_table
from mds_lightning.statistics.comparison import compare_models
from mds_lightning.statistics.estimates import Settings
from mds_lightning.statistics.predictions import Predictions, score_auroc
from mds_lightning.tracking.run_directory import StudyDirectory
from mds_lightning.tracking.settings import read_settings

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Evaluation:
    """What `evaluate` found.

    Attributes:
        evidence: Variant to what is known of it.
        files: Everything that was written.
    """

    evidence: Mapping[str, Evidence]
    files: tuple[Path, ...]


def evaluate(config: DictConfig) -> Evaluation:
    """Pool the folds of every variant of a study, and write its `evaluation/` folder.

    `evaluation/<variant>/` holds the tables and figures of one variant; `evaluation/` itself those of all:
    patient characteristics, performance, and the comparison of two and more variants. A decision is the class
    with the largest probability: for two classes, positive above 0.5.

    Args:
        config: `conf/evaluate.yaml`.

    Raises:
        ValueError: See `reporting.study.read_study`.
    """
    if config.selection not in ("none", "inner_validation"):
        raise ValueError(f"selection={config.selection}: choose none or inner_validation")
    study = StudyDirectory(Path(config.study))
    settings = Settings(config.aggregation, config.n_resamples, config.confidence, config.seed)
    pooled = read_study(study)
    rows = _read_manifest(study, next(iter(pooled)), pooled)
    clinical = None if rows is None else clinical_columns(rows.table)
    console, files = Console(), list[Path]()
    evidence: dict[str, Evidence] = {}
    for variant, predictions in pooled.items():
        evidence[variant] = gather_evidence(predictions, settings, clinical)
        files += _write_variant(study, variant, evidence[variant], rows)
        title = f"{study.path.name}, {variant}"
        console.print(*show_estimates(evidence[variant].tables["metrics"], title, settings.confidence))
        files += _write_attention(study, variant, rows, console)
    if config.selection == "inner_validation":
        files += _write_selection(study, pooled, evidence, clinical, console)
    files += _write_study(study, evidence, rows)
    _tell_files(console, study, files)
    return Evaluation(evidence, tuple(files))


def _tell_files(console: Console, study: StudyDirectory, files: list[Path]) -> None:
    """The files that people open first, and where the others are."""
    first = [path for path in files if path.name in ("metrics.csv", "roc.png", "figure3_maps.png")]
    first += [path for path in files if path.suffix == ".md"]
    for path in first:
        console.print(f"wrote {path}", soft_wrap=True, highlight=False, markup=False)
    others = (
        f"and {len(files) - len(first)} more tables (CSV, LaTeX) and figures (PNG, SVG) in {study.evaluation}"
    )
    console.print(others, soft_wrap=True, highlight=False, markup=False)


def _write_variant(
    study: StudyDirectory, variant: str, evidence: Evidence, rows: ManifestRows | None
) -> list[Path]:
    folder = study.evaluation / variant
    files = [write_csv(table, folder / f"{name}.csv") for name, table in evidence.tables.items()]
    for name, figure in draw_figures(evidence):
        files += save_figure(figure, folder / name)
    fields = [] if rows is None else choose_fields(list(study.runs(variant).values()), rows.root)
    if fields:
        figure = draw_maps(fields, f"Occlusion sensitivity, {variant}: held-out fields")
        files += save_figure(figure, folder / "figure3_maps")
    return files


def _write_selection(
    study: StudyDirectory,
    pooled: Mapping[str, Predictions],
    evidence: Mapping[str, Evidence],
    clinical: pd.DataFrame | None,
    console: Console,
) -> list[Path]:
    """The figure when validation chooses the variant fold by fold, and beside it the optimistic one."""
    settings = next(iter(evidence.values())).settings
    selection = select_variants(pooled)
    chosen = gather_evidence(selection.predictions, settings, clinical)
    title = f"{study.path.name}, chosen on validation in each fold"
    console.print(*show_estimates(chosen.tables["metrics"], title, settings.confidence))
    claim = claim_on_test({variant: one.test["patient"] for variant, one in evidence.items()}, selection)
    console.print(show_claim(claim))
    folder = study.evaluation / "selected"
    folds = pd.DataFrame(sorted(selection.chosen.items()), columns=["fold", "variant"])
    return [
        *(write_csv(table, folder / f"{name}.csv") for name, table in chosen.tables.items()),
        write_csv(folds, folder / "selection.csv"),
        write_csv(claim, folder / "optimism.csv"),
    ]


def _write_attention(
    study: StudyDirectory, variant: str, rows: ManifestRows | None, console: Console
) -> list[Path]:
    """Where the maps look, if the manifest has masks or boxes and there are maps."""
    if rows is None or not {"mask", "boxes"} & set(rows.table.columns):
        return []
    attention = measure_attention(list(study.runs(variant).values()), rows)
    if attention.empty:
        return []
    for method, measured in attention.groupby("method", sort=True):
        title = f"{study.path.name}, {variant}: {str(method).replace('_', ' ')} maps"
        console.print(show_attention(summarise_attention(measured), title))
    return [write_csv(attention, study.evaluation / variant / "attention.csv")]


def _write_study(
    study: StudyDirectory, evidence: Mapping[str, Evidence], rows: ManifestRows | None
) -> list[Path]:
    first = next(iter(evidence.values()))
    classes = first.predictions.classes
    files: list[Path] = []
    if rows is not None:
        table = tabulate_characteristics(rows.table)
        files += write_table(
            table, study.evaluation / "table1_patients", "Patients: median [quartiles] or n (%)."
        )
    published = PUBLISHED.get((classes[0], classes[-1])) if len(classes) == 2 else None
    name = f"table{published.table}_performance" if published else "table_performance"
    performance = tabulate_performance({k: one.tables["metrics"] for k, one in evidence.items()}, classes)
    caption = f"{' vs '.join(reversed(classes))}: value [{first.settings.confidence:.0%} interval: {KINDS}]."
    files += write_table(performance, study.evaluation / name, caption)
    if len(evidence) > 1 and first.predictions.is_binary:
        files += _write_comparison(study, evidence)
    return files


def _write_comparison(study: StudyDirectory, evidence: Mapping[str, Evidence]) -> list[Path]:
    """Variants set against the one that the validation patients prefer, at patient level."""
    settings = next(iter(evidence.values())).settings
    reference = max(evidence, key=lambda variant: _validation_score(evidence[variant]))
    patients = {variant: one.test["patient"] for variant, one in evidence.items()}
    comparison = compare_models(patients, reference, settings.n_resamples, settings.confidence, settings.seed)
    shares = pd.DataFrame(
        comparison.rank_shares, columns=[f"rank {k + 1}" for k in range(len(comparison.models))]
    )
    shares.insert(0, "model", comparison.models["model"])
    return [
        write_csv(comparison.models, study.evaluation / "comparison_models.csv"),
        write_csv(comparison.differences, study.evaluation / "comparison_differences.csv"),
        write_csv(shares, study.evaluation / "comparison_ranks.csv"),
        *save_figure(draw_ranks(comparison, study.path.name), study.evaluation / "comparison_ranks"),
    ]


def _validation_score(evidence: Evidence) -> float:
    """Mean over folds of the ROC-AUC on validation images."""
    val = evidence.predictions.split("val")
    scores = [score_auroc(val.of_fold(int(fold)).table) for fold in np.unique(val.table["fold"])]
    return float(np.nanmean(scores)) if np.isfinite(scores).any() else float("-inf")


def _read_manifest(study: StudyDirectory, variant: str, pooled: Mapping[str, Any]) -> ManifestRows | None:
    run = next(iter(study.runs(variant).values()))
    if not run.config.is_file():
        log.warning("%s is missing: no patient characteristics, subgroups or figure of maps", run.config)
        return None
    settings = read_settings(run.config)
    manifest = find_manifest(study, run)
    if manifest is None:
        log.warning(
            "the manifest is not where %s says: no patient characteristics, subgroups or figure of maps",
            run.config,
        )
        return None
    return read_manifest_rows(manifest.path, settings, pooled[variant])
