"""The files of an evaluation, as lines for a terminal."""

from collections.abc import Sequence
from pathlib import Path

from mds_lightning.studies.layout import StudyDirectory


def list_written(study: StudyDirectory, files: Sequence[Path]) -> list[str]:
    """Lines that name the files to open first, and the folder of the others."""
    main = ("metrics.csv", "roc.png", "figure3_maps*.png", "*.md")
    first = [path for pattern in main for path in files if path.match(pattern)]
    rest = len(files) - len(first)
    return [
        *(f"wrote {path}" for path in first),
        f"and {rest} more tables (CSV, LaTeX) and figures (PNG, SVG) in {study.evaluation}",
    ]
