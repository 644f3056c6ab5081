"""Cut points of a column of numbers, rounded without moving any value to the other side."""

import numpy as np
from numpy.typing import NDArray

#: A cut that needs more decimals than this is written as the value below it.
_MOST_DECIMALS = 6


def write_cut(values: NDArray[np.float64], cut: float) -> str:
    """The number with the fewest digits that divides `values` as `cut` does.

    Whole numbers are divided by a whole number.

    Args:
        values: (n,) without NaN, at least one of them not above `cut`.
        cut: Values up to and including it are on the lower side.
    """
    below, above = values[values <= cut], values[values > cut]
    low = float(below.max())
    high = float(above.min()) if len(above) else np.inf
    if np.array_equal(values, np.round(values)):
        return f"{np.floor(cut):.0f}"
    for decimals in range(_MOST_DECIMALS + 1):
        unit = 10.0**-decimals
        for candidate in (np.round(cut, decimals), np.ceil(low / unit) * unit):
            text = f"{candidate:.{decimals}f}"
            if low <= float(text) < high:
                return text
    return repr(low)
