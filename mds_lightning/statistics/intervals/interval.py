"""A confidence interval with its method, or with the reason why it is undefined."""

from dataclasses import dataclass
from typing import Self


@dataclass(frozen=True)
class Interval:
    """A confidence interval.

    Attributes:
        low: Lower limit, NaN where undefined.
        high: Upper limit, NaN where undefined.
        method: Label of the method.
        note: Why it is undefined, or a limitation; empty otherwise.
    """

    low: float
    high: float
    method: str
    note: str = ""

    @classmethod
    def undefined(cls, method: str, reason: str) -> Self:
        """NaN limits with the reason."""
        return cls(float("nan"), float("nan"), method, reason)
