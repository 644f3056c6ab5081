import pytest

from mds_lightning.studies.trial_names import find_outer_fold, is_trial, list_trained_folds, name_trial


@pytest.mark.parametrize(
    ("number", "fold", "name", "trained"),
    [(0, None, "trial-0", [0, 1, 2]), (12, None, "trial-12", [0, 1, 2]), (3, 2, "trial-2-3", [2])],
)
def test_a_name_tells_which_folds_a_trial_trains(number, fold, name, trained) -> None:
    assert name_trial(number, fold) == name
    assert is_trial(name)
    assert find_outer_fold(name) == fold
    assert list_trained_folds(name, 3) == trained


def test_the_cells_of_a_grid_train_every_fold() -> None:
    assert not is_trial("resnet18")
    assert list_trained_folds("resnet18", 2) == [0, 1]
