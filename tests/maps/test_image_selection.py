from types import SimpleNamespace

import pandas as pd
import pytest
import torch

from mds_lightning.maps.explained_image import ExplainedImage
from mds_lightning.maps.image_selection import (
    choose_measured,
    choose_rows,
    describe_images,
    file_name,
    mean_colour,
    refuse_seen_images,
)


class DataModule:
    """Twelve images: rows 0..5 train, 6..9 test (one of class B), 10 val, 11 external."""

    def __init__(self, names=None) -> None:
        names = names or [f"images/a b/ü{row}.jpg" for row in range(12)]
        labels = ["A", "B"] * 3 + ["A", "A", "B", "A", "B", "A"]
        self.task = SimpleNamespace(classes=("A", "B"))
        self.fold = SimpleNamespace(index=3)
        self.cohort = SimpleNamespace(table=pd.DataFrame({"image": names, "label": labels}))
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


def test_classes_take_turns_in_any_order_of_the_manifest():
    datamodule = DataModule()
    assert choose_rows(datamodule, 2) == [
        row for row in choose_rows(datamodule, 3) if row in choose_rows(datamodule, 2)
    ]
    assert 8 in choose_rows(datamodule, 2)
    assert len(choose_rows(datamodule, 3)) == 3
    assert choose_rows(datamodule, 99) == [6, 7, 8, 9]
    names = datamodule.cohort.table["image"].tolist()
    names[6], names[9] = names[9], names[6]
    swapped = DataModule(names)
    chosen = [{d.cohort.table["image"][row] for row in choose_rows(d, 2)} for d in (datamodule, swapped)]
    assert chosen[0] == chosen[1]


@pytest.mark.parametrize("row", [0, 10])
def test_an_image_the_model_has_seen_is_refused(row):
    with pytest.raises(ValueError, match=f"fold 3 cannot explain images/a b/ü{row}.jpg"):
        refuse_seen_images(DataModule(), [6, row])


def test_held_out_images_are_not_refused():
    held_out = DataModule()
    refuse_seen_images(held_out, [6, 9, 11])
    with pytest.raises(ValueError, match="cannot explain"):
        refuse_seen_images(held_out, [6, 9, 11, 0])


def test_mean_colour_is_that_of_the_training_images():
    datamodule = DataModule()
    expected = torch.stack([datamodule.image(row) for row in range(6)]).float().mean((0, 2, 3))
    torch.testing.assert_close(mean_colour(datamodule), expected)


def test_file_names_are_readable_safe_and_unique():
    names = [
        "images/a b/ü.jpg",
        "images/a b/ü.png",
        "images/a_b/ü.jpg",
        "images/A b/Ü.jpg",
        "images-a_b/ü.jpg",
        "...",
        "x" * 300 + "/" + "ü" * 200,
    ]
    made = [file_name(name) for name in names]
    assert made[0].startswith("images-a_b-ü-")
    assert len({name.lower() for name in made}) == len(names)
    assert all(len(name.encode()) < 200 and "/" not in name and not name.startswith(".") for name in made)


def test_images_are_described_by_their_relation_to_the_fold():
    test, external = describe_images(DataModule(), [8, 11])
    assert test == ExplainedImage("images/a b/ü8.jpg", 3, "test", 8, 1, "B")
    assert external == ExplainedImage("images/a b/ü11.jpg", 3, "external", 11, 0, "A")


def test_measured_images_are_taken_from_the_classes_in_turn():
    images = describe_images(DataModule(), [6, 7, 8, 9])
    assert "images/a b/ü8.jpg" in choose_measured(images, 2, has_crops=False)
    assert len(choose_measured(images, 3, has_crops=False)) == 3
    assert choose_measured(images, -1, has_crops=True) == {one.image for one in images}
    assert choose_measured(images, None, has_crops=False) == {one.image for one in images}
    assert choose_measured(images, None, has_crops=True) == set()
