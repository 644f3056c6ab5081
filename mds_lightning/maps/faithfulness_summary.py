"""Deletion and insertion curves of several maps, averaged."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mds_lightning.explain.faithfulness_curves import area_under
from mds_lightning.maps.importance_map import MapRecord


@dataclass(frozen=True, eq=False)
class FaithfulnessSummary:
    """Mean curves of the maps that have curves.

    Attributes:
        maps: Number of maps.
        deletion: Mean score while the most important pixels are covered first, (steps + 1,).
        insertion: Mean score while the most important pixels are uncovered first, (steps + 1,).
        random: Mean score while patches are covered in a random order, (steps + 1,).
        lower_deletion: Number of maps whose area under the deletion curve is below that of the random order.
        higher_insertion: Number of maps whose area under the insertion curve is above that of the random
            order.
    """

    maps: int
    deletion: NDArray[np.float64]
    insertion: NDArray[np.float64]
    random: NDArray[np.float64]
    lower_deletion: int
    higher_insertion: int

    @property
    def areas(self) -> dict[str, float]:
        """Area under each mean curve (mean score, 0..1 for probabilities)."""
        return {name: area_under(getattr(self, name)) for name in ("deletion", "insertion", "random")}


def summarise_faithfulness(records: Iterable[MapRecord]) -> FaithfulnessSummary | None:
    """Average the curves of the maps that have some; None where there are none."""
    curves = [one.curves for one in records if one.curves is not None]
    if not curves:
        return None
    mean: dict[str, Any] = {
        name: np.mean([getattr(one, name) for one in curves], axis=0, dtype=np.float64)
        for name in ("deletion", "insertion", "random")
    }
    return FaithfulnessSummary(
        maps=len(curves),
        lower_deletion=sum(area_under(one.deletion) < area_under(one.random) for one in curves),
        higher_insertion=sum(area_under(one.insertion) > area_under(one.random) for one in curves),
        **mean,
    )
