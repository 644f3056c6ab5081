import copy
from itertools import pairwise
from pathlib import Path
from typing import Any

import lightning
import numpy as np
import pytest
import torch
from lightning.pytorch.loggers import CSVLogger
from torch import Tensor

from mds_lightning.models.backbones.heads import head_parameters
from mds_lightning.models.classifier import NonFiniteLossError, SmearClassifier

from .small_classifier import (
    TINY,
    TRAIN,
    VAL,
    Loader,
    MakeTrainer,
    features_of,
    make,
    same,
    statistics_of,
)


class Watch(lightning.Callback):
    """Keeps features, statistics and head after every training epoch, and which gradients were computed."""

    def __init__(self) -> None:
        self.gradients: list[set[str]] = []
        self.features: list[dict[str, Tensor]] = []
        self.statistics: list[dict[str, Tensor]] = []
        self.heads: list[dict[str, Tensor]] = []

    def on_after_backward(self, trainer: lightning.Trainer, pl_module: lightning.LightningModule) -> None:
        computed = {key for key, value in pl_module.network.named_parameters() if value.grad is not None}
        if trainer.is_last_batch:
            self.gradients.append(computed)

    def on_train_epoch_end(self, trainer: lightning.Trainer, pl_module: lightning.LightningModule) -> None:
        assert isinstance(pl_module, SmearClassifier)
        self.features.append(features_of(pl_module))
        self.statistics.append(statistics_of(pl_module))
        heads = pl_module.backbone.heads
        self.heads.append({k: v.detach().clone() for k, v in head_parameters(pl_module.network, heads)})


@pytest.mark.parametrize(
    ("backbone", "optimizer"), [(TINY, "adamw"), (TINY, "sgd"), ("test_resnet", "adamw")]
)
def test_a_frozen_backbone_does_not_change_until_it_is_unfrozen(
    backbone: str, optimizer: str, loader: Loader, make_trainer: MakeTrainer
) -> None:
    model, watch = (
        make(backbone, freeze_epochs=2, optimizer=optimizer, weight_decay=0.5, dropout=0.1),
        Watch(),
    )
    features, statistics = features_of(model), statistics_of(model)
    assert statistics
    make_trainer(max_epochs=3, callbacks=[watch]).fit(model, loader(TRAIN), loader(VAL))
    for epoch in (0, 1):
        assert same(features, watch.features[epoch])
        assert same(statistics, watch.statistics[epoch])
    assert not same(watch.heads[0], watch.heads[1])
    # Frozen parameters have no gradients either.
    assert watch.gradients[0] == watch.gradients[1] == set(watch.heads[0])
    assert watch.gradients[2] == set(dict(model.network.named_parameters()))
    assert not same(features, watch.features[2])
    assert not any(torch.equal(statistics[key], watch.statistics[2][key]) for key in statistics)


def test_a_frozen_backbone_keeps_its_dropout() -> None:
    for backbone in ("squeezenet1_1", TINY):
        model = make(backbone, dropout=0.5, freeze_epochs=1)
        if backbone == "squeezenet1_1":
            # Above the ReLU that follows the head's convolution, which could set every logit to zero.
            model.network.classifier[1].bias.data.fill_(3)
        model._frozen = True
        model.train()
        images = torch.randint(0, 256, (1, 3, 64, 64), dtype=torch.uint8)
        with torch.no_grad():
            assert len({tuple(model(images).flatten().tolist()) for _ in range(8)}) > 1


def test_the_learning_rate_warms_up_and_reaches_zero(
    loader: Loader, make_trainer: MakeTrainer, tmp_path: Path
) -> None:
    rates: list[float] = []

    class Rates(lightning.Callback):
        def on_train_batch_start(self, trainer: lightning.Trainer, *_: Any) -> None:
            rates.append(trainer.optimizers[0].param_groups[1]["lr"])

    trainer = make_trainer(max_epochs=4, callbacks=[Rates()], logger=CSVLogger(tmp_path), log_every_n_steps=1)
    trainer.fit(make(learning_rate=0.1, warmup_epochs=1), loader(TRAIN), loader(VAL))
    assert rates[:4] == pytest.approx([0.1 / 3, 0.2 / 3, 0.1, 0.1])
    assert all(later < earlier for earlier, later in pairwise(rates[3:]))
    assert 0 < rates[-1] < 0.01
    assert trainer.optimizers[0].param_groups[0]["lr"] == pytest.approx(0, abs=1e-12)
    assert float(trainer.logged_metrics["train/learning_rate"]) == pytest.approx(
        np.mean(rates[-3:]), rel=1e-5
    )


def test_a_warm_up_as_long_as_the_training_is_logged(
    loader: Loader, make_trainer: MakeTrainer, caplog: pytest.LogCaptureFixture
) -> None:
    make_trainer(max_epochs=1).fit(make(warmup_epochs=1), loader(TRAIN))
    assert "classifier.warmup_epochs takes all 3 steps" in caplog.text


def test_training_without_max_epochs_is_refused(loader: Loader, make_trainer: MakeTrainer) -> None:
    with pytest.raises(ValueError, match=r"set trainer\.max_epochs"):
        make_trainer(max_epochs=-1).fit(make(), loader(TRAIN))


def test_training_separates_classes_that_differ_in_brightness(
    loader: Loader, make_trainer: MakeTrainer
) -> None:
    # Logistic regression on the mean colour, from zero: a convex problem with classes that lie far apart, so
    # the result depends neither on the initial weights nor on rounding.
    model = make(learning_rate=0.1, warmup_epochs=0)
    linear = torch.nn.Linear(3, 2)
    torch.nn.init.zeros_(linear.weight)
    torch.nn.init.zeros_(linear.bias)
    model.network = torch.nn.Sequential(torch.nn.AdaptiveAvgPool2d(1), torch.nn.Flatten(), linear)
    trainer = make_trainer(max_epochs=10)
    trainer.fit(model, loader([0, 1] * 16), loader(VAL))
    assert float(trainer.callback_metrics["val/auroc"]) == 1
    assert float(trainer.callback_metrics["train/auroc"]) == 1
    assert float(trainer.callback_metrics["val/accuracy"]) == 1


@pytest.mark.parametrize("backbone", [TINY, "test_resnet"])
def test_a_training_step_follows_the_gradient_of_the_loss(
    backbone: str, loader: Loader, make_trainer: MakeTrainer
) -> None:
    settings = {"optimizer": "sgd", "learning_rate": 0.1, "weight_decay": 0.0, "warmup_epochs": 0}
    model = make(backbone, **settings)
    by_hand = copy.deepcopy(model.network).train()
    [batch] = loader([0, 1, 1, 0])
    logits = by_hand(model.normalise(batch["image"]))
    torch.nn.functional.cross_entropy(logits, batch["target"]).backward()
    make_trainer(max_epochs=1).fit(model, loader([0, 1, 1, 0]))
    expected = {key: value.detach() - 0.1 * value.grad for key, value in by_hand.named_parameters()}
    torch.testing.assert_close({k: v.detach() for k, v in model.network.named_parameters()}, expected)
    assert any(bool(value.grad.any()) for value in by_hand.parameters())


def test_a_loss_that_is_not_finite_stops_the_training(loader: Loader, make_trainer: MakeTrainer) -> None:
    class Poison(lightning.Callback):
        def on_train_batch_start(self, trainer: lightning.Trainer, pl_module: Any, *_: Any) -> None:
            if trainer.global_step == 4:
                pl_module.network.fc.bias.data[0] = torch.nan

    with pytest.raises(
        NonFiniteLossError, match=r"train loss is nan in epoch 1, step 4 .*classifier\.learning_rate"
    ):
        make_trainer(max_epochs=3, callbacks=[Poison()]).fit(make(), loader(TRAIN), loader(VAL))
