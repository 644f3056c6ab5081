import pytest

from mds_lightning.studies.candidate_epochs import first_candidate_epoch


@pytest.mark.parametrize(("max_epochs", "first"), [(1, 0), (2, 1), (3, 1), (30, 15), (None, 0), (-1, 0)])
def test_the_second_half_of_the_epochs_may_be_selected(max_epochs, first):
    assert first_candidate_epoch(max_epochs) == first
