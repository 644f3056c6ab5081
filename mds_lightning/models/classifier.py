"""The image classifier as a LightningModule."""

import logging
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, Literal, Self

import lightning
import torch
from lightning.pytorch.utilities.types import OptimizerLRScheduler
from torch import Tensor, nn
from torch.optim import Optimizer

from mds_lightning.models.backbones import create_network, find_backbone, load_initial_weights
from mds_lightning.models.backbones.heads import feature_parameters, freeze_statistics
from mds_lightning.models.crop_averaging import FieldAverage, Prediction
from mds_lightning.models.epoch_metrics import EpochMetrics
from mds_lightning.models.hyperparameters import Hyperparameters
from mds_lightning.models.loss import NonFiniteLossError, StepContext, classification_loss
from mds_lightning.models.optimization import build_optimizer, build_schedule

__all__ = ["NonFiniteLossError", "SmearClassifier"]

logger = logging.getLogger(__name__)

Stage = Literal["train", "val", "test"]


class SmearClassifier(lightning.LightningModule):
    """Classifies photographs of smears into the classes of a task.

    Checkpoints contain only tensors and plain values, so that they load with `weights_only`; they include the
    order of the classes and the normalisation. The initial weights (`pretrained`, `weights`) are not saved: a
    checkpoint is restored without them. Random weights are drawn from torch's global generator.

    Args:
        backbone: A name that `mds_lightning.models.backbones.find_backbone` accepts.
        classes: Labels in the order of the logits; of two classes, the second is the positive one.
        class_weights: Weight of each class in the loss, above 0, or None for equal weights.
        pretrained: Start from the published ImageNet weights.
        weights: Start from this file (`.safetensors`, `.pth`, `.pt`) instead, whatever `pretrained` says.
        **hyperparameters: Fields of `mds_lightning.models.hyperparameters.Hyperparameters`.

    Raises:
        ValueError: The backbone is unknown, or a value out of range.
        WeightsError: The requested weights are not available or do not fit; a subclass of ValueError.

    Attributes:
        network: Normalised images, float (n, 3, H, W), to logits (n, classes).
    """

    mean: Tensor
    std: Tensor
    class_weights: Tensor | None

    def __init__(
        self,
        backbone: str,
        classes: Sequence[str],
        class_weights: Sequence[float] | None = None,
        pretrained: bool = False,
        weights: str | Path | None = None,
        **hyperparameters: Any,
    ) -> None:
        super().__init__()
        self.classes = tuple(str(label) for label in classes)
        if len(set(self.classes)) != len(self.classes) or len(self.classes) < 2:
            raise ValueError(f"the task's classes are {list(self.classes)}: give two or more, each once")
        if class_weights is not None:
            class_weights = [float(weight) for weight in class_weights]
            positive = all(0 < weight < math.inf for weight in class_weights)
            if not positive or len(class_weights) != len(self.classes):
                raise ValueError(
                    f"class_weights are {class_weights}: give a number above 0 for each of {self.classes}"
                )
        is_pretrained = pretrained or weights is not None
        self.hyperparameters = Hyperparameters(**hyperparameters).with_learning_rate(is_pretrained)
        plain = {"backbone": str(backbone), "classes": list(self.classes), "class_weights": class_weights}
        self.save_hyperparameters(plain | asdict(self.hyperparameters))

        self.backbone = find_backbone(backbone)
        self.network = create_network(self.backbone, len(self.classes), self.hyperparameters.dropout)
        load_initial_weights(self.network, self.backbone, pretrained, weights)
        # Convolutions are faster with this memory format; `normalise` converts images to it.
        self.network.to(memory_format=torch.channels_last)
        self.register_buffer("mean", 255 * torch.tensor(self.backbone.mean).reshape(1, 3, 1, 1))
        self.register_buffer("std", 255 * torch.tensor(self.backbone.std).reshape(1, 3, 1, 1))
        balance = None if class_weights is None else torch.tensor(class_weights)
        self.register_buffer("class_weights", balance, persistent=False)
        self.epoch_metrics = nn.ModuleDict(
            {f"{stage}_metrics": EpochMetrics(self.classes) for stage in ("train", "val", "test")}
        )
        self.field_averages = nn.ModuleDict({stage: FieldAverage() for stage in ("val", "test")})
        self._frozen = False

    def normalise(self, images: Tensor) -> Tensor:
        """Normalise images (n, 3, H, W), uint8 or float on a scale of 0..255, for `network`."""
        images = images.to(self.mean.dtype, memory_format=torch.channels_last)
        return (images - self.mean) / self.std

    def forward(self, images: Tensor) -> Tensor:
        """Map images (n, 3, H, W), uint8 or float on a scale of 0..255, to logits (n, classes).

        Raises:
            ValueError: The backbone accepts images of one size only, and these have another; or it returns
                more than logits.
        """
        expected = self.backbone.input_size
        if expected is not None and tuple(images.shape[-2:]) != expected:
            raise ValueError(
                f"{self.backbone.name} accepts images of {expected[0]}x{expected[1]} pixels only, not "
                f"{images.shape[-2]}x{images.shape[-1]}: set data.image_size=[{expected[0]},{expected[1]}]"
            )
        logits = self.network(self.normalise(images))
        if not isinstance(logits, Tensor):
            raise ValueError(f"{self.backbone.name} returns more than logits: choose another backbone.name")
        return logits.to(torch.promote_types(logits.dtype, torch.float32))

    def training_step(self, batch: Mapping[str, Tensor]) -> Tensor:
        """The loss of a batch (see `mds_lightning.data.dataset.Item`)."""
        learning_rate = self.trainer.optimizers[0].param_groups[0]["lr"]
        self.log(
            "train/learning_rate", learning_rate, on_step=False, on_epoch=True, batch_size=1, sync_dist=True
        )
        return self._step("train", batch)

    def validation_step(self, batch: Mapping[str, Tensor]) -> None:
        """Add a batch of the validation patients to the epoch's metrics."""
        self._step("val", batch)

    def test_step(self, batch: Mapping[str, Tensor]) -> None:
        """Add a batch of the test patients to the metrics."""
        self._step("test", batch)

    def predict_step(self, batch: Mapping[str, Tensor], *_: int) -> Prediction:
        """Rows, class probabilities and weights of a batch of crops (see `crop_averaging.sum_crops`)."""
        probabilities = self(batch["image"]).softmax(dim=1).float()
        return {"row": batch["row"], "probabilities": probabilities, "weight": batch["weight"]}

    def on_train_epoch_start(self) -> None:
        """Freeze the backbone in the first `freeze_epochs`, also in a resumed run."""
        self._frozen = self.current_epoch < self.hyperparameters.freeze_epochs
        # Distributed training needs a gradient of every parameter: they are discarded before the step.
        needed = not self._frozen or self.trainer.world_size > 1
        for _, parameter in feature_parameters(self.network, self.backbone.heads):
            parameter.requires_grad_(needed)
        self.train()

    def train(self, mode: bool = True) -> Self:
        """Set training mode; a frozen backbone keeps its running statistics too."""
        super().train(mode)
        if mode and self._frozen:
            freeze_statistics(self.network, self.backbone.heads)
        return self

    def on_before_optimizer_step(self, optimizer: Optimizer) -> None:  # noqa: ARG002
        """Discard the gradients of a frozen backbone."""
        if self._frozen:
            for _, parameter in feature_parameters(self.network, self.backbone.heads):
                parameter.grad = None

    def on_train_epoch_end(self) -> None:
        """Log the epoch's metrics."""
        self._log_metrics("train")

    def on_validation_epoch_end(self) -> None:
        """Log the epoch's metrics."""
        self._log_metrics("val")

    def on_test_epoch_end(self) -> None:
        """Log the metrics."""
        self._log_metrics("test")

    def configure_optimizers(self) -> OptimizerLRScheduler:
        """The optimizer, and a learning-rate schedule over all steps of the training.

        Raises:
            ValueError: The number of steps is infinite.
        """
        total = self.trainer.estimated_stepping_batches
        if not math.isfinite(total):
            raise ValueError("the learning rate falls to zero at the end of training: set trainer.max_epochs")
        per_epoch = math.ceil(self.trainer.num_training_batches / self.trainer.accumulate_grad_batches)
        warmup = round(self.hyperparameters.warmup_epochs * per_epoch)
        if 0 < int(total) <= warmup:
            logger.warning(
                "classifier.warmup_epochs takes all %d steps: the learning rate only rises", int(total)
            )
        optimizer = build_optimizer(self.network.parameters(), self.hyperparameters)
        schedule = build_schedule(optimizer, warmup, int(total))
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": schedule, "interval": "step"}}

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Check that the checkpoint has the same backbone and the same order of classes.

        Raises:
            ValueError: It has not.
        """
        saved = checkpoint.get("hyper_parameters", {})
        for key in ("backbone", "classes"):
            if saved.get(key) != self.hparams[key]:
                raise ValueError(
                    f"the checkpoint was trained with {key} {saved.get(key)}, not {self.hparams[key]}: "
                    "give the study another name, or delete its run directory"
                )

    def _step(self, stage: Stage, batch: Mapping[str, Tensor]) -> Tensor:
        logits, target = self(batch["image"]), batch["target"]
        context = StepContext(stage, self.current_epoch, self.global_step, str(self.trainer.precision))
        loss = classification_loss(logits, target, self.class_weights, self.hyperparameters, context)
        probabilities = logits.detach().softmax(dim=1)
        if stage == "train":
            self._metrics_of(stage).update(probabilities, target)
        else:
            # A field counts once, with the average of all its crops.
            self._average_of(stage).update(batch["row"], batch["weight"], probabilities, target)
        self.log(f"{stage}/loss", loss, on_step=False, on_epoch=True, batch_size=len(target), sync_dist=True)
        return loss

    def _metrics_of(self, stage: Stage) -> EpochMetrics:
        metrics = self.epoch_metrics[f"{stage}_metrics"]
        assert isinstance(metrics, EpochMetrics)
        return metrics

    def _average_of(self, stage: Stage) -> FieldAverage:
        average = self.field_averages[stage]
        assert isinstance(average, FieldAverage)
        return average

    def _log_metrics(self, stage: Stage) -> None:
        metrics = self._metrics_of(stage)
        if stage != "train":
            probabilities, target = self._average_of(stage).compute()
            # torchmetrics removes the dimension of a result with one element: the target of a single image.
            metrics.update(probabilities, target.reshape(-1))
            self._average_of(stage).reset()
        values = metrics.compute()
        missing = metrics.missing_classes()
        if missing and not self.trainer.sanity_checking:
            logger.warning(
                "%s/auroc is undefined in epoch %d: no %s image", stage, self.current_epoch, missing
            )
        self.log_dict({f"{stage}/{name}": value for name, value in values.items()}, sync_dist=True)
        metrics.reset()
