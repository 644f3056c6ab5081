from types import SimpleNamespace

import lightning
import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image
from torch import nn
from torch.utils.data import DataLoader

from mds_lightning.callbacks.occlusion_maps import OcclusionMaps
from mds_lightning.maps.map_file import map_files, read_record


class Module(lightning.LightningModule):
    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.network = nn.Sequential(
            nn.Conv2d(3, 4, 3, 2), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 2)
        )

    def normalise(self, images):
        return images.float() / 255

    def forward(self, images):
        return self.network(self.normalise(images))

    def test_step(self, batch):
        self(batch)


class DataModule(lightning.LightningDataModule):
    """Twelve images: rows 0..5 train, 6..9 test (one of class B), 10 val, 11 external."""

    averages_crops = False

    def __init__(self, names=None) -> None:
        super().__init__()
        names = names or [f"images/a b/ü{row}.jpg" for row in range(12)]
        labels = ["A", "B"] * 3 + ["A", "A", "B", "A", "B", "A"]
        self.task = SimpleNamespace(classes=("A", "B"))
        self.fold = SimpleNamespace(index=3)
        self.cohort = SimpleNamespace(table=pd.DataFrame({"image": names, "label": labels}))
        self.loading = SimpleNamespace(batch_size=2, size=(32, 48))
        self.splits = {"train": range(6), "test": range(6, 10), "val": [10], "external": [11]}

    def rows(self, split):
        return [*self.splits[split]]

    def describe(self, rows):
        table = self.cohort.table.loc[list(rows)].reset_index(drop=True)
        split_of = {row: split for split, several in self.splits.items() for row in several}
        table["split"] = [split_of[row] for row in rows]
        return table.assign(fold=3, target=[self.task.classes.index(label) for label in table["label"]])

    def image(self, row):
        return torch.randint(
            0, 256, (3, 32, 48), generator=torch.Generator().manual_seed(row), dtype=torch.uint8
        )

    def test_dataloader(self):
        return DataLoader([self.image(row) for row in self.splits["test"]], batch_size=2)


def run(directory, datamodule=None, images=-1, limit=1.0, **parameters):
    callback = OcclusionMaps(directory, images, {"window": 16, "stride": 8} | parameters)
    trainer = lightning.Trainer(
        limit_test_batches=limit,
        accelerator="cpu",
        logger=False,
        callbacks=[callback],
        enable_progress_bar=False,
        enable_model_summary=False,
    )
    module = Module()
    trainer.test(module, datamodule=datamodule or DataModule(), verbose=False)
    return module


def test_testing_a_fold_writes_maps_and_pictures(tmp_path):
    module = run(tmp_path / "occlusion", images=2)
    written = sorted(path.name for path in (tmp_path / "occlusion").iterdir())
    assert len(written) == 4
    assert [name.rsplit(".", 1)[1] for name in written] == ["npz", "png"] * 2
    datamodule = DataModule()
    seen = set()
    for path in (tmp_path / "occlusion").glob("*.npz"):
        with np.load(path, allow_pickle=False) as file:
            arrays = {key: file[key] for key in file.files}
        assert arrays["importance"].shape == (2, 32, 48)
        assert arrays["importance"].dtype == np.float32
        assert arrays["importance"].min((1, 2)).tolist() == [0, 0]
        assert arrays["importance"].max((1, 2)).tolist() == [1, 1]
        assert arrays["drops"].shape == (2, 3, 5)
        assert (arrays["window"], arrays["stride"], arrays["fold"]) == (16, 8, 3)
        assert (arrays["baseline"], arrays["score"]) == ("background", "probability")
        row = int(arrays["row"])
        assert arrays["image"] == f"images/a b/ü{row}.jpg"
        seen.add(int(arrays["target"]))
        with torch.no_grad():
            expected = module(datamodule.image(row)[None]).softmax(1)[0].numpy()
        np.testing.assert_allclose(arrays["probabilities"], expected, atol=1e-6)
        assert arrays["class"] == "AB"[expected.argmax()]
        with Image.open(path.with_suffix(".png")) as picture:
            assert picture.width > picture.height
    assert seen == {0, 1}


def test_every_test_image_on_request_and_none_of_another_split(tmp_path):
    run(tmp_path, target="labelled", baseline="mean", score="logit")
    rows = sorted(int(np.load(path)["row"]) for path in tmp_path.glob("*.npz"))
    assert rows == [6, 7, 8, 9]
    assert all(
        str(np.load(path)["class"]) == "AB"[int(np.load(path)["target"])] for path in tmp_path.glob("*.npz")
    )


def test_maps_of_other_settings_are_removed_and_equal_ones_kept(tmp_path):
    run(tmp_path, images=2)
    before = {path: path.stat().st_mtime_ns for path in tmp_path.iterdir()}
    run(tmp_path, images=2)
    assert {path: path.stat().st_mtime_ns for path in tmp_path.iterdir()} == before
    run(tmp_path, images=1, stride=16)
    assert len([*tmp_path.glob("*.npz")]) == len([*tmp_path.glob("*.png")]) == 1


@pytest.mark.parametrize(("number", "expected"), [(None, 4), (0, 0), (2, 2), (-1, 4)])
def test_curves_are_measured_for_the_number_of_images_that_is_set(tmp_path, number, expected):
    run(tmp_path, faithfulness=number)
    records = [read_record(file) for file in map_files(tmp_path)]
    assert len(records) == 4
    assert sum(one.curves is not None for one in records) == expected


def test_curves_that_are_missing_are_added_later(tmp_path):
    run(tmp_path, faithfulness=0)
    run(tmp_path, faithfulness=1)
    records = [read_record(file) for file in map_files(tmp_path)]
    [measured] = [one for one in records if one.curves is not None]
    assert measured.curves.deletion[0] == pytest.approx(measured.probabilities[measured.shown], abs=1e-6)
    assert measured.curves.insertion[-1] == pytest.approx(measured.curves.deletion[0], abs=1e-6)


def test_no_image_on_request(tmp_path):
    run(tmp_path / "occlusion", images=0)
    assert not (tmp_path / "occlusion").exists()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"images": -2}, "-1 for all"),
        ({"parameters": {"target": "A"}}, "explain.target is 'A': choose one of predicted, labelled"),
    ],
)
def test_options_that_make_no_sense_are_refused(tmp_path, options, message):
    with pytest.raises(ValueError, match=message):
        OcclusionMaps(tmp_path, **options)
