"""What is wrong with a cohort: one record a fault, and the error that carries all of them at once."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

_MOST_LINES = 100


@dataclass(frozen=True)
class Complaint:
    """One fault of a manifest or of a file it names.

    Attributes:
        severity: `error` stops every command; `warning` is said and counted.
        file: The manifest or image at fault, as the user wrote it.
        row: Line of the manifest as a spreadsheet shows it (header = 1), or None for the whole file.
        column: Column at fault, or None for the whole row.
        message: What is wrong and what to do about it.
    """

    severity: Literal["error", "warning"]
    file: str
    row: int | None
    column: str | None
    message: str

    def __str__(self) -> str:
        """`file, row 7, column label: message`."""
        place = [self.file]
        if self.row is not None:
            place.append(f"row {self.row}")
        if self.column is not None:
            place.append(f"column {self.column}")
        return f"{', '.join(place)}: {self.message}"


class CohortError(ValueError):
    """A cohort cannot be used; `complaints` holds every reason, the text the first hundred."""

    def __init__(self, complaints: Sequence[Complaint]) -> None:
        self.complaints = tuple(complaints)
        lines = [str(complaint) for complaint in self.complaints[:_MOST_LINES]]
        if more := len(self.complaints) - len(lines):
            lines.append(f"and {more} more: `mds-lightning check` lists them all")
        super().__init__("\n".join(lines))

    def __reduce__(self) -> tuple[type["CohortError"], tuple[tuple[Complaint, ...]]]:
        """Travel between processes with the complaints, not with the text alone."""
        return CohortError, (self.complaints,)
