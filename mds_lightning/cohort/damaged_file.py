"""The error of a damaged file, and what turns the errors of file readers into it."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from mds_lightning.cohort.explained_error import ExplainedError


class DamagedFileError(ExplainedError):
    """A file cannot be read, or does not hold what a file of its kind holds."""


@contextmanager
def reading(path: Path, remedy: str) -> Iterator[None]:
    """Turn any error in the block into a `DamagedFileError` that names the file.

    Readers of JSON, YAML, zip archives, Parquet and PyTorch raise errors of many classes for damaged files.
    Keep the block to the reading: errors of other code would be reported as damage.

    Args:
        path: The file that is read.
        remedy: What the user can do about it.

    Raises:
        DamagedFileError: Anything but a missing file or a denied permission was raised.
    """
    try:
        yield
    except (DamagedFileError, FileNotFoundError, PermissionError):
        raise
    except Exception as error:
        said = str(error).strip().splitlines()
        reason = said[0] if said else type(error).__name__
        raise DamagedFileError(f"{path} is damaged ({reason})", remedy) from error
