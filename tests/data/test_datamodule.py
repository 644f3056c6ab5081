from functools import partial

import lightning
import pytest
import torch
from lightning.pytorch.callbacks import ModelCheckpoint
from torch.utils.data import DataLoader

from mds_lightning.data.augmentation import AugmentationParameters
from mds_lightning.data.datamodule import SmearDataModule
from mds_lightning.data.loading_parameters import LoadingParameters


@pytest.fixture
def make_datamodule(cohort, task, folds):
    def make(fold=0, sampling="balanced", **loading):
        parameters = LoadingParameters(**{"size": (32, 48), "batch_size": 4} | loading)
        augmentation = AugmentationParameters(crop=0.5, flips=True)
        return SmearDataModule(cohort, task, folds.fold(fold), parameters, augmentation, sampling, seed=0)

    return make


def _rows(loader):
    return [row for batch in loader for row in batch["row"].tolist()]


def test_fit_cannot_reach_a_test_or_external_image(make_datamodule, cohort):
    datamodule = make_datamodule()
    datamodule.setup("fit")
    with pytest.raises(KeyError):
        datamodule.test_dataloader()
    reached = set(_rows(datamodule.train_dataloader())) | set(_rows(datamodule.val_dataloader()))
    patients = set(cohort.table.loc[sorted(reached), "patient_id"])
    assert patients == set(datamodule.fold.train) | set(datamodule.fold.val)
    assert not patients & set(datamodule.fold.test)
    assert not cohort.table.loc[sorted(reached), "external"].any()


def test_prediction_covers_validation_test_and_external_images_once(make_datamodule):
    datamodule = make_datamodule()
    datamodule.setup("predict")
    rows = [row for loader in datamodule.predict_dataloader() for row in _rows(loader)]
    assert sorted(rows) == sorted(
        datamodule.rows("val") + datamodule.rows("test") + datamodule.rows("external")
    )
    assert len(rows) == len(set(rows))
    assert set(datamodule.describe(rows)["split"]) == {"val", "test", "external"}


def test_every_internal_image_is_tested_in_exactly_one_fold(make_datamodule, cohort):
    tested = sorted(row for fold in range(5) for row in make_datamodule(fold).rows("test"))
    assert tested == cohort.table.index[~cohort.table["external"]].tolist()


def test_a_batch_has_the_requested_size_and_its_targets(make_datamodule, cohort):
    datamodule = make_datamodule()
    datamodule.setup("fit")
    batch = next(iter(datamodule.train_dataloader()))
    assert batch["image"].shape == (4, 3, 32, 48)
    assert batch["image"].dtype == torch.uint8
    labels = cohort.table.loc[batch["row"].tolist(), "label"]
    assert batch["target"].tolist() == [int(label == "MDS") for label in labels]


def test_balanced_epochs_contain_both_classes_equally(make_datamodule):
    datamodule = make_datamodule(batch_size=1)
    datamodule.setup("fit")
    targets = [int(batch["target"]) for batch in datamodule.train_dataloader()]
    assert targets.count(0) == targets.count(1) == len(targets) / 2


def test_the_loss_is_weighted_only_if_requested(make_datamodule):
    assert make_datamodule(sampling="balanced").class_weights() is None
    donor, mds = make_datamodule(sampling="weighted_loss").class_weights()
    assert donor > 1 > mds


def test_a_single_image_equals_the_network_input(make_datamodule):
    datamodule = make_datamodule()
    datamodule.setup("test")
    batch = next(iter(datamodule.test_dataloader()))
    assert torch.equal(datamodule.image(int(batch["row"][0])), batch["image"][0])


def test_worker_processes_change_no_byte_in_any_epoch(make_datamodule):
    loaders = []
    for workers in (0, 2):
        datamodule = make_datamodule(num_workers=workers)
        datamodule.setup("fit")
        loaders.append(datamodule.train_dataloader())
    epochs = []
    for epoch in range(3):
        for loader in loaders:
            loader.sampler.set_epoch(epoch)
        alone, helped = ([*loader] for loader in loaders)
        for one, other in zip(alone, helped, strict=True):
            assert torch.equal(one["image"], other["image"])
            assert torch.equal(one["row"], other["row"])
        epochs.append(torch.cat([batch["image"] for batch in alone]))
    assert not torch.equal(epochs[0], epochs[1])
    assert not torch.equal(epochs[1], epochs[2])


class Watch(lightning.LightningModule):
    """Learns nothing, and remembers the images of every training step."""

    def __init__(self):
        super().__init__()
        self.layer = torch.nn.Linear(1, 1)
        self.seen = []

    def training_step(self, batch, batch_idx):
        self.seen.append((self.current_epoch, batch["row"].tolist(), batch["image"].clone()))
        return self.layer(torch.ones(1, 1)).sum()

    def validation_step(self, batch, batch_idx):
        pass

    def configure_optimizers(self):
        assert self.trainer.estimated_stepping_batches  # makes Lightning iterate over the loader
        return torch.optim.SGD(self.parameters(), 0.1)


def _watch(datamodule, folder, epochs, resumed=None):
    checkpoint = ModelCheckpoint(folder, "{epoch}", enable_version_counter=False)
    trainer = lightning.Trainer(
        accelerator="cpu", max_epochs=epochs, limit_train_batches=3, limit_val_batches=0, logger=False,
        callbacks=[checkpoint], enable_progress_bar=False, enable_model_summary=False,
    )  # fmt: skip
    model = Watch()
    trainer.fit(model, datamodule=datamodule, ckpt_path=resumed)
    return model.seen


@pytest.mark.parametrize(
    ("method", "persistent", "epochs"), [("fork", True, 3), ("fork", False, 3), ("spawn", True, 2)]
)
def test_a_continued_run_is_given_the_same_images_by_workers(
    make_datamodule, tmp_path, monkeypatch, method, persistent, epochs
):
    whole = _watch(make_datamodule(), tmp_path, epochs)
    _watch(make_datamodule(), tmp_path, 1)
    loader = partial(DataLoader, multiprocessing_context=method)
    monkeypatch.setattr(
        "mds_lightning.data.datamodule.DataLoader",
        lambda *given, **named: loader(*given, **{**named, "persistent_workers": persistent}),
    )
    continued = _watch(make_datamodule(num_workers=2), tmp_path, epochs, tmp_path / "epoch=0.ckpt")
    assert len(continued) == 3 * (epochs - 1)
    for (epoch, rows, images), (same_epoch, same_rows, same_images) in zip(whole[3:], continued, strict=True):
        assert (epoch, rows) == (same_epoch, same_rows)
        assert torch.equal(images, same_images)


def test_a_class_whose_validation_images_are_all_skipped_is_refused(make_datamodule, cohort):
    datamodule = make_datamodule()
    datamodule.refuse_missing_classes()
    labels = cohort.table["label"]
    datamodule.skipped = frozenset(row for row in datamodule.rows("val") if labels[row] == "MDS")
    with pytest.raises(ValueError, match=r"fold 0 has no validation image of class 'MDS'.*skipped\.csv"):
        datamodule.refuse_missing_classes()
