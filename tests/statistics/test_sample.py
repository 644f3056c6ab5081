import numpy as np
import pandas as pd

from mds_lightning.statistics.predictions import Predictions
from mds_lightning.statistics.sample import Sample


def test_patients_are_numbered_by_id_and_have_a_class(make_predictions) -> None:
    rows = make_predictions([1, 0, 1, 0], [0.9, 0.2, 0.8, 0.1], [7, 3, 7, 5])
    sample = Sample.of(rows)
    assert sample.patient.tolist() == [2, 0, 2, 1]
    assert sample.patient_class.tolist() == [0, 0, 1]
    assert sample.n_patients == 3


def test_strata_by_fold_keep_patients_of_several_folds_apart(make_predictions) -> None:
    inside = make_predictions([0, 0, 1, 1], [0.1] * 4, [0, 1, 2, 3], [0, 1, 0, 1]).table
    outside = make_predictions([1, 1], [0.1] * 2, [8, 8], [0, 1]).table.assign(image=["x", "y"])
    sample = Sample.of(Predictions(pd.concat([inside, outside], ignore_index=True), ("donor", "MDS")))
    strata = sample.strata_by_fold()
    assert len(set(strata.tolist())) == 5, "two classes in two folds, and the patient of both"


def test_chosen_rows_keep_their_patients_numbers(correlated) -> None:
    sample = Sample.of(correlated(patients=6, images=2))
    part = sample.where(sample.patient == 4)
    assert set(part.patient) == {4}
    assert part.n_patients == 6
    assert np.array_equal(part.probabilities, sample.probabilities[8:10])
