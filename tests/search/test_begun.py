"""The settings of a study may change until something was trained with them."""

import pytest

from mds_lightning.search.identity import ForeignStudyError
from mds_lightning.studies.worker import Worker


def test_settings_may_change_until_a_trial_is_finished(toy):
    with pytest.raises(RuntimeError, match="no memory left"):
        toy.here("misbehave=raise", "patients=first")
    toy.study().enqueue_trial({"x": 0.5, "y": 0.5})
    toy.here("patients=second", "hydra.sweeper.params.x='interval(0, 2)'")
    assert toy.states() == {"COMPLETE": 12}
    with pytest.raises(ForeignStudyError, match="cohort: second there, third now"):
        toy.here("patients=third")


def test_settings_may_not_change_while_a_trial_runs(toy):
    with pytest.raises(RuntimeError, match="no memory left"):
        toy.here("misbehave=raise", "patients=first")
    trial = toy.study().ask()
    trial.set_user_attr("worker", Worker.here().record())
    with pytest.raises(ForeignStudyError, match="cohort: first there, second now"):
        toy.here("patients=second")


def test_settings_may_not_change_after_an_epoch_of_an_unfinished_trial(toy):
    with pytest.raises(RuntimeError, match="no memory left"):
        toy.here("misbehave=raise", "patients=first")
    checkpoint = toy.directory / "trial-0/fold-0/checkpoints/last.ckpt"
    checkpoint.parent.mkdir(parents=True)
    checkpoint.touch()
    with pytest.raises(ForeignStudyError, match="cohort: first there, second now"):
        toy.here("patients=second")
