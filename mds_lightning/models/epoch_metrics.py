"""Metrics of an epoch, for monitoring; reported numbers are computed from `predictions.parquet` instead."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torchmetrics import Metric
from torchmetrics.classification import MulticlassConfusionMatrix
from torchmetrics.functional.classification import binary_auroc, multiclass_auroc
from torchmetrics.utilities import dim_zero_cat


class DefinedAUROC(Metric):
    """Area under the ROC curve; NaN if a class has no image (torchmetrics' own returns 0 with a warning).

    With two classes, of the second one's probability; with more, the unweighted mean over classes of one
    against the rest.
    """

    full_state_update = False
    probabilities: list[Tensor]
    targets: list[Tensor]

    def __init__(self, n_classes: int) -> None:
        super().__init__()
        self.n_classes = n_classes
        self.add_state("probabilities", default=[], dist_reduce_fx="cat")
        self.add_state("targets", default=[], dist_reduce_fx="cat")

    def update(self, probabilities: Tensor, target: Tensor) -> None:
        """Add a batch: probabilities float (n, classes), target int64 (n)."""
        self.probabilities.append(probabilities)
        self.targets.append(target)

    def compute(self) -> Tensor:
        """The area over all batches since `reset`, a scalar."""
        probabilities, targets = dim_zero_cat(self.probabilities), dim_zero_cat(self.targets)
        if len(torch.unique(targets)) < self.n_classes:
            return torch.tensor(torch.nan, device=targets.device)
        if self.n_classes == 2:
            return binary_auroc(probabilities[:, 1], targets)
        return multiclass_auroc(probabilities, targets, self.n_classes, average="macro")


class BalancedLoss(Metric):
    """Mean over classes of the mean cross-entropy of each class's images; NaN where a class has no image."""

    full_state_update = False
    total: Tensor
    count: Tensor

    def __init__(self, n_classes: int) -> None:
        super().__init__()
        self.add_state("total", default=torch.zeros(n_classes, dtype=torch.float64), dist_reduce_fx="sum")
        self.add_state("count", default=torch.zeros(n_classes, dtype=torch.float64), dist_reduce_fx="sum")

    def update(self, probabilities: Tensor, target: Tensor) -> None:
        """Add a batch: probabilities float (n, classes), target int64 (n)."""
        correct = probabilities.double().gather(1, target[:, None])[:, 0]
        # A probability that was rounded to 0 has a finite loss, which still is larger than any other.
        losses = -correct.clamp(min=torch.finfo(torch.float32).tiny).log()
        self.total += torch.zeros_like(self.total).index_add(0, target, losses)
        self.count += torch.bincount(target, minlength=len(self.count))

    def compute(self) -> Tensor:
        """The loss over everything since `reset`, a scalar."""
        return (self.total / self.count).mean()


class EpochMetrics(nn.Module):
    """AUROC, class-balanced loss, accuracy, macro F1, precision and recall, over one epoch of one stage.

    Accuracy is micro-averaged (the fraction of correctly classified images). The predicted class is the one
    with the highest probability. A ratio whose denominator is zero is NaN, and so is a mean that includes it.
    """

    def __init__(self, classes: Sequence[str]) -> None:
        super().__init__()
        self.classes = tuple(classes)
        self.auroc = DefinedAUROC(len(classes))
        self.balanced_loss = BalancedLoss(len(classes))
        self.confusion = MulticlassConfusionMatrix(len(classes))

    def update(self, probabilities: Tensor, target: Tensor) -> None:
        """Add a batch: probabilities float (n, classes), target int64 (n)."""
        self.auroc.update(probabilities, target)
        self.balanced_loss.update(probabilities, target)
        self.confusion.update(probabilities, target)

    def compute(self) -> dict[str, Tensor]:
        """Every metric by name, scalars."""
        confusion = self.confusion.compute().double()  # rows: target; columns: predicted
        correct, actual, predicted = confusion.diagonal(), confusion.sum(dim=1), confusion.sum(dim=0)
        values = {
            "auroc": self.auroc.compute(),
            "balanced_loss": self.balanced_loss.compute(),
            "accuracy": correct.sum() / confusion.sum(),
            "f1": (2 * correct / (actual + predicted)).mean(),
        }
        for index, name in enumerate(self.classes):
            values[f"precision_{name}"] = correct[index] / predicted[index]
            values[f"recall_{name}"] = correct[index] / actual[index]
        return {name: value.float() for name, value in values.items()}

    def missing_classes(self) -> list[str]:
        """Classes without an image since `reset`."""
        actual = self.confusion.compute().sum(dim=1)
        return [name for name, images in zip(self.classes, actual.tolist(), strict=True) if images == 0]

    def reset(self) -> None:
        """Discard all batches."""
        self.auroc.reset()
        self.balanced_loss.reset()
        self.confusion.reset()
