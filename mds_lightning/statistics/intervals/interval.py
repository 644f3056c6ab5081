"""An interval, how it was made, and why it is missing where it is."""

from dataclasses import dataclass
from typing import Self


@dataclass(frozen=True)
class Interval:
    """A confidence interval.

    Attributes:
        low: Lower limit, NaN where undefined.
        high: Upper limit, NaN where undefined.
        method: How it was made.
        note: Why it is undefined, or what to keep in mind; empty otherwise.
    """

    low: float
    high: float
    method: str
    note: str = ""

    @classmethod
    def undefined(cls, method: str, reason: str) -> Self:
        """NaN limits with a reason."""
        return cls(float("nan"), float("nan"), method, reason)
