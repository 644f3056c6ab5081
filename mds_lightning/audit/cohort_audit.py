"""Applies checks to a cohort: image by image while they are decoded, then to the whole cohort."""

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from mds_lightning.audit.check import AuditedCohort, Check
from mds_lightning.audit.cohort_counts import GroupCount, count_groups
from mds_lightning.audit.image_decoding import decode_images
from mds_lightning.cohort.finding import Finding
from mds_lightning.cohort.task import Task
from mds_lightning.data.stain_normalization import StainNormalization

Status = Literal["passed", "failed", "ignored", "not applicable"]


@dataclass(frozen=True)
class Outcome:
    """The result of one check.

    Attributes:
        check: The check.
        status: `failed` if it has findings, whatever their severity.
        findings: Number of findings.
        reason: Why the check is not applicable, else ''.
    """

    check: Check
    status: Status
    findings: int = 0
    reason: str = ""


@dataclass(frozen=True)
class AuditResult:
    """The result of all checks.

    Attributes:
        manifest: The manifest, as given by the user.
        outcomes: One for each check, in the order of their codes.
        findings: All findings, in the order of the manifest's rows.
        groups: Numbers of patients and images by label and site.
        shapes: (height, width) in pixels and the number of images of this size, the most frequent first.
    """

    manifest: str
    outcomes: tuple[Outcome, ...]
    findings: tuple[Finding, ...]
    groups: tuple[GroupCount, ...]
    shapes: tuple[tuple[tuple[int, int], int], ...]

    @property
    def errors(self) -> int:
        """Number of findings that prevent the use of the cohort."""
        return sum(finding.severity == "error" for finding in self.findings)

    @property
    def warnings(self) -> int:
        """Number of findings that do not."""
        return len(self.findings) - self.errors

    @property
    def failed(self) -> bool:
        """Whether there are errors; the command then ends with exit code 2."""
        return self.errors > 0

    def to_json(self) -> dict[str, Any]:
        """The result as JSON values: manifest, errors, warnings, checks, findings, groups and shapes."""
        return {
            "manifest": self.manifest,
            "errors": self.errors,
            "warnings": self.warnings,
            "checks": [
                {
                    "code": outcome.check.code,
                    "severity": outcome.check.severity,
                    "title": outcome.check.title,
                    "status": outcome.status,
                    "findings": outcome.findings,
                    "reason": outcome.reason,
                }
                for outcome in self.outcomes
            ],
            "findings": [
                {
                    "code": finding.code,
                    "severity": finding.severity,
                    "file": finding.file,
                    "row": finding.row,
                    "column": finding.column,
                    "finding": finding.finding,
                    "remedy": finding.remedy,
                }
                for finding in self.findings
            ],
            "groups": [group.to_json() for group in self.groups],
            "shapes": [
                {"height": height, "width": width, "images": images}
                for (height, width), images in self.shapes
            ],
        }


def audit_cohort(
    cohort: AuditedCohort,
    task: Task,
    checks: Sequence[Check],
    ignored: Collection[str] = (),
    stain: StainNormalization | None = None,
) -> AuditResult:
    """Apply checks to a cohort; every image is decoded once, and memory does not grow with their number.

    Args:
        cohort: The cohort as it was read.
        task: Defines which labels are used.
        checks: All checks.
        ignored: Codes of the checks that are not applied.
        stain: Stain normalisation that the study will use; images that cannot be normalised are undecodable.

    Raises:
        ImageError: A process that decodes images was killed.
        RemoteError: The remote folder of the images cannot be read.
    """
    reasons = {check.code: check.not_applicable(cohort) for check in checks if check.code not in ignored}
    applied = [check for check in checks if check.code in reasons and reasons[check.code] is None]
    findings: list[Finding] = []
    shapes: Counter[tuple[int, int]] = Counter()
    contents: dict[int, str] = {}
    brightest: dict[int, int] = {}
    for image in decode_images(cohort.inspection.images, cohort.max_pixels, stain=stain):
        if image.shape is not None:
            shapes[image.shape] += 1
        if image.content is not None:
            contents[image.row] = image.content
        if image.brightest is not None:
            brightest[image.row] = image.brightest
        for check in applied:
            findings += check.check_image(cohort, image)
    cohort = replace(cohort, content_of=contents, brightest=brightest)
    for check in applied:
        findings += check.check_cohort(cohort)
    findings.sort(key=lambda finding: (finding.row or 0, finding.code))
    numbers = Counter(finding.code for finding in findings)
    unchecked = set(cohort.reading_findings) - {check.code for check in checks}
    assert not unchecked, f"{sorted(unchecked)} have no file in audit/checks"
    return AuditResult(
        cohort.manifest,
        tuple(_outcome(check, reasons, numbers) for check in checks),
        tuple(findings),
        count_groups(cohort.inspection.rows, task),
        tuple(shapes.most_common()),
    )


def _outcome(check: Check, reasons: dict[str, str | None], numbers: Counter[str]) -> Outcome:
    if check.code not in reasons:
        return Outcome(check, "ignored")
    reason = reasons[check.code]
    if reason is not None:
        return Outcome(check, "not applicable", reason=reason)
    number = numbers[check.code]
    return Outcome(check, "failed" if number else "passed", number)
