import numpy as np
import pytest

from mds_lightning.cohort.simulation.cell_layout import MARGIN, place_cells, place_red_cells

WIDTH, HEIGHT = 128.0, 96.0


def gaps(places, radii, others, other_radii):
    distance = np.linalg.norm(places[:, None] - others[None], axis=2)
    return distance - (radii[:, None] + other_radii[None])


@pytest.mark.parametrize("seed", range(3))
def test_nucleated_cells_do_not_overlap_while_there_is_room(seed):
    rng = np.random.default_rng(seed)
    radii = rng.uniform(5, 9, 25)
    places = place_cells(rng, radii, ["erythroid", "granulocytic", "other"] * 8 + ["other"], WIDTH, HEIGHT)
    apart = gaps(places, radii, places, radii)[~np.eye(25, dtype=bool)]
    assert np.mean(apart < -0.5) < 0.01
    assert np.all((places > -MARGIN) & (places < [WIDTH + MARGIN, HEIGHT + MARGIN]))


def test_every_cell_is_placed_in_crowded_fields():
    rng = np.random.default_rng(0)
    places = place_cells(rng, np.full(150, 8.0), ["other"] * 150, WIDTH, HEIGHT)
    assert places.shape == (150, 2)
    assert np.isfinite(places).all()


def test_cells_of_one_lineage_form_clusters():
    distances = {"kin": [], "strangers": []}
    for seed in range(10):
        names = ["erythroid"] * 8 + ["granulocytic"] * 8
        places = place_cells(np.random.default_rng(seed), np.full(16, 6.0), names, WIDTH, HEIGHT)
        distance = np.linalg.norm(places[:, None] - places[None], axis=2)
        np.fill_diagonal(distance, np.inf)
        distances["kin"].append(distance[:8, :8].min(axis=1).mean())
        distances["strangers"].append(distance[:8, 8:].min(axis=1).mean())
    assert np.mean(distances["kin"]) < np.mean(distances["strangers"])


def test_red_cells_avoid_nucleated_cells_and_form_rouleaux():
    cells, cell_radii = np.array([[40.0, 40.0], [80.0, 50.0]]), np.array([8.0, 10.0])
    overlap = {}
    for rouleaux in (0.0, 0.9):
        rng = np.random.default_rng(1)
        places, radii = place_red_cells(rng, np.full(60, 3.6), rouleaux, (cells, cell_radii), (WIDTH, HEIGHT))
        assert 40 < len(places) <= 60
        assert gaps(places, radii, cells, cell_radii).min() >= -0.2 * 3.6 - 1e-9
        pairs = gaps(places, radii, places, radii)[~np.eye(len(places), dtype=bool)]
        overlap[rouleaux] = np.mean(pairs < -1)
    assert overlap[0.9] > 2 * overlap[0.0]


def test_a_field_without_nucleated_cells_has_red_cells():
    none = (np.empty((0, 2)), np.empty(0))
    places, _ = place_red_cells(np.random.default_rng(0), np.full(5, 3.6), 0.0, none, (WIDTH, HEIGHT))
    assert len(places) == 5
