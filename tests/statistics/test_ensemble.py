"""The ensemble of several seeds is one row for each image, with the mean of the seeds' probabilities."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mds_lightning.statistics.ensemble import average_seeds
from mds_lightning.statistics.predictions import check_predictions

from ..pooled_rows import pooled_rows

SEEDS = {seed: pooled_rows(patients=12, external=2, seed=seed) for seed in range(4)}


def shuffled(predictions, order):
    return replace(predictions, table=predictions.table.sample(frac=1, random_state=order))


@given(seeds=st.lists(st.sampled_from([*SEEDS]), min_size=1, unique=True), order=st.integers(0, 5))
def test_the_mean_of_each_image_does_not_depend_on_the_order_of_seeds_or_rows(seeds, order):
    mean = np.mean([SEEDS[seed].probabilities for seed in seeds], axis=0)
    chosen = {seed: SEEDS[seed] if k == 0 else shuffled(SEEDS[seed], order) for k, seed in enumerate(seeds)}
    ensemble = average_seeds(chosen)
    np.testing.assert_allclose(ensemble.probabilities, mean, atol=1e-12)
    rows = ["image", "fold", "split", "patient_id", "label", "target"]
    assert ensemble.table[rows].equals(SEEDS[0].table[rows])
    check_predictions(ensemble.table, "the ensemble")


def test_one_seed_is_not_changed():
    assert average_seeds({None: SEEDS[0]}) is SEEDS[0]


def test_seeds_of_other_images_or_labels_are_refused():
    fewer = SEEDS[1].where(SEEDS[1].table.index > 0)
    other = replace(SEEDS[1], table=SEEDS[1].table.replace({"image": {"p0_0.jpg": "other.jpg"}}))
    for wrong in (fewer, other):
        with pytest.raises(ValueError, match="seeds 0 and 1 predicted different images"):
            average_seeds({0: SEEDS[0], 1: wrong})
    moved = replace(SEEDS[1], table=SEEDS[1].table.replace({"split": {"val": "test"}}))
    with pytest.raises(ValueError, match="seeds 0 and 1 predicted the same images with different"):
        average_seeds({0: SEEDS[0], 1: moved})
