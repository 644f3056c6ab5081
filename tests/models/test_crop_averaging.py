import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from mds_lightning.models.classifier import SmearClassifier
from mds_lightning.models.crop_averaging import FieldAverage, sum_crops


@settings(deadline=None, max_examples=30)
@given(seed=st.integers(0, 10_000), batch=st.integers(1, 9), repeats=st.integers(1, 2))
def test_the_probabilities_of_a_field_are_the_weighted_mean_of_its_crops(seed, batch, repeats):
    random = np.random.default_rng(seed)
    counts = random.integers(1, 6, size=5)
    row = np.repeat(random.permutation(20)[:5], counts)
    target = row % 3
    weight = random.random(len(row)) + 0.1
    probabilities = random.dirichlet(np.ones(3), len(row)).astype(np.float32)
    average = FieldAverage()
    for _ in range(repeats):  # A distributed run may repeat all crops of a field.
        for start in range(0, len(row), batch):
            average.update(
                *(
                    torch.tensor(column[start : start + batch])
                    for column in (row, weight, probabilities, target)
                )
            )
    averaged, targets = average.compute()
    for place, field in enumerate(sorted(set(row))):
        own = row == field
        expected = np.average(probabilities[own], axis=0, weights=weight[own])
        np.testing.assert_allclose(averaged[place], expected, atol=1e-6)
        assert targets[place] == field % 3
    assert len(averaged) == len(targets) == 5


def test_a_field_of_one_crop_keeps_its_exact_probabilities():
    probabilities = torch.rand(50, 4, generator=torch.Generator().manual_seed(0))
    averaged = sum_crops(torch.arange(50), torch.ones(50, dtype=torch.float64), probabilities)
    assert torch.equal(averaged.probabilities, probabilities)


@pytest.mark.parametrize("stage", ["validate", "test"])
def test_the_logged_auroc_is_that_of_fields_not_of_crops(make_trainer, stage):
    # Crops of one brightness, and a network whose probability of the second class rises with it. Of the four
    # pairs of fields three are in order; of the 15 pairs of crops only ten.
    brightness = {0: [100], 1: [200, 200, 50], 2: [20, 30], 3: [10, 60]}
    model = SmearClassifier("squeezenet1_1", ["donor", "MDS"])
    linear = torch.nn.Linear(3, 2, bias=False)
    linear.weight.data = torch.tensor([[0.0] * 3, [0.1] * 3])
    model.network = torch.nn.Sequential(torch.nn.AdaptiveAvgPool2d(1), torch.nn.Flatten(), linear)
    crops = [
        {
            "image": torch.full((3, 8, 8), value, dtype=torch.uint8),
            "row": torch.tensor(field),
            "target": torch.tensor(field % 2),
            "weight": torch.tensor(1 / len(values), dtype=torch.float64),
        }
        for field, values in brightness.items()
        for value in values
    ]
    loader = torch.utils.data.DataLoader(crops, batch_size=3)
    [values] = getattr(make_trainer(), stage)(model, loader, verbose=False)
    assert values[f"{'val' if stage == 'validate' else 'test'}/auroc"] == pytest.approx(3 / 4)
