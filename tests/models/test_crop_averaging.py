import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score

from mds_lightning.models.classifier import SmearClassifier
from mds_lightning.models.crop_averaging import FieldAverage, sum_crops


@settings(deadline=None, max_examples=30)
@given(seed=st.integers(0, 10_000), batch=st.integers(1, 9), repeats=st.integers(1, 2))
def test_a_field_s_probabilities_are_the_weighted_mean_of_its_parts(seed, batch, repeats):
    random = np.random.default_rng(seed)
    counts = random.integers(1, 6, size=5)
    row = np.repeat(random.permutation(20)[:5], counts)
    target = row % 3
    weight = random.random(len(row)) + 0.1
    probabilities = random.dirichlet(np.ones(3), len(row)).astype(np.float32)
    pool = FieldAverage()
    for _ in range(repeats):  # Of a distributed run: what comes twice counts once.
        for start in range(0, len(row), batch):
            pool.update(
                *(torch.tensor(part[start : start + batch]) for part in (row, weight, probabilities, target))
            )
    pooled, targets = pool.compute()
    for place, field in enumerate(sorted(set(row))):
        own = row == field
        expected = np.average(probabilities[own], axis=0, weights=weight[own])
        np.testing.assert_allclose(pooled[place], expected, atol=1e-6)
        assert targets[place] == field % 3
    assert len(pooled) == len(targets) == 5


def test_a_field_of_one_part_keeps_every_bit():
    probabilities = torch.rand(50, 4, generator=torch.Generator().manual_seed(0))
    pooled = sum_crops(torch.arange(50), torch.ones(50, dtype=torch.float64), probabilities)
    assert torch.equal(pooled.probabilities, probabilities)


@pytest.mark.parametrize("stage", ["validate", "test"])
def test_the_auroc_that_is_watched_is_that_of_fields(make_trainer, stage):
    torch.manual_seed(0)
    model = SmearClassifier("squeezenet1_1", ["donor", "MDS"]).eval()
    model.network.classifier[1].bias.data.fill_(3)  # Above the last ReLU: no ties.
    # Six fields of 1 to 6 parts: the AUROC of the parts is another.
    row = torch.repeat_interleave(torch.arange(6), torch.arange(1, 7))
    images = torch.randint(0, 256, (len(row), 3, 32, 32), generator=torch.Generator().manual_seed(1))
    weight = 1 / (row + 1).double()
    parts = [
        {"image": image.byte(), "row": r, "target": r % 2, "weight": w}
        for image, r, w in zip(images, row, weight, strict=True)
    ]
    loader = torch.utils.data.DataLoader(parts, batch_size=4)
    trainer = make_trainer()
    [values] = getattr(trainer, stage)(model, loader, verbose=False)
    with torch.no_grad():
        said = model(images.byte()).softmax(1)[:, 1]
    of_fields = [float(said[row == field].mean()) for field in range(6)]
    expected = roc_auc_score([0, 1] * 3, of_fields)
    assert values[f"{'val' if stage == 'validate' else 'test'}/auroc"] == pytest.approx(expected)
    assert roc_auc_score(row % 2, said) != pytest.approx(expected)
