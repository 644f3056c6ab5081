import logging
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from .small_classifier import CLASSES, TINY, TRAIN, VAL, Loader, MakeTrainer, make


def test_images_of_either_type_are_normalised() -> None:
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


def test_timm_networks_use_the_normalisation_of_timm() -> None:
    model = make("test_vit", CLASSES)
    assert model.backbone.mean == (0.5, 0.5, 0.5)
    assert torch.equal(model.normalise(torch.full((1, 3, 2, 2), 255.0)), torch.ones(1, 3, 2, 2))


def test_other_sizes_than_a_fixed_input_size_are_refused() -> None:
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


@pytest.mark.parametrize("classes", [CLASSES, ["donor", "AML", "MDS"]])
def test_every_stage_logs_every_metric(classes: list[str], loader: Loader, make_trainer: MakeTrainer) -> None:
    targets = [*range(len(classes))] * 2
    model, trainer = make(classes=classes), make_trainer(num_sanity_val_steps=1)
    trainer.fit(model, loader(targets), loader(targets))
    logged = set(trainer.callback_metrics)
    trainer.test(model, loader(targets))
    logged |= set(trainer.callback_metrics)
    names = {"loss", "balanced_loss", "auroc", "accuracy", "f1"}
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


def test_auroc_is_undefined_and_logged_without_validation_images_of_a_class(
    loader: Loader, make_trainer: MakeTrainer, caplog: pytest.LogCaptureFixture
) -> None:
    trainer = make_trainer()
    with caplog.at_level(logging.WARNING):
        trainer.fit(make(), loader(TRAIN), loader([0, 0, 0]))
    assert torch.isnan(trainer.callback_metrics["val/auroc"])
    assert "val/auroc is undefined in epoch 0: no ['MDS'] image" in caplog.text


def test_a_single_image_is_validated_and_tested(loader: Loader, make_trainer: MakeTrainer) -> None:
    trainer = make_trainer()
    trainer.fit(make(), loader(TRAIN), loader([1]))
    assert float(trainer.callback_metrics["val/recall_MDS"]) in (0.0, 1.0)
    trainer.test(make(), loader([1]))
    assert float(trainer.callback_metrics["test/recall_MDS"]) in (0.0, 1.0)


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
def test_invalid_values_are_named(values: dict[str, Any], named: str) -> None:
    with pytest.raises(ValueError, match=named):
        make(**values)


def test_an_unknown_hyperparameter_is_refused() -> None:
    with pytest.raises(TypeError, match="learning_rat"):
        make(learning_rat=0.1)
