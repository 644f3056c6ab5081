"""Keys of a hyperparameter search beside those of its sweeper."""

from dataclasses import dataclass


@dataclass(frozen=True)
class SearchParameters:
    """The keys `search.*` of `mds-lightning train -m`.

    Attributes:
        nested: Whether each fold has a search of its own, whose trials train this fold only and whose
            objective is the ROC-AUC on its validation images: n_trials x folds.n_splits trainings. Any
            sampler is blind then.
    """

    nested: bool = False
