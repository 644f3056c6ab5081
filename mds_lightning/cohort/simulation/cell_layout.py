"""Positions of cells: clusters of nucleated cells without overlap, and red cells between them."""

import numpy as np
from numpy.typing import NDArray

from mds_lightning.cohort.simulation.outline import Points

#: Cells whose centre is up to this distance (µm) outside the field may be partly visible.
MARGIN = 6.0
_CANDIDATES = 20


def place_cells(
    rng: np.random.Generator, radii: NDArray[np.float64], lineages: list[str], width: float, height: float
) -> Points:
    """Place nucleated cells one after the other, preferably next to cells of the same lineage.

    Args:
        rng: Determines the positions.
        radii: (n,) µm.
        lineages: Lineage of each cell; cells of one lineage form clusters (erythroblastic islands).
        width: Width of the field, µm.
        height: Height of the field, µm.

    Returns:
        (n, 2) centres in µm; in a crowded field, cells overlap as little as possible.
    """
    places = np.empty((len(radii), 2))
    names = np.array(lineages)
    for n, radius in enumerate(radii):
        candidates = _random_positions(rng, width, height)
        relatives = np.flatnonzero(names[:n] == names[n])
        if len(relatives) and rng.random() < 0.6:
            host = relatives[rng.integers(len(relatives), size=_CANDIDATES)]
            angle = rng.uniform(0, 2 * np.pi, _CANDIDATES)
            away = radii[host] + radius + rng.exponential(1.0, _CANDIDATES) + 0.2
            near = places[host] + away[:, None] * np.stack([np.cos(angle), np.sin(angle)], axis=1)
            candidates = np.concatenate([near[_inside(near, width, height)], candidates])
        places[n] = _least_crowded(candidates, places[:n], radii[:n] + radius)
    return places


def place_red_cells(
    rng: np.random.Generator,
    radii: NDArray[np.float64],
    rouleaux: float,
    cells: tuple[Points, NDArray[np.float64]],
    size: tuple[float, float],
) -> tuple[Points, NDArray[np.float64]]:
    """Place red cells between nucleated cells; they may overlap, and a fraction of them is in rouleaux.

    Args:
        rng: Determines the positions.
        radii: (n,) µm.
        rouleaux: Fraction of red cells that are placed on the previous one.
        cells: Centres (m, 2) and radii (m,) of the nucleated cells, µm.
        size: Width and height of the field, µm.

    Returns:
        Centres (k, 2) and radii (k,) in µm of the red cells that could be placed.
    """
    width, height = size
    places: list[Points] = []
    kept: list[float] = []
    direction = 0.0
    for radius in radii:
        candidates = _random_positions(rng, width, height)
        others = np.array(places).reshape(-1, 2)
        if places and rng.random() < rouleaux:
            direction += rng.normal(0, 0.25)
            step = radius * rng.uniform(0.7, 1.3)
            candidates = places[-1][None] + step * np.array([[np.cos(direction), np.sin(direction)]])
            others = others[:0]
        else:
            direction = rng.uniform(0, 2 * np.pi)
        # Red cells never overlap nucleated cells by much; three quarters of them do not overlap each other.
        tolerance = 0.97 if rng.random() < 0.75 else 0.55
        obstacles = np.concatenate([cells[0], others])
        distances = np.concatenate(
            [cells[1] + 0.8 * radius, tolerance * (np.array(kept[: len(others)]) + radius)]
        )
        gaps = _gaps(candidates, obstacles, distances)
        free = np.flatnonzero(gaps >= 0)
        if len(free):
            places.append(candidates[free[0]])
            kept.append(float(radius))
    return np.array(places).reshape(-1, 2), np.array(kept)


def _random_positions(rng: np.random.Generator, width: float, height: float) -> Points:
    return rng.uniform(-MARGIN, [width + MARGIN, height + MARGIN], (_CANDIDATES, 2))


def _inside(points: Points, width: float, height: float) -> NDArray[np.bool_]:
    return np.all((points > -MARGIN) & (points < [width + MARGIN, height + MARGIN]), axis=1)


def _gaps(candidates: Points, obstacles: Points, distances: NDArray[np.float64]) -> NDArray[np.float64]:
    if not len(obstacles):
        return np.zeros(len(candidates))
    actual = np.hypot(
        candidates[:, None, 0] - obstacles[None, :, 0], candidates[:, None, 1] - obstacles[None, :, 1]
    )
    return (actual - distances).min(axis=1)


def _least_crowded(candidates: Points, obstacles: Points, distances: NDArray[np.float64]) -> Points:
    gaps = _gaps(candidates, obstacles, distances)
    free = np.flatnonzero(gaps >= 0)
    return candidates[free[0] if len(free) else int(np.argmax(gaps))]
