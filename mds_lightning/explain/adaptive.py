"""Fewer windows where little happens: a coarse grid first, refined where the score drops or its drop changes.

Not exact, and never chosen unless asked for: what lies between the windows that were computed is
interpolated.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Drops = npt.NDArray[np.float64]
Chosen = npt.NDArray[np.bool_]

_ROUNDS = 8
#: Left-out windows that are computed after all, to see how far the interpolation is off.
_CHECKED = 16


@dataclass(frozen=True)
class LeftOut:
    """What an adaptive map did without.

    Attributes:
        windows: Number of windows that were interpolated, of all fields together.
        share: Of all windows.
        bound: Every window that was left out lies between computed windows whose drops are at most this
            large, and differ from each other by no more; a peak smaller than the coarse grid may still hide
            there.
        deviation: Largest error of the interpolation among `checked` left-out windows that were computed as
            well.
        checked: How many these were.
    """

    windows: int
    share: float
    bound: float
    deviation: float
    checked: int


def refine(
    evaluate: Callable[[Chosen], Drops], shape: tuple[int, int], tolerance: float
) -> tuple[Drops, LeftOut]:
    """Evaluate as few windows of a grid as the tolerance allows.

    Args:
        evaluate: Computes the chosen windows, (rows, columns): drops of shape (maps, rows, columns), NaN
            elsewhere.
        shape: (rows, columns) of the grid.
        tolerance: Share of the largest drop: smaller drops and differences are not looked into.

    Returns:
        Drops of all windows, (maps, rows, columns), and what was left out.
    """
    coarse = np.zeros(shape, dtype=bool)
    coarse[np.ix_(_every_other(shape[0]), _every_other(shape[1]))] = True
    drops, known = evaluate(coarse), coarse
    for _ in range(_ROUNDS):
        wanted = _interesting(drops, known, tolerance) & ~known
        if not wanted.any():
            break
        drops, known = np.where(wanted, evaluate(wanted), drops), known | wanted
    filled = np.stack([_interpolate(one, known) for one in drops])
    highest, lowest = _neighbours(drops, known)
    left = ~known
    bound = max(np.abs(highest[:, left]).max(initial=0), np.abs(lowest[:, left]).max(initial=0))
    checked = _spread(left)
    deviation = float("nan")
    if checked.any():
        exact = evaluate(checked)
        deviation = float(np.abs(exact - filled)[:, checked].max())
        filled = np.where(checked, exact, filled)
    count = int(left.sum() - checked.sum())
    return filled, LeftOut(count, count / left.size, float(bound), deviation, int(checked.sum()))


def _every_other(length: int) -> npt.NDArray[np.int64]:
    return np.unique([*range(0, length, 2), length - 1])


def _interesting(drops: Drops, known: Chosen, tolerance: float) -> Chosen:
    """Windows near which some map drops, or changes, by more than its tolerance."""
    highest, lowest = _neighbours(drops, known)
    largest = np.abs(np.where(known, drops, 0)).max((1, 2), keepdims=True)
    reach = np.maximum(np.maximum(np.abs(highest), np.abs(lowest)), highest - lowest)
    interesting: Chosen = (reach > tolerance * largest).any(0)
    return interesting


def _neighbours(drops: Drops, known: Chosen) -> tuple[Drops, Drops]:
    """Greatest and least known drop among a window and those around it."""
    high, low = np.where(known, drops, -np.inf), np.where(known, drops, np.inf)
    padded = [np.pad(high, ((0, 0), (1, 1), (1, 1)), constant_values=-np.inf)]
    padded.append(np.pad(low, ((0, 0), (1, 1), (1, 1)), constant_values=np.inf))
    height, width = known.shape
    shifted = [
        np.stack([side[:, y : y + height, x : x + width] for y in range(3) for x in range(3)])
        for side in padded
    ]
    return shifted[0].max(0), shifted[1].min(0)


def _interpolate(drops: Drops, known: Chosen) -> Drops:
    """Fill what is not known with the mean of the known windows around it, the nearer the heavier."""
    value = np.pad(np.where(known, drops, 0), 1)
    weight = np.pad(known.astype(np.float64), 1)
    height, width = known.shape
    total, share = np.zeros(known.shape), np.zeros(known.shape)
    for y in range(3):
        for x in range(3):
            near = (2 - abs(y - 1)) * (2 - abs(x - 1))
            total += near * value[y : y + height, x : x + width]
            share += near * weight[y : y + height, x : x + width]
    return np.where(known, drops, total / np.where(share > 0, share, 1))


def _spread(left: Chosen) -> Chosen:
    """Some of the windows that were left out, evenly over the grid."""
    places = np.flatnonzero(left)
    chosen = np.zeros(left.size, dtype=bool)
    if len(places):
        chosen[places[np.linspace(0, len(places) - 1, min(_CHECKED, len(places))).astype(int)]] = True
    return chosen.reshape(left.shape)
