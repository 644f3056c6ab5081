"""ROC-AUC over pairs within a fold: the scores of one model compared with one another only."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from mds_lightning.statistics.metrics import Measure, rank_class
from mds_lightning.statistics.ranking import Ranking
from mds_lightning.statistics.sample import Sample

#: Name of the metric.
WITHIN_FOLDS = "roc_auc_within_folds"


@dataclass(frozen=True)
class WithinFolds:
    """The fold-stratified ROC-AUC of one sample; call it with weights.

    Pooling mixes the scales of several models, and the pooled ROC-AUC pays for it. Here every positive row is
    compared with the negative rows of its own fold, and all such pairs count alike. Resample it within folds
    (`Sample.strata_by_fold`): the folds' sizes are part of the design.

    Attributes:
        rankings: Scored class to the ranking of each fold.
    """

    rankings: Mapping[str, tuple[Ranking, ...]]

    @classmethod
    def of(cls, sample: Sample) -> Self:
        """Sort once."""
        folds = [sample.fold == fold for fold in np.unique(sample.fold)]
        return cls(
            {
                sample.classes[k]: tuple(rank_class(sample, k, rows) for rows in folds)
                for k in sample.scored_classes
            }
        )

    def __call__(self, weights: NDArray[np.float64]) -> dict[Measure, NDArray[np.float64]]:
        """Each class's value (resamples,) for each row of `weights`; NaN if undefined."""
        measures = {}
        for name, rankings in self.rankings.items():
            parts = [ranking.pairs(weights) for ranking in rankings]
            won, total = sum(part[0] for part in parts), sum(part[1] for part in parts)
            with np.errstate(invalid="ignore", divide="ignore"):
                measures[Measure(WITHIN_FOLDS, name)] = np.asarray(won / total)
        if len(measures) > 1:
            measures[Measure(WITHIN_FOLDS, "macro")] = np.mean(list(measures.values()), axis=0)
        return measures
