"""From bone-marrow smear photographs and one manifest to a cross-validated, explained classifier."""

from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mds_lightning.studies.study import Study

__all__ = ["__version__", "load_study"]

__version__ = version("mds-lightning")


def load_study(path: "str | Path") -> "Study":
    """Open a study directory for reading: its folds, rows, metrics, maps and images.

    >>> study = load_study("runs/demo")             # doctest: +SKIP
    >>> study.fold(0).curves                        # doctest: +SKIP
    >>> study.rows().query("split == 'test'")       # doctest: +SKIP

    Args:
        path: The study's directory, such as `runs/demo`.

    Returns:
        See `mds_lightning.studies.study.Study`.

    Raises:
        ValueError: The directory is not a study.
    """
    # Not above: importing the package stays instant.
    from mds_lightning.studies.study import load_study as open_study

    return open_study(path)
