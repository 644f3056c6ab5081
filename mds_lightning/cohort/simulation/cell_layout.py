"""Where cells lie: islands of nucleated cells that touch but do not overlap, red cells in between."""

import numpy as np
from numpy.typing import NDArray

from mds_lightning.cohort.simulation.outline import Points

#: Cells that lie beyond the border by this much (µm) may still show.
MARGIN = 6.0
_CANDIDATES = 20


def place_cells(
    rng: np.random.Generator, radii: NDArray[np.float64], lineages: list[str], width: float, height: float
) -> Points:
    """Place nucleated cells one after the other, each with its kin where it can.

    Args:
        rng: Source of the places.
        radii: (n,) µm.
        lineages: Of each cell; cells of one lineage gather (erythroblastic islands).
        width: Of the field, µm.
        height: Of the field, µm.

    Returns:
        (n, 2) centres in µm; where the field is full, cells overlap as little as they can.
    """
    places = np.empty((len(radii), 2))
    names = np.array(lineages)
    for n, radius in enumerate(radii):
        candidates = _anywhere(rng, width, height)
        kin = np.flatnonzero(names[:n] == names[n])
        if len(kin) and rng.random() < 0.6:
            host = kin[rng.integers(len(kin), size=_CANDIDATES)]
            angle = rng.uniform(0, 2 * np.pi, _CANDIDATES)
            away = radii[host] + radius + rng.exponential(1.0, _CANDIDATES) + 0.2
            near = places[host] + away[:, None] * np.stack([np.cos(angle), np.sin(angle)], axis=1)
            candidates = np.concatenate([near[_inside(near, width, height)], candidates])
        places[n] = _roomiest(candidates, places[:n], radii[:n] + radius)
    return places


def place_red_cells(
    rng: np.random.Generator,
    radii: NDArray[np.float64],
    rouleaux: float,
    cells: tuple[Points, NDArray[np.float64]],
    size: tuple[float, float],
) -> tuple[Points, NDArray[np.float64]]:
    """Place red cells beside nucleated ones; they may lie on each other, a share of them in piles.

    Args:
        rng: Source of the places.
        radii: (n,) µm.
        rouleaux: Share of red cells that lie on the one before.
        cells: Centres (m, 2) and radii (m,) of the nucleated cells, µm.
        size: Width and height of the field, µm.

    Returns:
        Centres (k, 2) and radii (k,) in µm of those that found room.
    """
    width, height = size
    places: list[Points] = []
    kept: list[float] = []
    direction = 0.0
    for radius in radii:
        candidates = _anywhere(rng, width, height)
        others = np.array(places).reshape(-1, 2)
        if places and rng.random() < rouleaux:
            direction += rng.normal(0, 0.25)
            step = radius * rng.uniform(0.7, 1.3)
            candidates = places[-1][None] + step * np.array([[np.cos(direction), np.sin(direction)]])
            others = others[:0]
        else:
            direction = rng.uniform(0, 2 * np.pi)
        # Red cells yield to nucleated cells and push each other aside, but not always.
        tolerance = 0.97 if rng.random() < 0.75 else 0.55
        obstacles = np.concatenate([cells[0], others])
        reach = np.concatenate(
            [cells[1] + 0.8 * radius, tolerance * (np.array(kept[: len(others)]) + radius)]
        )
        gaps = _gaps(candidates, obstacles, reach)
        free = np.flatnonzero(gaps >= 0)
        if len(free):
            places.append(candidates[free[0]])
            kept.append(float(radius))
    return np.array(places).reshape(-1, 2), np.array(kept)


def _anywhere(rng: np.random.Generator, width: float, height: float) -> Points:
    return rng.uniform(-MARGIN, [width + MARGIN, height + MARGIN], (_CANDIDATES, 2))


def _inside(points: Points, width: float, height: float) -> NDArray[np.bool_]:
    return np.all((points > -MARGIN) & (points < [width + MARGIN, height + MARGIN]), axis=1)


def _gaps(candidates: Points, obstacles: Points, reach: NDArray[np.float64]) -> NDArray[np.float64]:
    if not len(obstacles):
        return np.zeros(len(candidates))
    distance = np.hypot(
        candidates[:, None, 0] - obstacles[None, :, 0], candidates[:, None, 1] - obstacles[None, :, 1]
    )
    return (distance - reach).min(axis=1)


def _roomiest(candidates: Points, obstacles: Points, reach: NDArray[np.float64]) -> Points:
    gaps = _gaps(candidates, obstacles, reach)
    free = np.flatnonzero(gaps >= 0)
    return candidates[free[0] if len(free) else int(np.argmax(gaps))]
