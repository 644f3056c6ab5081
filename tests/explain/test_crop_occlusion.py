import pytest
import torch
from torch import nn

from mds_lightning.explain.baselines import background_colour
from mds_lightning.explain.crop_occlusion import map_crops
from mds_lightning.explain.occlusion import OcclusionEngine

HEIGHT, WIDTH = 24, 40
#: (top, left) of tiles of 16 x 16 pixels: two down, three across, overlapping.
CORNERS = [(top, left) for top in (0, 8) for left in (0, 12, 24)]


@pytest.fixture
def network():
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Conv2d(3, 6, 3, 2),
        nn.BatchNorm2d(6),
        nn.ReLU(),
        nn.AdaptiveAvgPool2d(2),
        nn.Flatten(),
        nn.Linear(24, 3),
    ).eval()


@pytest.fixture
def field():
    return torch.rand(3, HEIGHT, WIDTH, generator=torch.Generator().manual_seed(1))


def cut(field, with_whole=False):
    weight = (0.5 if with_whole else 1) / len(CORNERS)
    tiles = [
        (
            field[:, top : top + 16, left : left + 16],
            (top / HEIGHT, left / WIDTH, (top + 16) / HEIGHT, (left + 16) / WIDTH),
            weight,
        )
        for top, left in CORNERS
    ]
    return [*tiles, *([(field, (0.0, 0.0, 1.0, 1.0), 0.5)] if with_whole else [])]


def predict(network, field, with_whole=False):
    with torch.no_grad():
        return sum(weight * network(image[None]).softmax(1)[0] for image, _, weight in cut(field, with_whole))


@pytest.mark.parametrize("with_whole", [False, True])
@pytest.mark.parametrize("score", ["probability", "logit"])
def test_the_map_is_what_covering_the_field_and_predicting_it_again_gives(network, field, with_whole, score):
    maps = map_crops(
        OcclusionEngine(network), field, cut(field, with_whole), window=10, stride=7, score=score
    )
    grid, colour = maps.grids[0], background_colour(field)

    def say(image):
        said = predict(network, image, with_whole)
        return said.log() if score == "logit" else said

    torch.testing.assert_close(maps.probabilities[0], predict(network, field, with_whole))
    assert maps.drops[0].shape == (1, 3, *grid.shape)
    for row, (top, bottom) in enumerate(grid.rows):
        for column, (left, right) in enumerate(grid.columns):
            covered = field.clone()
            covered[:, top:bottom, left:right] = colour[:, None, None]
            expected = say(field) - say(covered)
            torch.testing.assert_close(maps.drops[0][0, :, row, column], expected, atol=1e-6, rtol=1e-4)
    torch.testing.assert_close(maps.importance, grid.spread(maps.drops[0]))
    assert maps.importance.shape == (1, 3, HEIGHT, WIDTH)


def test_one_part_that_is_the_field_has_the_engine_s_own_map(network, field):
    engine = OcclusionEngine(network)
    alone = map_crops(engine, field, [(field, (0, 0, 1, 1), 1.0)], window=0.25, stride=0.125)
    engines = engine.maps(field[None], window=0.25, stride=0.125)
    torch.testing.assert_close(alone.importance, engines.importance, atol=1e-6, rtol=1e-4)
    assert alone.grids == engines.grids


def test_windows_lie_on_the_shown_field_and_cover_the_parts_in_their_pixels(network, field):
    # The same field with twice the pixels: the same windows, twice as large in the parts.
    large = field.repeat_interleave(2, 1).repeat_interleave(2, 2)
    large_parts = [
        (large[:, 2 * top : 2 * top + 32, 2 * left : 2 * left + 32], area, weight)
        for (top, left), (_, area, weight) in zip(CORNERS, cut(field), strict=True)
    ]
    engine, colour = OcclusionEngine(network), torch.zeros(3)
    shown = map_crops(engine, field, large_parts, window=10, stride=7, baseline=colour)
    own = map_crops(engine, large, large_parts, window=20, stride=14, baseline=colour)
    torch.testing.assert_close(shown.drops[0], own.drops[0])


def test_the_model_is_left_as_it_was_found(network, field):
    network.train()
    map_crops(OcclusionEngine(network), field, cut(field), window=12, stride=12)
    assert all(module.training for module in network.modules())
