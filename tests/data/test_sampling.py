from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mds_lightning.data.sampling import EpochSampler, class_weights

TARGETS = st.lists(st.integers(0, 2), min_size=3, max_size=60).filter(lambda targets: len(set(targets)) > 1)


@settings(deadline=None, max_examples=60)
@given(TARGETS, st.integers(0, 2**31), st.integers(0, 50))
def test_balanced_draws_every_class_equally_and_every_image_evenly(targets, seed, epoch):
    rows = [10 + 3 * position for position in range(len(targets))]
    sampler = EpochSampler(rows, targets, "balanced", seed)
    sampler.set_epoch(epoch)
    draws = list(sampler)
    target_of = dict(zip(rows, targets, strict=True))
    assert len(draws) == len(sampler)
    per_class = Counter(target_of[draw.row] for draw in draws)
    assert set(per_class.values()) == {max(Counter(targets).values())}
    per_row = Counter(draw.row for draw in draws)
    assert set(per_row) == set(rows)
    for target in per_class:
        counts = [per_row[row] for row in rows if target_of[row] == target]
        assert max(counts) - min(counts) <= 1


@settings(deadline=None, max_examples=30)
@given(TARGETS, st.integers(1, 5))
def test_processes_share_the_epoch_without_overlap(targets, replicas):
    rows = list(range(len(targets)))
    parts = [list(EpochSampler(rows, targets, "natural", 3, replicas, rank)) for rank in range(replicas)]
    assert len({len(part) for part in parts}) == 1
    drawn = [draw.row for part in parts for draw in part]
    assert len(drawn) == len(set(drawn)) == len(rows) // replicas * replicas


def test_an_epoch_depends_on_seed_and_epoch_alone():
    def epoch(seed, number):
        sampler = EpochSampler(range(20), [0, 1] * 10, "balanced", seed)
        sampler.set_epoch(number)
        return list(sampler)

    assert epoch(1, 4) == epoch(1, 4)
    assert epoch(1, 4) != epoch(1, 5)
    assert epoch(1, 4) != epoch(2, 4)


def test_class_weights_are_scikit_learns_balanced():
    from sklearn.utils.class_weight import compute_class_weight

    targets = [0, 0, 0, 1, 2, 2]
    expected = compute_class_weight("balanced", classes=np.arange(3), y=np.array(targets))
    assert class_weights(targets, 3) == pytest.approx(expected.tolist())


def test_a_class_without_images_cannot_be_weighted():
    with pytest.raises(ValueError, match=r"classes \[1\] have no training image"):
        class_weights([0, 2], 3)
