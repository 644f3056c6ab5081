import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import log_loss

from mds_lightning.statistics.temperature import learn_temperature, scale_folds, scale_probabilities


@pytest.mark.parametrize("sharpness", [0.4, 1.0, 3.0])
def test_temperature_corrects_over_and_under_confidence(sharpness: float, outcomes) -> None:
    positive, probability = outcomes(4000, seed=5)
    chance = np.stack([1 - probability, probability], axis=1)
    distorted = scale_probabilities(chance, 1 / sharpness)
    temperature = learn_temperature(positive.astype(int), distorted)
    assert temperature == pytest.approx(sharpness, rel=0.1)
    corrected = scale_probabilities(distorted, temperature)
    assert log_loss(positive, corrected[:, 1]) <= log_loss(positive, distorted[:, 1]) + 1e-9
    assert (np.argsort(corrected[:, 1]) == np.argsort(distorted[:, 1])).all()


def test_temperature_is_learned_on_validation_for_each_fold(correlated) -> None:
    test = correlated(patients=60, folds=2, seed=1)
    val = correlated(patients=60, folds=2, seed=2, split="val")
    table = pd.concat([test.table, val.table.assign(image="v" + val.table["image"])], ignore_index=True)
    study = type(test)(table, test.classes)
    scaled, temperatures = scale_folds(study)
    for fold in range(2):
        rows = val.of_fold(fold)
        assert temperatures[fold] == pytest.approx(learn_temperature(rows.target, rows.probabilities))
        expected = scale_probabilities(test.of_fold(fold).probabilities, temperatures[fold])
        np.testing.assert_allclose(scaled.split("test").of_fold(fold).probabilities, expected)
    assert temperatures[0] != temperatures[1]
