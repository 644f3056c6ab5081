from pathlib import Path
from typing import Any

import lightning
import numpy as np
import pytest
import torch
from lightning.pytorch.callbacks import ModelCheckpoint
from omegaconf import OmegaConf
from safetensors.torch import save_file

from mds_lightning.models.backbones import build_backbone
from mds_lightning.models.classifier import SmearClassifier

from .small_classifier import CLASSES, TINY, TRAIN, VAL, Loader, MakeTrainer, features_of, make, same


def fit_with_checkpoints(
    model: SmearClassifier, loader: Loader, trainer_of: MakeTrainer, folder: Path, **settings: Any
) -> lightning.Trainer:
    checkpoint = ModelCheckpoint(
        folder, "best", monitor="val/auroc", mode="max", save_last=True, enable_version_counter=False
    )
    trainer = trainer_of(enable_checkpointing=True, callbacks=[checkpoint], **settings)
    trainer.fit(model, loader(TRAIN), loader(VAL))
    return trainer


def test_checkpoints_load_with_weights_only(
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


def test_a_checkpoint_is_restored_without_the_initial_weights(
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
def test_resuming_with_another_task_or_network_is_refused(
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
    for stop in (1, 3):  # while the backbone is frozen, and after that

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
