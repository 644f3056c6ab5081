"""The table of a simulation of intervals: its head, and the precision of its coverages."""

import time
from collections.abc import Sequence


def print_head(heads: Sequence[str]) -> None:
    """Print the first two lines of a Markdown table."""
    print(f"| {' | '.join(heads)} |\n|{'---|' * len(heads)}")


def print_precision(cohorts: int, start: float) -> None:
    """Print the number of cohorts of a line, the standard error of a coverage of 95%, and the CPU time.

    Args:
        cohorts: Simulated cohorts of a line.
        start: `time.process_time()` at the start.
    """
    error = (0.95 * 0.05 / cohorts) ** 0.5
    print(f"\n{cohorts} cohorts each; standard error {error:.1%}; {time.process_time() - start:.0f} s")
