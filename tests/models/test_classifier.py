import copy
import logging
from collections.abc import Callable, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import lightning
import numpy as np
import pytest
import torch
from lightning.pytorch.callbacks import ModelCheckpoint
from lightning.pytorch.loggers import CSVLogger
from omegaconf import OmegaConf
from safetensors.torch import save_file
from torch import Tensor
from torch.utils.data import DataLoader

from mds_lightning.models.backbones import build_backbone
from mds_lightning.models.backbones.heads import feature_parameters, head_parameters
from mds_lightning.models.classifier import NonFiniteLossError, SmearClassifier

Loader = Callable[[Sequence[int]], DataLoader[dict[str, Tensor]]]
MakeTrainer = Callable[..., lightning.Trainer]

TINY = "shufflenet_v2_x0_5"
CLASSES = ["donor", "MDS"]
TRAIN, VAL = [0, 1] * 6, [0, 1, 1, 0, 1]


def make(
    backbone: str = TINY, classes: Sequence[str] = CLASSES, seed: int = 0, **values: Any
) -> SmearClassifier:
    torch.manual_seed(seed)
    return SmearClassifier(backbone, classes, **values)


def features_of(model: SmearClassifier) -> dict[str, Tensor]:
    return {
        key: value.detach().clone() for key, value in feature_parameters(model.network, model.backbone.heads)
    }


def statistics_of(model: SmearClassifier) -> dict[str, Tensor]:
    return {key: value.clone() for key, value in model.network.named_buffers() if "running" in key}


def same(first: dict[str, Tensor], second: dict[str, Tensor]) -> bool:
    return all(torch.equal(first[key], second[key]) for key in first)


# --- What goes in and out


def test_images_are_normalised_inside_whatever_their_type() -> None:
    model = make().eval()
    images = torch.randint(0, 256, (2, 3, 40, 50), dtype=torch.uint8)
    by_hand = (images / 255 - torch.tensor([0.485, 0.456, 0.406]).view(3, 1, 1)) / torch.tensor(
        [0.229, 0.224, 0.225]
    ).view(3, 1, 1)
    torch.testing.assert_close(model.normalise(images), by_hand, rtol=0, atol=1e-5)
    with torch.no_grad():
        logits = model(images)
        assert torch.equal(logits, model(images.float()))
        assert torch.equal(logits, model.network(model.normalise(images)))
    assert logits.shape == (2, 2)
    assert logits.dtype == torch.float32


def test_logits_are_float32_under_bfloat16() -> None:
    model = make().eval()
    with torch.autocast("cpu", dtype=torch.bfloat16), torch.no_grad():
        assert model(torch.zeros(1, 3, 32, 32, dtype=torch.uint8)).dtype == torch.float32


def test_timm_s_own_normalisation_is_used() -> None:
    model = make("test_vit", CLASSES)
    assert model.backbone.mean == (0.5, 0.5, 0.5)
    assert torch.equal(model.normalise(torch.full((1, 3, 2, 2), 255.0)), torch.ones(1, 3, 2, 2))


def test_a_backbone_of_one_input_size_says_so() -> None:
    model = make("test_vit", CLASSES).eval()
    assert model(torch.zeros(1, 3, 160, 160, dtype=torch.uint8)).shape == (1, 2)
    with pytest.raises(
        ValueError, match=r"160x160 pixels only, not 96x128: set data\.image_size=\[160,160\]"
    ):
        model(torch.zeros(1, 3, 96, 128, dtype=torch.uint8))


def test_a_backbone_that_gives_more_than_logits_is_refused() -> None:
    class Pair(torch.nn.Module):
        def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
            return images, images

    model = make()
    model.network = Pair()
    with pytest.raises(ValueError, match=f"{TINY} returns more than logits"):
        model(torch.zeros(1, 3, 8, 8))


def test_predictions_are_rows_and_probabilities(loader: Loader, make_trainer: MakeTrainer) -> None:
    model = make(classes=["a", "b", "c"])
    several = make_trainer().predict(model, [loader([0, 1, 2, 0, 1]), loader([2])])
    assert several is not None
    (first, rest), (other,) = several
    assert torch.cat([first["row"], rest["row"]]).tolist() == [0, 1, 2, 3, 4]
    assert other["row"].tolist() == [0]
    assert first["probabilities"].shape == (4, 3)
    assert first["probabilities"].dtype == torch.float32
    torch.testing.assert_close(first["probabilities"].sum(dim=1), torch.ones(4))
    images = next(iter(loader([0, 1, 2, 0])))["image"]
    with torch.no_grad():
        torch.testing.assert_close(first["probabilities"], model.eval()(images).softmax(dim=1))


# --- What a checkpoint holds


def fit_with_checkpoints(
    model: SmearClassifier, loader: Loader, trainer_of: MakeTrainer, folder: Path, **settings: Any
) -> lightning.Trainer:
    checkpoint = ModelCheckpoint(
        folder, "best", monitor="val/auroc", mode="max", save_last=True, enable_version_counter=False
    )
    trainer = trainer_of(enable_checkpointing=True, callbacks=[checkpoint], **settings)
    trainer.fit(model, loader(TRAIN), loader(VAL))
    return trainer


def test_checkpoints_load_with_weights_only_for_test_resume_and_restore(
    loader: Loader, make_trainer: MakeTrainer, tmp_path: Path
) -> None:
    # What a configuration and NumPy hand over, rather than Python's own lists and numbers.
    given = OmegaConf.create({"classes": CLASSES, "learning_rate": 0.01, "optimizer": "sgd"})
    model = make(
        classes=given.classes,
        class_weights=np.array([1.0, 2.0]),
        learning_rate=np.float64(given.learning_rate),
        optimizer=given.optimizer,
    )
    trainer = fit_with_checkpoints(model, loader, make_trainer, tmp_path, max_epochs=2)
    saved = torch.load(tmp_path / "last.ckpt", weights_only=True)
    assert saved["hyper_parameters"] == {
        "backbone": TINY,
        "classes": CLASSES,
        "class_weights": [1.0, 2.0],
        "optimizer": "sgd",
        "learning_rate": 0.01,
        "weight_decay": 0.01,
        "momentum": 0.9,
        "warmup_epochs": 1.0,
        "label_smoothing": 0.0,
        "freeze_epochs": 0,
        "dropout": 0.0,
    }
    trainer.test(model, loader(VAL), ckpt_path="best")
    restored = SmearClassifier.load_from_checkpoint(tmp_path / "last.ckpt")
    assert restored.classes == tuple(CLASSES)
    assert all(torch.equal(value, saved["state_dict"][key]) for key, value in restored.state_dict().items())
    assert restored.class_weights is not None
    assert restored.class_weights.tolist() == [1.0, 2.0]
    resumed = make(optimizer="sgd", learning_rate=0.01)
    longer = make_trainer(max_epochs=3)
    longer.fit(resumed, loader(TRAIN), loader(VAL), ckpt_path=str(tmp_path / "last.ckpt"))
    assert longer.global_step == 9


def test_a_checkpoint_restores_without_the_weights_that_training_started_from(
    loader: Loader, make_trainer: MakeTrainer, tmp_path: Path
) -> None:
    weights = tmp_path / "weights.safetensors"
    source = build_backbone(TINY, 2)
    save_file(source.state_dict(), weights)
    model = make(seed=1, pretrained=True, weights=weights)
    assert same(
        features_of(model),
        {key: value.detach() for key, value in source.named_parameters() if "fc" not in key},
    )
    fit_with_checkpoints(model, loader, make_trainer, tmp_path)
    weights.unlink()
    restored = SmearClassifier.load_from_checkpoint(tmp_path / "best.ckpt")
    assert same(features_of(model), features_of(restored))


@pytest.mark.parametrize(
    ("changed", "named"),
    [({"classes": ["MDS", "donor"]}, "classes"), ({"backbone": "shufflenet_v2_x1_0"}, "backbone")],
)
def test_going_on_with_another_task_or_network_is_refused(
    changed: dict[str, Any], named: str, loader: Loader, make_trainer: MakeTrainer, tmp_path: Path
) -> None:
    fit_with_checkpoints(make(), loader, make_trainer, tmp_path)
    with pytest.raises(ValueError, match=f"trained with {named}"):
        make_trainer(max_epochs=2).fit(make(**changed), loader(TRAIN), ckpt_path=str(tmp_path / "last.ckpt"))


def test_a_resumed_run_takes_the_same_steps(
    loader: Loader, make_trainer: MakeTrainer, tmp_path: Path
) -> None:
    whole = make(freeze_epochs=2)
    make_trainer(max_epochs=4).fit(whole, loader(TRAIN), loader(VAL))
    for stop in (1, 3):  # while the backbone is held, and after it was let go

        class Stop(lightning.Callback):
            def on_train_epoch_end(self, trainer: lightning.Trainer, *_: Any, at: int = stop) -> None:
                trainer.should_stop = trainer.current_epoch + 1 == at

        checkpoint = ModelCheckpoint(tmp_path / str(stop), save_last=True, enable_version_counter=False)
        make_trainer(max_epochs=4, enable_checkpointing=True, callbacks=[Stop(), checkpoint]).fit(
            make(freeze_epochs=2), loader(TRAIN), loader(VAL)
        )
        part = make(seed=9, freeze_epochs=2)
        trainer = make_trainer(max_epochs=4)
        trainer.fit(part, loader(TRAIN), loader(VAL), ckpt_path=str(tmp_path / str(stop) / "last.ckpt"))
        assert trainer.global_step == 12
        assert same(dict(whole.state_dict()), dict(part.state_dict()))


# --- How it learns


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
def test_a_held_backbone_does_not_move_until_it_is_let_go(
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
    # What is held costs no backward pass either.
    assert watch.gradients[0] == watch.gradients[1] == set(watch.heads[0])
    assert watch.gradients[2] == set(dict(model.network.named_parameters()))
    assert not same(features, watch.features[2])
    assert not any(torch.equal(statistics[key], watch.statistics[2][key]) for key in statistics)


def test_a_held_backbone_still_has_dropout() -> None:
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


def test_the_rate_warms_up_and_reaches_zero(
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


def test_a_warm_up_of_the_whole_training_is_said(
    loader: Loader, make_trainer: MakeTrainer, caplog: pytest.LogCaptureFixture
) -> None:
    make_trainer(max_epochs=1).fit(make(warmup_epochs=1), loader(TRAIN))
    assert "classifier.warmup_epochs takes all 3 steps" in caplog.text


def test_training_without_an_end_is_refused(loader: Loader, make_trainer: MakeTrainer) -> None:
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


def test_a_loss_that_is_no_number_stops_the_run(loader: Loader, make_trainer: MakeTrainer) -> None:
    class Poison(lightning.Callback):
        def on_train_batch_start(self, trainer: lightning.Trainer, pl_module: Any, *_: Any) -> None:
            if trainer.global_step == 4:
                pl_module.network.fc.bias.data[0] = torch.nan

    with pytest.raises(
        NonFiniteLossError, match=r"train loss is nan in epoch 1, step 4 .*classifier\.learning_rate"
    ):
        make_trainer(max_epochs=3, callbacks=[Poison()]).fit(make(), loader(TRAIN), loader(VAL))


# --- What is logged


@pytest.mark.parametrize("classes", [CLASSES, ["donor", "AML", "MDS"]])
def test_every_stage_logs_every_metric(classes: list[str], loader: Loader, make_trainer: MakeTrainer) -> None:
    targets = [*range(len(classes))] * 2
    model, trainer = make(classes=classes), make_trainer(num_sanity_val_steps=1)
    trainer.fit(model, loader(targets), loader(targets))
    logged = set(trainer.callback_metrics)
    trainer.test(model, loader(targets))
    logged |= set(trainer.callback_metrics)
    names = {"loss", "auroc", "accuracy", "f1"}
    names |= {f"{metric}_{label}" for metric in ("precision", "recall") for label in classes}
    expected = {f"{stage}/{name}" for stage in ("train", "val", "test") for name in names}
    assert logged == expected | {"train/learning_rate"}


def test_logged_values_are_those_of_all_images(loader: Loader, make_trainer: MakeTrainer) -> None:
    model, trainer = make(), make_trainer()
    trainer.test(model, loader(VAL))
    predicted = trainer.predict(model, loader(VAL))
    assert predicted is not None
    probability = torch.cat([batch["probabilities"] for batch in predicted])[:, 1].numpy()
    positive, negative = probability[np.array(VAL) == 1], probability[np.array(VAL) == 0]
    pairs = np.sign(positive[:, None] - negative[None, :])
    trainer.test(model, loader(VAL))
    assert float(trainer.callback_metrics["test/auroc"]) == pytest.approx(((pairs + 1) / 2).mean())


def test_a_class_absent_from_validation_leaves_auroc_undefined_and_says_so(
    loader: Loader, make_trainer: MakeTrainer, caplog: pytest.LogCaptureFixture
) -> None:
    trainer = make_trainer()
    with caplog.at_level(logging.WARNING):
        trainer.fit(make(), loader(TRAIN), loader([0, 0, 0]))
    assert torch.isnan(trainer.callback_metrics["val/auroc"])
    assert "val/auroc is undefined in epoch 0: no ['MDS'] image" in caplog.text


# --- What is refused


@pytest.mark.parametrize(
    ("values", "named"),
    [
        ({"classes": ["MDS"]}, "give two or more"),
        ({"classes": ["MDS", "MDS"]}, "each once"),
        ({"class_weights": [1.0]}, "class_weights"),
        ({"class_weights": [1.0, 0.0]}, "class_weights"),
        ({"class_weights": [1.0, float("nan")]}, "class_weights"),
        ({"optimizer": "lion"}, r"classifier\.optimizer"),
        ({"backbone": "resnet19"}, "did you mean .*resnet18"),
    ],
)
def test_wrong_values_are_named(values: dict[str, Any], named: str) -> None:
    with pytest.raises(ValueError, match=named):
        make(**values)


def test_an_unknown_hyperparameter_is_refused() -> None:
    with pytest.raises(TypeError, match="learning_rat"):
        make(learning_rat=0.1)
