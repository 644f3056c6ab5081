"""Averages the predictions of the crops of a field into the prediction for the field."""

from typing import NamedTuple, TypedDict

import torch
from torch import Tensor
from torchmetrics import Metric
from torchmetrics.utilities import dim_zero_cat


class Prediction(TypedDict):
    """Predictions of a batch of n crops.

    Attributes:
        row: int64 (n), row of the crop's field in the cohort's table.
        probabilities: float32 (n, classes).
        weight: float64 (n), weight of the crop in the prediction for its field.
    """

    row: Tensor
    probabilities: Tensor
    weight: Tensor


class CropSums(NamedTuple):
    """Sums over the crops of each field that were seen so far.

    Attributes:
        row: int64 (fields): row of the cohort's table, unique and ascending.
        weight: float64 (fields): sum of the crops' weights.
        weighted: float64 (fields, classes): sum of the crops' probabilities times their weights.
    """

    row: Tensor
    weight: Tensor
    weighted: Tensor

    @property
    def probabilities(self) -> Tensor:
        """Weighted mean over the crops of each field, float32 (fields, classes)."""
        return (self.weighted / self.weight[:, None]).float()


def sum_crops(row: Tensor, weight: Tensor, weighted: Tensor) -> CropSums:
    """Sum over the crops, or the partial sums, of each field.

    If every crop of a field occurs twice (distributed runs repeat some fields), its mean does not change.

    Args:
        row: int64 (n): row of the field in the cohort's table.
        weight: float (n).
        weighted: float (n, classes): probabilities times weight.
    """
    rows, field = torch.unique(row, return_inverse=True)
    weights = torch.zeros(len(rows), dtype=torch.float64, device=row.device)
    sums = weights.new_zeros(len(rows), weighted.shape[1])
    return CropSums(
        rows, weights.index_add_(0, field, weight.double()), sums.index_add_(0, field, weighted.double())
    )


class FieldAverage(Metric):
    """Collects crops batch by batch, and keeps a few numbers a field."""

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
        """Add a batch of crops: row int64 (n), weight (n), probabilities (n, classes), target int64 (n)."""
        fields = sum_crops(row, weight, probabilities * weight[:, None])
        self.rows.append(fields.row)
        self.weights.append(fields.weight)
        self.sums.append(fields.weighted)
        # All crops of a field have the target of the field.
        self.targets.append(
            target.new_empty(len(fields.row)).scatter_(0, torch.searchsorted(fields.row, row), target)
        )

    def compute(self) -> tuple[Tensor, Tensor]:
        """Probabilities float32 (fields, classes) and targets int64 (fields), by ascending row."""
        row = dim_zero_cat(self.rows)
        fields = sum_crops(row, dim_zero_cat(self.weights), dim_zero_cat(self.sums))
        targets = dim_zero_cat(self.targets)
        return fields.probabilities, targets.new_empty(len(fields.row)).scatter_(
            0, torch.searchsorted(fields.row, row), targets
        )
