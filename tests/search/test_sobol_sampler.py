"""Points of the Sobol sequence are in the space, spread evenly, and depend on seed and index alone."""

from collections import Counter

import numpy as np
import optuna
import pytest
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

from mds_lightning.search.sobol_sampler import SobolSampler

SPACE = {
    "backbone": CategoricalDistribution([f"b{k}" for k in range(16)]),
    "rate": FloatDistribution(1e-5, 1e-2, log=True),
    "dropout": FloatDistribution(0.0, 0.5, step=0.1),
    "momentum": FloatDistribution(0.5, 0.9),
    "layers": IntDistribution(1, 9, step=2),
    "width": IntDistribution(1, 1000, log=True),
}


def draw(index: int, seed: int = 0, space=SPACE):
    study = optuna.create_study()
    sampler = SobolSampler(space, seed, index)
    frozen = optuna.create_trial(state=optuna.trial.TrialState.RUNNING)
    return sampler.sample_relative(study, frozen, sampler.infer_relative_search_space(study, frozen))


@pytest.fixture(scope="module")
def points():
    return [draw(index) for index in range(64)]


def test_every_value_is_in_its_distribution(points) -> None:
    for point in points:
        assert point.keys() == SPACE.keys()
        for name, value in point.items():
            assert SPACE[name]._contains(SPACE[name].to_internal_repr(value)), (name, value)


def test_every_choice_occurs_equally_often(points) -> None:
    assert set(Counter(point["backbone"] for point in points).values()) == {4}
    assert min(Counter(round(point["dropout"], 6) for point in points).values()) >= 9
    assert min(Counter(point["layers"] for point in points).values()) >= 11


def test_ranges_are_covered_on_their_own_scale(points) -> None:
    eighths = np.histogram(np.log10([point["rate"] for point in points]), bins=8, range=(-5, -2))[0]
    assert eighths.tolist() == [8] * 8
    eighths = np.histogram([point["momentum"] for point in points], bins=8, range=(0.5, 0.9))[0]
    assert eighths.tolist() == [8] * 8
    # Log-uniform between 0.5 and 1000.5, rounded.
    assert abs(np.median([point["width"] for point in points]) - (0.5 * 1000.5) ** 0.5) < 4


def test_a_point_depends_on_seed_and_index_and_not_on_the_order_of_the_keys(points) -> None:
    assert draw(5) == points[5] == draw(5, space=dict(reversed(SPACE.items())))
    assert draw(5, seed=1) != points[5]
    assert len({tuple(sorted(point.items())) for point in points}) == 64
