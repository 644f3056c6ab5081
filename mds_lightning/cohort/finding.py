"""Findings on a cohort: one record for each fault, and the error that carries all of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

Severity = Literal["error", "warning"]

#: Number of findings in the text of a `CohortError`.
_MAX_LISTED = 100


@dataclass(frozen=True)
class FindingKind:
    """What all findings of one kind have in common.

    Attributes:
        code: Stable identifier such as `MDS020`; see `mds_lightning.audit.checks`.
        severity: `error`: the cohort cannot be used; `warning`: it can.
        title: The finding in general, one sentence without a full stop.
    """

    code: str
    severity: Severity
    title: str


@dataclass(frozen=True)
class Finding:
    """One fault of a manifest or of a file that it lists.

    Attributes:
        kind: Code, severity and title.
        file: The manifest, as given by the user.
        row: Row of the manifest as a spreadsheet numbers it (header = 1), or None for the whole file.
        column: Column concerned, or None for the whole row.
        finding: What is wrong.
        remedy: What to do about it; '' if the finding says so itself.
    """

    kind: FindingKind
    file: str
    row: int | None
    column: str | None
    finding: str
    remedy: str = ""

    @property
    def code(self) -> str:
        """Code of its kind."""
        return self.kind.code

    @property
    def severity(self) -> Severity:
        """Severity of its kind."""
        return self.kind.severity

    @property
    def message(self) -> str:
        """`finding: remedy`."""
        return f"{self.finding}: {self.remedy}" if self.remedy else self.finding

    def __str__(self) -> str:
        """`file, row 7, column label: finding: remedy (MDS020)`."""
        place = [self.file]
        if self.row is not None:
            place.append(f"row {self.row}")
        if self.column is not None:
            place.append(f"column {self.column}")
        return f"{', '.join(place)}: {self.message} ({self.code})"


class CohortError(ValueError):
    """A cohort cannot be used; `findings` holds every reason, the text the first hundred."""

    def __init__(self, findings: Sequence[Finding]) -> None:
        self.findings = tuple(findings)
        lines = [str(finding) for finding in self.findings[:_MAX_LISTED]]
        if more := len(self.findings) - len(lines):
            lines.append(f"and {more} more: `mds-lightning check` lists them all")
        super().__init__("\n".join(lines))

    def __reduce__(self) -> tuple[type["CohortError"], tuple[tuple[Finding, ...]]]:
        """Pickle the findings, not the text alone."""
        return CohortError, (self.findings,)


def has_errors(findings: Sequence[Finding]) -> bool:
    """Whether any finding is an error."""
    return any(finding.severity == "error" for finding in findings)
