import optuna
import pytest

from mds_lightning.models.hyperparameters import Hyperparameters
from mds_lightning.search.identity import ForeignStudyError, claim_identity

STORED = {"kind": "grid", "seed": "0"}


def test_a_setting_that_was_added_later_has_its_default() -> None:
    study = optuna.create_study()
    claim_identity(study, STORED)
    claim_identity(study, STORED | {"classifier.dropout": str(Hyperparameters().dropout)})
    with pytest.raises(ForeignStudyError, match=r"classifier\.dropout: 0\.0 there, 0\.5 now"):
        claim_identity(study, STORED | {"classifier.dropout": "0.5"})


def test_other_additions_are_refused() -> None:
    study = optuna.create_study()
    claim_identity(study, STORED)
    with pytest.raises(ForeignStudyError, match="cohort: None there, abc now"):
        claim_identity(study, STORED | {"cohort": "abc"})
