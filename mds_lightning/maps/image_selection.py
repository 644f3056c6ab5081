"""Which images are explained with a fold's model, and how their files are called."""

import hashlib
import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Sequence
from pathlib import PurePosixPath
from typing import Any

import torch
from torch import Tensor

from mds_lightning.maps.explained_image import ExplainedImage

#: Training images from which the mean colour is computed for `baseline=mean`.
_MEAN_IMAGES = 64
#: Maps per fold that are tested by deletion and insertion curves unless a number is given.
_MEASURED = 4


def choose_rows(datamodule: Any, images: int) -> list[int]:
    """Rows of the fold's test split to explain, in the cohort's order.

    Args:
        datamodule: A `SmearDataModule`.
        images: How many, the same number of every class (the remainder goes to the first classes); -1: all.

    Returns:
        The same rows in every run: within a class they are chosen by a hash of the image's name, which
        depends neither on the order of the manifest nor on its folders.
    """
    rows: list[int] = datamodule.rows("test")
    if images == -1:
        return rows
    table = datamodule.describe(rows)
    names, targets = [str(name) for name in table["image"]], [int(target) for target in table["target"]]
    return sorted(rows[position] for position in _balance(names, targets, images))


def choose_measured(images: Sequence[ExplainedImage], number: int | None, has_crops: bool) -> set[str]:
    """Names of the images whose maps get deletion and insertion curves.

    Args:
        images: All that are explained.
        number: `explain.faithfulness`.
        has_crops: Whether images are classified crop by crop; by default none of these is measured.
    """
    if number == -1:
        return {one.image for one in images}
    if number is None:
        number = 0 if has_crops else _MEASURED
    names = [one.image for one in images]
    return {names[position] for position in _balance(names, [one.target for one in images], number)}


def _balance(names: Sequence[str], targets: Sequence[int], number: int) -> list[int]:
    """Positions of at most `number` images, taken from the classes in turn, in the order of their hashes."""
    queues: dict[int, list[int]] = defaultdict(list)
    for position, target in enumerate(targets):
        queues[target].append(position)
    for queue in queues.values():
        queue.sort(key=lambda position: (_hash(names[position]), names[position]))
    # A class without further images is skipped.
    turns = (
        queue[turn] for turn in range(len(names)) for _, queue in sorted(queues.items()) if turn < len(queue)
    )
    return [position for position, _ in zip(turns, range(number), strict=False)]


def describe_images(datamodule: Any, rows: Sequence[int]) -> list[ExplainedImage]:
    """Records of images of the fold's test split or of the external cohort.

    Raises:
        ValueError: The fold's model was trained or chosen on a patient (see `refuse_seen_images`).
    """
    refuse_seen_images(datamodule, rows)
    table = datamodule.describe(rows)
    return [
        ExplainedImage(
            str(record["image"]),
            int(record["fold"]),
            "external" if record["split"] == "external" else "test",
            row,
            int(record["target"]),
            str(record["label"]),
        )
        for row, record in zip(rows, table.to_dict("records"), strict=True)
    ]


def refuse_seen_images(datamodule: Any, rows: Iterable[int]) -> None:
    """Raise if the fold's model was trained or chosen on the patient of an image.

    Raises:
        ValueError: It was; names the images and the remedy.
    """
    allowed = {*datamodule.rows("test"), *datamodule.rows("external")}
    seen = [row for row in rows if row not in allowed]
    if seen:
        names = ", ".join(map(str, datamodule.cohort.table.loc[seen, "image"]))
        raise ValueError(
            f"fold {datamodule.fold.index} cannot explain {names}: its model was trained or chosen on that "
            "patient; take the model of the fold in which the patient is in the test set"
        )


def mean_colour(datamodule: Any) -> Tensor:
    """Mean colour, shape (3,), 0..255, of up to 64 training images, chosen by a hash of their names."""
    rows: list[int] = datamodule.rows("train")
    names = datamodule.cohort.table.loc[rows, "image"]
    chosen = [row for _, row in sorted(zip(map(_hash, names), rows, strict=True))][:_MEAN_IMAGES]
    return torch.stack([datamodule.image(row).float().mean((1, 2)) for row in chosen]).mean(0)


def file_name(image: str) -> str:
    """A file name without extension for an image of the manifest: readable, portable and unique.

    `images/a b/ü.jpg` becomes `images-a_b-ü-` and eight hexadecimal digits of its hash, so that no two images
    have the same name, even on case-insensitive file systems or where only the extensions differ.
    """
    parts = PurePosixPath(unicodedata.normalize("NFC", image)).with_suffix("").parts
    readable = "-".join(re.sub(r"[^\w.]+", "_", part).strip("._") for part in parts)
    # Most file systems allow 255 bytes; the end of a path is more specific than its beginning.
    short = readable.encode()[-160:].decode(errors="ignore").strip("-._")
    return f"{short}-{_hash(image)[:8]}"


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
