"""Tables and figures of a whole study: patients, performance, external patients, comparison of variants."""

from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from mds_lightning.reporting.figures.ranks import draw_ranks
from mds_lightning.reporting.figures.style import save_figure
from mds_lightning.reporting.tables.characteristics import tabulate_characteristics
from mds_lightning.reporting.tables.estimate_tables import tabulate_performance, write_csv, write_table
from mds_lightning.reporting.tables.evidence import Evidence
from mds_lightning.reporting.tables.external_table import describe_external, tabulate_external
from mds_lightning.reporting.tables.headline import KINDS, RECALIBRATED_ON
from mds_lightning.reporting.tables.published import PUBLISHED
from mds_lightning.statistics.comparison import compare_models
from mds_lightning.studies.layout import StudyDirectory
from mds_lightning.studies.manifest_rows import ManifestRows
from mds_lightning.studies.selection import choose_variants


def write_study_tables(
    study: StudyDirectory,
    evidence: Mapping[str, Evidence],
    performance: Mapping[str, pd.DataFrame],
    rows: ManifestRows | None,
) -> list[Path]:
    """Write them to `evaluation/`; the files.

    Args:
        study: The study.
        evidence: Variant to its evidence.
        performance: Rows of the table of performance to their estimates.
        rows: The manifest, or None where it was not found.
    """
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
    table = tabulate_performance(performance, classes)
    caption = (
        f"{' vs '.join(reversed(classes))}: value [{first.settings.confidence:.0%} interval: {KINDS}]. "
        f"Probabilities are {RECALIBRATED_ON}."
    )
    files += write_table(table, study.evaluation / name, caption)
    if first.external is not None:
        files += write_table(
            tabulate_external({variant: one.tables for variant, one in evidence.items()}),
            study.evaluation / "table_external",
            describe_external(first),
        )
    if len(evidence) > 1 and first.predictions.is_binary:
        files += _write_comparison(study, evidence)
    return files


def _write_comparison(study: StudyDirectory, evidence: Mapping[str, Evidence]) -> list[Path]:
    """Compare the variants at patient level with the one that most folds select."""
    settings = next(iter(evidence.values())).settings
    reference = choose_variants({variant: one.predictions for variant, one in evidence.items()}).preferred
    patients = {variant: one.test["patient"] for variant, one in evidence.items()}
    comparison = compare_models(patients, reference, settings.n_resamples, settings.confidence, settings.seed)
    columns = [f"rank {k + 1}" for k in range(len(comparison.models))]
    ranks = pd.DataFrame(comparison.rank_fractions, columns=columns)
    ranks.insert(0, "model", comparison.models["model"])
    return [
        write_csv(comparison.models, study.evaluation / "comparison_models.csv"),
        write_csv(comparison.differences, study.evaluation / "comparison_differences.csv"),
        write_csv(ranks, study.evaluation / "comparison_ranks.csv"),
        *save_figure(draw_ranks(comparison, study.path.name), study.evaluation / "comparison_ranks"),
    ]
