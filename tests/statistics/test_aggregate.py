import numpy as np
import pytest

from mds_lightning.statistics.aggregate import aggregate_patients

#: Two patients of three images.
PROBABILITIES = np.array([[0.9, 0.1], [0.6, 0.4], [0.4, 0.6], [0.2, 0.8], [0.45, 0.55], [0.45, 0.55]])


@pytest.mark.parametrize(
    ("how", "expected"),
    [
        ("mean", [1.1 / 3, 1.9 / 3]),
        ("median", [0.4, 0.55]),
        ("majority", [1 / 3, 1.0]),
        (
            "log_odds",
            [
                1 / (1 + np.exp(-np.log([1 / 9, 4 / 6, 6 / 4]).mean())),
                1 / (1 + np.exp(-np.log([4, 55 / 45, 55 / 45]).mean())),
            ],
        ),
    ],
)
def test_aggregations(make_predictions, how: str, expected: list[float]) -> None:
    rows = make_predictions([0, 0, 0, 1, 1, 1], PROBABILITIES, [0, 0, 0, 1, 1, 1])
    patients = aggregate_patients(rows, how)
    np.testing.assert_allclose(patients.probabilities[:, 1], expected, atol=1e-9)
    np.testing.assert_allclose(patients.probabilities.sum(axis=1), 1)
    assert patients.table["patient_id"].tolist() == ["p00000", "p00001"]
    assert patients.target.tolist() == [0, 1]


@pytest.mark.parametrize("how", ["mean", "median", "majority", "log_odds"])
def test_three_classes_add_up_to_1_in_any_order_of_rows(correlated, how: str) -> None:
    rows = correlated(classes=("donor", "MDS", "AML"), images=4)
    shuffled = type(rows)(rows.table.sample(frac=1, random_state=0).reset_index(drop=True), rows.classes)
    one, other = (aggregate_patients(part, how).table for part in (rows, shuffled))
    columns = ["patient_id", "prob_donor", "prob_MDS", "prob_AML"]
    other = other.sort_values("patient_id")
    np.testing.assert_allclose(one[columns[1:]], other[columns[1:]], atol=1e-12)
    np.testing.assert_allclose(one[columns[1:]].sum(axis=1), 1)


def test_folds_and_splits_are_aggregated_separately(correlated) -> None:
    rows = correlated(patients=6, images=2)
    both = type(rows)(rows.table.loc[rows.table.index.repeat(2)].reset_index(drop=True), rows.classes)
    both.table["fold"] = np.tile([0, 1], len(rows.table))
    assert len(aggregate_patients(both).table) == 12


def test_probabilities_of_0_and_1_stay_finite(make_predictions) -> None:
    rows = make_predictions([1, 1], [0.0, 1.0], [0, 0])
    assert aggregate_patients(rows, "log_odds").probabilities[0, 1] == pytest.approx(0.5)


def test_an_unknown_aggregation_is_refused(correlated) -> None:
    with pytest.raises(ValueError, match="choose one of mean, median, majority, log_odds"):
        aggregate_patients(correlated(), "max")
