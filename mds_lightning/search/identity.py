"""The identity of a stored study: search space, direction, cohort and split, which all its trials share."""

from collections.abc import Mapping
from typing import Literal

from optuna.distributions import BaseDistribution
from optuna.study import Study

from mds_lightning.search.blindness import complete_identity
from mds_lightning.search.nested import OUTER_FOLD
from mds_lightning.studies.setting_defaults import default_settings
from mds_lightning.studies.settings import decisive_settings

_KEY = "identity"


class ForeignStudyError(ValueError):
    """The stored study has another search space, direction, cohort or split."""


class ChangedSweepError(ForeignStudyError):
    """A study of this sweeper has another search space, direction, cohort, split or settings.

    Attributes:
        difference: The message without its advice.
    """

    def __init__(self, difference: str) -> None:
        self.difference = difference
        super().__init__(f"{difference}\nGive the study another name (study=NAME), or undo the changes.")


def identity_of(
    kind: Literal["grid", "search"],
    space: Mapping[str, BaseDistribution],
    directions: list[str],
    extra: Mapping[str, str],
) -> dict[str, str]:
    """Return everything that must be equal for two trials to be comparable, as text.

    Args:
        kind: A search queues lost trials again; a grid runs their cells again.
        space: Parameter name to distribution.
        directions: `minimize` or `maximize`, one per objective.
        extra: Further entries of the command, such as the hashes of cohort and folds.
    """
    searched = {f"search space, {name}": str(distribution) for name, distribution in sorted(space.items())}
    given = {key: str(extra[key]) for key in sorted(extra)}
    return {"kind": kind, "direction": ", ".join(directions), **searched, **given}


def is_search(study: Study) -> bool:
    """Whether a stored study is a search (and not a grid)."""
    return (_stored_identity(study) or {}).get("kind") == "search"


def _stored_identity(study: Study) -> dict[str, str] | None:
    """The identity that a stored study was started with; None if it has none."""
    stored = study.user_attrs.get(_KEY)
    if stored is None:
        return None
    if not isinstance(stored, Mapping) or not all(isinstance(value, str) for value in stored.values()):
        raise ForeignStudyError(
            f"the stored study '{study.study_name}' has the identity {str(stored)[:200]!r}: it is damaged "
            "or was written by another program. Give the study another name (study=NAME)"
        )
    return dict(stored)


def outer_fold(study: Study) -> int | None:
    """The fold whose nested search a stored study is; None for every other study."""
    fold = (_stored_identity(study) or {}).get(OUTER_FOLD)
    if fold is not None and not fold.isdecimal():
        raise ForeignStudyError(
            f"the stored study '{study.study_name}' is of fold {fold[:200]!r}: it is damaged. Give the study "
            "another name (study=NAME)"
        )
    return None if fold is None else int(fold)


def claim_identity(study: Study, identity: Mapping[str, str]) -> None:
    """Store `identity` in a new study, or compare it with that of a stored one.

    A setting that is absent from the stamp has its default: the study was started before the key was added.

    Raises:
        ChangedSweepError: They differ; the message lists every difference and what to do.
        ForeignStudyError: The study has trials of another program, or its identity is damaged.
    """
    stored = _stored_identity(study)
    if stored is None:
        if study.get_trials(deepcopy=False):
            raise ForeignStudyError(
                f"the stored study '{study.study_name}' was not created by hydra/sweeper=optuna_study, so "
                "the settings of its trials are unknown: give the study another name (study=NAME)"
            )
        study.set_user_attr(_KEY, dict(identity))
        return
    added = decisive_settings(default_settings())
    stored = {key: str(added[key]) for key in identity if key in added} | stored
    stored = complete_identity(stored)
    different = sorted(key for key in stored.keys() | identity.keys() if stored.get(key) != identity.get(key))
    if different:
        lines = [f"  {key}: {stored.get(key)} there, {identity.get(key)} now" for key in different]
        raise ChangedSweepError(
            f"the stored study '{study.study_name}' differs from this command:\n" + "\n".join(lines)
        )
