"""Where the maps of a study look: on nuclei, on cells, on background, in boxes."""

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from rich import box
from rich.table import Table

from mds_lightning.cohort.image_files import existing_path
from mds_lightning.cohort.path_or_url import Folder
from mds_lightning.data.decode import decode_image, image_shape
from mds_lightning.explain.localization import Share, share_in_boxes, share_on_regions
from mds_lightning.studies.layout import RunDirectory
from mds_lightning.studies.manifest_rows import ManifestRows

#: Larger images are refused; they were decoded once already to be explained.
_MAX_PIXELS = 2**31


def measure_attention(runs: Sequence[RunDirectory], rows: ManifestRows) -> pd.DataFrame:
    """Share of every map's positive importance in the regions of its image's mask and boxes.

    The map of the class that was predicted counts, before it is scaled to 0..1: 0 is neutral there.

    Args:
        runs: Folds of one variant.
        rows: The study's manifest rows; without the columns mask and boxes nothing can be measured.

    Returns:
        A row a map and region: method, image, fold, label, class, region, importance (share, 0..1; NaN where
        no area matters), area (share, 0..1) and ratio (1: what a map that knows nothing would give).
    """
    annotated = rows.table.set_index("image")
    found = [
        record
        for run in runs
        for folder in run.explained().values()
        for file in sorted(folder.glob("*.npz"))
        for record in _measure_map(file, annotated, rows.root)
    ]
    columns = ["method", "image", "fold", "label", "class", "region", "importance", "area", "ratio"]
    return pd.DataFrame(found, columns=columns)


def summarise_attention(attention: pd.DataFrame) -> pd.DataFrame:
    """Means over the maps.

    Returns:
        A row a region: region, maps (number with any positive importance), importance, area, and their ratio.
    """
    defined = attention.dropna(subset="importance")
    means = defined.groupby("region", sort=False).agg(
        maps=("importance", "size"), importance=("importance", "mean"), area=("area", "mean")
    )
    return means.assign(ratio=means["importance"] / means["area"]).reset_index()


def show_attention(summary: pd.DataFrame, title: str) -> Table:
    """The summary for the terminal."""
    shown = Table("region", "maps", "importance", "area", "ratio", title=title, box=box.SIMPLE_HEAD)
    shown.title_justify = shown.caption_justify = "left"
    shown.caption = "share of the maps' positive importance against the region's share of the area"
    for record in summary.to_dict("records"):
        shares = (f"{record[key]:.1%}" for key in ("importance", "area"))
        shown.add_row(record["region"], str(record["maps"]), *shares, f"{record['ratio']:.2f}")
    return shown


def _measure_map(file: Path, annotated: pd.DataFrame, root: Folder) -> Iterator[dict[str, Any]]:
    with np.load(file, allow_pickle=False) as arrays:
        image = str(arrays["image"])
        row = annotated.loc[image].to_dict()
        for region, share in _shares(_unscaled(arrays), row, root, image).items():
            yield {
                **{
                    "method": file.parent.name,
                    "image": image,
                    "fold": int(arrays["fold"]),
                    "label": row["label"],
                },
                **{"class": str(arrays["class"]), "region": region},
                **{"importance": share.importance, "area": share.area, "ratio": share.ratio},
            }


def _shares(
    drops: NDArray[np.float32], row: Mapping[Any, Any], root: Folder, image: str
) -> Mapping[str, Share]:
    shares: dict[str, Share] = {}
    if row.get("mask"):
        mask = decode_image(existing_path(root, row["mask"]), _MAX_PIXELS)[:, :, 0]
        shares |= share_on_regions(drops, mask)
    boxes = json.loads(row["boxes"]) if row.get("boxes") else []
    if boxes:
        size = image_shape(existing_path(root, image), _MAX_PIXELS)
        shares["boxes"] = share_in_boxes(drops, boxes, size)
    return shares


def _unscaled(arrays: Mapping[str, NDArray[Any]]) -> NDArray[np.float32]:
    """The map of the class that was explained before it was scaled to 0..1, (H, W)."""
    shown = arrays["classes"].tolist().index(str(arrays["class"]))
    low, high = arrays["low"][shown], arrays["high"][shown]
    unscaled: NDArray[np.float32] = low + arrays["importance"][shown] * (high - low)
    return unscaled
