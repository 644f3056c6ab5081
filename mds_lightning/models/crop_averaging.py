"""From what was said of the parts of a field to what is said of the field."""

from typing import NamedTuple

import torch
from torch import Tensor
from torchmetrics import Metric
from torchmetrics.utilities import dim_zero_cat


class PooledFields(NamedTuple):
    """Fields, or as much of them as was seen so far.

    Attributes:
        row: int64 (n): of the cohort's table, each once, rising.
        weight: float64 (n): sum over the parts of a field.
        weighted: float64 (n, classes): sum of the parts' weighted probabilities.
    """

    row: Tensor
    weight: Tensor
    weighted: Tensor

    @property
    def probabilities(self) -> Tensor:
        """Weighted mean over the parts of each field, float32 (n, classes)."""
        return (self.weighted / self.weight[:, None]).float()


def pool_parts(row: Tensor, weight: Tensor, weighted: Tensor) -> PooledFields:
    """Add up parts of the same field. A part that comes twice (distributed runs repeat some) changes no mean.

    Args:
        row: int64 (n): whose part it is.
        weight: (n).
        weighted: (n, classes): probabilities times weight.
    """
    rows, field = torch.unique(row, return_inverse=True)
    weights = torch.zeros(len(rows), dtype=torch.float64, device=row.device)
    sums = weights.new_zeros(len(rows), weighted.shape[1])
    return PooledFields(
        rows, weights.index_add_(0, field, weight.double()), sums.index_add_(0, field, weighted.double())
    )


class FieldPool(Metric):
    """Collects parts batch by batch; keeps a few numbers a field, not a part."""

    full_state_update = False
    rows: list[Tensor]
    weights: list[Tensor]
    sums: list[Tensor]
    targets: list[Tensor]

    def __init__(self) -> None:
        super().__init__()
        for state in ("rows", "weights", "sums", "targets"):
            self.add_state(state, default=[], dist_reduce_fx="cat")

    def update(self, row: Tensor, weight: Tensor, probabilities: Tensor, target: Tensor) -> None:
        """Add a batch of parts: row int64 (n), weight (n), probabilities (n, classes), target int64 (n)."""
        pooled = pool_parts(row, weight, probabilities * weight[:, None])
        self.rows.append(pooled.row)
        self.weights.append(pooled.weight)
        self.sums.append(pooled.weighted)
        # All parts of a field have the target of the field.
        self.targets.append(target.new_empty(len(pooled.row)).scatter_(0, _places(pooled.row, row), target))

    def compute(self) -> tuple[Tensor, Tensor]:
        """Probabilities float32 (fields, classes) and targets int64 (fields), in the order of the rows."""
        row = dim_zero_cat(self.rows)
        pooled = pool_parts(row, dim_zero_cat(self.weights), dim_zero_cat(self.sums))
        targets = dim_zero_cat(self.targets)
        return pooled.probabilities, targets.new_empty(len(pooled.row)).scatter_(
            0, _places(pooled.row, row), targets
        )


def _places(rows: Tensor, row: Tensor) -> Tensor:
    """Where in the sorted `rows` each of `row` stands."""
    return torch.searchsorted(rows, row)
