"""The base class of checks, and what they are applied to.

A new check is one file in `mds_lightning/audit/checks/` that defines a subclass of `Check` and an instance of
it named `CHECK`.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property, lru_cache

from mds_lightning.audit.image_decoding import DecodedImage
from mds_lightning.cohort.finding import Finding, FindingKind, Severity
from mds_lightning.cohort.manifest import Inspection
from mds_lightning.cohort.split_parameters import SplitParameters
from mds_lightning.data.decode import ImageError, image_shape


@dataclass(frozen=True, eq=False)
class AuditedCohort:
    """The cohort that checks are applied to.

    Attributes:
        inspection: Result of reading the manifest.
        manifest: The manifest, for findings.
        split: Parameters of the split that the study will use.
        max_pixels: Largest image or mask that is decoded, pixels.
        content_of: Row of the manifest to SHA-256 of the bytes of its image; only for remote images, whose
            bytes are known once they were decoded.
        brightest: Row of the manifest to the largest sample of its image (0 to 255) once it was decoded.
    """

    inspection: Inspection
    manifest: str
    split: SplitParameters
    max_pixels: int
    content_of: Mapping[int, str] = field(default_factory=dict)
    brightest: Mapping[int, int] = field(default_factory=dict)

    @cached_property
    def reading_findings(self) -> Mapping[str, tuple[Finding, ...]]:
        """Findings of reading the manifest, by code."""
        found: dict[str, list[Finding]] = {}
        for finding in self.inspection.findings:
            found.setdefault(finding.code, []).append(finding)
        return {code: tuple(findings) for code, findings in found.items()}

    @cached_property
    def mask_shape(self) -> Callable[[int], tuple[int, int] | ImageError | None]:
        """Row of the manifest to (height, width) of its mask in pixels, its error, or None without mask.

        The last result is kept, so that several checks of one image read the header once.
        """

        @lru_cache(maxsize=1)
        def read(row: int) -> tuple[int, int] | ImageError | None:
            mask = self.inspection.masks.get(row)
            try:
                return None if mask is None else image_shape(mask, self.max_pixels)
            except ImageError as error:
                return error

        return read


@dataclass(frozen=True)
class Check:
    """One coded check; subclasses override the methods that they need.

    All findings of a check have its code, severity and title. Whatever needs another severity is another
    check.

    Attributes:
        kind: Code, severity and title.
    """

    kind: FindingKind

    @property
    def code(self) -> str:
        """Stable identifier such as `MDS020`."""
        return self.kind.code

    @property
    def severity(self) -> Severity:
        """Severity of all its findings."""
        return self.kind.severity

    @property
    def title(self) -> str:
        """The finding in general, one sentence without a full stop."""
        return self.kind.title

    def not_applicable(self, cohort: AuditedCohort) -> str | None:  # noqa: ARG002 (for subclasses)
        """Why the check does not apply to this cohort, or None if it does."""
        return None

    def check_image(self, cohort: AuditedCohort, image: DecodedImage) -> Iterable[Finding]:  # noqa: ARG002
        """Findings on one image; called once for each image, in the order of the manifest."""
        return ()

    def check_cohort(self, cohort: AuditedCohort) -> Iterable[Finding]:  # noqa: ARG002 (for subclasses)
        """Findings on the whole cohort; called once, after all images."""
        return ()

    def report(
        self, cohort: AuditedCohort, row: int | None, column: str | None, finding: str, remedy: str
    ) -> Finding:
        """A finding of this check in the manifest (see `Finding`)."""
        return Finding(self.kind, cohort.manifest, row, column, finding, remedy)


@dataclass(frozen=True)
class ReadingCheck(Check):
    """A check that `mds_lightning.cohort` performs whenever it reads a manifest.

    Its findings are those of `kind` in the inspection. Muting such a check hides its findings from the
    report; the other commands still refuse a manifest with errors.
    """

    def check_cohort(self, cohort: AuditedCohort) -> Iterable[Finding]:
        """See `Check.check_cohort`."""
        return cohort.reading_findings.get(self.code, ())
