"""What `evaluate` writes about the maps of a variant: figure, faithfulness and localization."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from rich.table import Table

from mds_lightning.explain.method_registry import find_method
from mds_lightning.reporting.figures.figure_maps import choose_fields
from mds_lightning.reporting.figures.map_panels import draw_maps
from mds_lightning.reporting.figures.style import save_figure
from mds_lightning.reporting.tables.estimate_tables import write_csv
from mds_lightning.reporting.tables.faithfulness_table import tabulate_faithfulness
from mds_lightning.reporting.tables.localization_table import (
    measure_localization,
    show_localization,
    summarise_localization,
)
from mds_lightning.studies.layout import RunDirectory
from mds_lightning.studies.manifest_rows import ManifestRows
from mds_lightning.studies.recorded_maps import find_maps


def write_map_results(
    folder: Path, title: str, runs: Sequence[RunDirectory], rows: ManifestRows | None
) -> tuple[list[Path], list[Table | str]]:
    """Write the figures and tables of the maps of all methods.

    Args:
        folder: Folder of the variant's results.
        title: Study and variant.
        runs: Folds of the variant.
        rows: The study's manifest rows; None: no figure and no localization, which need the images.

    Returns:
        The files, and tables for a terminal; both empty where no image was explained.
    """
    map_files = find_maps(runs)
    files, shown = list[Path](), list[Table | str]()
    faithfulness = tabulate_faithfulness(map_files)
    if len(faithfulness):
        files.append(write_csv(faithfulness, folder / "faithfulness.csv"))
    if rows is not None:
        files += _write_figures(folder, title, map_files, rows)
        if {"mask", "boxes"} & set(rows.table.columns):
            localization = measure_localization(map_files, rows)
            for method, measured in localization.groupby("method", sort=False):
                name = f"{title}: {find_method(str(method)).title}"
                shown.append(show_localization(summarise_localization(measured), name))
            if len(localization):
                files.append(write_csv(localization, folder / "localization.csv"))
    return files, shown


def _write_figures(
    folder: Path, title: str, map_files: Mapping[str, Sequence[Path]], rows: ManifestRows
) -> list[Path]:
    files: list[Path] = []
    for method, several in map_files.items():
        if fields := choose_fields(several, rows.root):
            figure = draw_maps(fields, f"{find_method(method).title}, {title}: held-out images")
            ending = "" if method == "occlusion" else f"_{method}"
            files += save_figure(figure, folder / f"figure3_maps{ending}")
    return files
