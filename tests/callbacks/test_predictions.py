"""From tiles to one row an image, with the rooms put together as `train` does."""

import lightning
import numpy as np
import pandas as pd
import pytest
import torch
from lightning.pytorch.callbacks import ModelCheckpoint
from PIL import Image

from mds_lightning.callbacks.occlusion_maps import OcclusionMaps
from mds_lightning.callbacks.predictions import PredictionWriter
from mds_lightning.callbacks.step_seed import StepSeed
from mds_lightning.cohort.folds import load_or_make_folds
from mds_lightning.cohort.manifest import read_cohort
from mds_lightning.cohort.split_parameters import SplitParameters
from mds_lightning.cohort.task import Task
from mds_lightning.data.augmentation import AugmentationParameters
from mds_lightning.data.datamodule import SmearDataModule
from mds_lightning.data.decode import decode_image
from mds_lightning.data.loading_parameters import LoadingParameters
from mds_lightning.data.resize_spec import resize
from mds_lightning.models.classifier import SmearClassifier

TASK = Task("mds_vs_donor", ("donor", "MDS"))
SIZE = (32, 40)
#: Of fields of 64 x 80 pixels, and of one that is larger.
CORNERS = {
    (64, 80): [(top, left) for top in (0, 32) for left in (0, 40)],
    (70, 90): [(top, left) for top in (0, 19, 38) for left in (0, 25, 50)],
}


@pytest.fixture
def cohort(tmp_path):
    rows = []
    for patient in range(12):
        shape = (70, 90) if patient % 4 == 0 else (64, 80)
        pixels = np.random.default_rng(patient).integers(0, 256, (*shape, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(tmp_path / f"{patient}.png")
        rows.append((f"{patient}.png", f"P{patient}", ("donor", "MDS")[patient % 2], patient >= 10))
    columns = ["image", "patient_id", "label", "external"]
    pd.DataFrame(rows, columns=columns).to_csv(tmp_path / "manifest.csv", index=False)
    return read_cohort(tmp_path / "manifest.csv", TASK)


@pytest.fixture
def make(cohort, tmp_path):
    """A classifier and the data of fold 0 under a view."""
    folds = load_or_make_folds(tmp_path / "folds.json", cohort, SplitParameters(n_splits=2))

    def make(view):
        loading = LoadingParameters(size=SIZE, batch_size=3, view=view)
        augmentation = AugmentationParameters(crop=0.5, flips=True, rotation=10)
        datamodule = SmearDataModule(cohort, TASK, folds.fold(0), loading, augmentation, "balanced", seed=1)
        torch.manual_seed(0)
        model = SmearClassifier("squeezenet1_1", TASK.classes, dropout=0.3, learning_rate=1e-3)
        # Random weights give nearly equal probabilities: scale them, above the last ReLU.
        head = model.network.classifier[1]
        head.weight.data.mul_(20)
        head.bias.data.fill_(3)
        # Equal probabilities for one field: others are near, where probabilities change most with the logits.
        with torch.no_grad():
            donor, mds = model.eval()(datamodule.image(0)[None])[0]
        head.bias.data += torch.stack([(mds - donor).relu(), (donor - mds).relu()])
        return model.train(), datamodule

    return make


def make_trainer(folder, *callbacks, **settings):
    return lightning.Trainer(
        accelerator="cpu", logger=False, callbacks=[*callbacks], default_root_dir=folder,
        enable_progress_bar=False, enable_model_summary=False, num_sanity_val_steps=0, deterministic=True,
        use_distributed_sampler=False, enable_checkpointing=bool(settings), **settings,
    )  # fmt: skip


def say(model, images):
    stacked = torch.from_numpy(np.stack(images)).permute(0, 3, 1, 2)
    with torch.no_grad():
        return model.eval()(stacked).softmax(1).double().mean(0).numpy()


def test_a_prediction_is_the_mean_over_the_tiles_cut_by_hand(make, cohort, tmp_path):
    tables = {}
    for view in ("whole", "tiles", "multi_scale"):
        model, datamodule = make(view)
        path = tmp_path / view / "predictions.parquet"
        path.parent.mkdir()
        # In double precision, batches of other sizes differ by less than the file's single precision.
        trainer = make_trainer(tmp_path, PredictionWriter(path), precision="64-true")
        trainer.predict(model, datamodule=datamodule)
        tables[view] = pd.read_parquet(path)
    expected_rows = sorted(row for split in ("val", "test", "external") for row in datamodule.rows(split))
    for record in zip(*(table.to_dict("records") for table in tables.values()), strict=True):
        whole, tiled, both = ([one["prob_donor"], one["prob_MDS"]] for one in record)
        field = decode_image(cohort.path(record[0]["image"]))
        corners = CORNERS[field.shape[:2]]
        by_hand = say(model, [field[top : top + 32, left : left + 40] for top, left in corners])
        of_whole = say(model, [resize(field, SIZE)])
        np.testing.assert_allclose(tiled, by_hand, atol=1e-6)
        np.testing.assert_allclose(whole, of_whole, atol=1e-6)
        np.testing.assert_allclose(both, (by_hand + of_whole) / 2, atol=1e-6)
        assert np.abs(by_hand - of_whole).max() > 1e-4
    for table in tables.values():
        assert table["image"].tolist() == cohort.table.loc[expected_rows, "image"].tolist()
        assert (table.dtypes[["prob_donor", "prob_MDS"]] == np.float32).all()


@pytest.mark.parametrize("view", ["tiles", "multi_scale"])
def test_a_run_continued_from_a_checkpoint_repeats_exactly(make, view, tmp_path):
    def checkpoints():
        return ModelCheckpoint(
            tmp_path / "checkpoints", "{epoch}", save_top_k=-1, enable_version_counter=False
        )

    model, datamodule = make(view)
    make_trainer(tmp_path, StepSeed(5), checkpoints(), max_epochs=2).fit(model, datamodule=datamodule)
    again, same = make(view)
    begun = tmp_path / "checkpoints" / "epoch=0.ckpt"
    trainer = make_trainer(tmp_path, StepSeed(5), max_epochs=2)
    trainer.fit(again, datamodule=same, ckpt_path=begun)
    assert trainer.current_epoch == 2
    before = torch.load(begun, weights_only=True)["state_dict"]
    for key, value in again.state_dict().items():
        assert torch.equal(value, model.state_dict()[key])
    assert not torch.equal(before["network.classifier.1.weight"], again.network.classifier[1].weight)


def test_maps_are_of_the_whole_field(make, tmp_path):
    model, datamodule = make("multi_scale")
    maps = OcclusionMaps(tmp_path / "occlusion", images=2, parameters={"window": 0.5, "stride": 0.5})
    make_trainer(tmp_path, maps).test(model, datamodule=datamodule, verbose=False)
    writer = PredictionWriter(tmp_path / "predictions.parquet")
    make_trainer(tmp_path, writer).predict(model, datamodule=datamodule)
    rows = pd.read_parquet(tmp_path / "predictions.parquet").set_index("image")
    files = sorted((tmp_path / "occlusion").glob("*.npz"))
    assert len(files) == 2
    for file in files:
        with np.load(file) as arrays:
            record = rows.loc[str(arrays["image"])]
            expected = [record["prob_donor"], record["prob_MDS"]]
            np.testing.assert_allclose(arrays["probabilities"], expected, atol=1e-6)
            assert arrays["importance"].shape == (2, *SIZE)
            assert arrays["drops"].shape == (2, 2, 2)
            assert np.abs(arrays["drops"]).max() > 1e-3
