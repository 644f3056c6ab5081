"""Which images a fold's model may be asked about, which are chosen, and what their files are called."""

import hashlib
import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable
from pathlib import PurePosixPath
from typing import Any

import torch
from torch import Tensor

#: Training images from which the mean colour is taken for `baseline=mean`.
_MEAN_IMAGES = 64


def choose_rows(datamodule: Any, images: int) -> list[int]:
    """Rows of the fold's test split to explain, in the cohort's order.

    Args:
        datamodule: A `SmearDataModule`.
        images: How many, the same number of every class (the remainder goes to the first classes); -1: all.

    Returns:
        The same rows in every run: within a class they are chosen by a hash of the image's name, so that
        neither the order of the manifest nor its folders decide.
    """
    rows: list[int] = datamodule.rows("test")
    if images == -1:
        return rows
    queues: dict[int, list[int]] = defaultdict(list)
    table = datamodule.describe(rows)
    names = dict(zip(rows, table["image"], strict=True))
    for row, target in zip(rows, table["target"], strict=True):
        queues[int(target)].append(row)
    for queue in queues.values():
        queue.sort(key=lambda row: (_hash(names[row]), names[row]))
    # Classes take turns; one that has run out leaves its turn to the others.
    turns = (
        queue[turn] for turn in range(len(rows)) for _, queue in sorted(queues.items()) if turn < len(queue)
    )
    return sorted(row for row, _ in zip(turns, range(images), strict=False))


def refuse_seen_images(datamodule: Any, rows: Iterable[int]) -> None:
    """Raise if the fold's model was trained, or chosen, on an image's patient.

    Raises:
        ValueError: Names the images and the remedy.
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
    """A file name without extension for an image of the manifest: readable, safe anywhere, and its own.

    `images/a b/ü.jpg` becomes `images-a_b-ü-` and eight hexadecimal digits of its hash, so that no two images
    share a name, not even where capitals do not count or only the extensions differ.
    """
    parts = PurePosixPath(unicodedata.normalize("NFC", image)).with_suffix("").parts
    readable = "-".join(re.sub(r"[^\w.]+", "_", part).strip("._") for part in parts)
    # Most file systems stop at 255 bytes; the end of a path tells more than its beginning.
    short = readable.encode()[-160:].decode(errors="ignore").strip("-._")
    return f"{short}-{_hash(image)[:8]}"


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
