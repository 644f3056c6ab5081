"""Localization: how much importance the maps of a study put on nuclei, cells, background and boxes."""

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from rich import box
from rich.table import Table

from mds_lightning.cohort.image_files import file_inside
from mds_lightning.cohort.path_or_url import File, Folder
from mds_lightning.data.decode import decode_image, image_shape
from mds_lightning.explain.localization import RegionFraction, measure_boxes, measure_regions
from mds_lightning.maps.importance_map import ImportanceMap
from mds_lightning.maps.map_file import read_map
from mds_lightning.studies.manifest_rows import ManifestRows

#: Limit of decoding; these images were decoded before, when they were explained.
_MAX_PIXELS = 2**31


def measure_localization(files: Mapping[str, Sequence[Path]], rows: ManifestRows) -> pd.DataFrame:
    """Fraction of every map's positive importance in the regions of its image's mask and boxes.

    Measured on the map of the class that is drawn (see `explain.target`) before scaling, where 0 is neutral.

    Args:
        files: Method to map files, of all folds of one variant.
        rows: The study's manifest rows, with a column mask or boxes.

    Returns:
        A row for each map and region: method, image, fold, label, class, region, importance (fraction, 0..1;
        NaN where no importance is positive), area (fraction, 0..1) and ratio (importance / area; 1 for a map
        that is unrelated to the region).

    Raises:
        ValueError: A map is of an image that is not in the manifest, or a mask or image does not exist.
    """
    annotated = rows.table.set_index("image")
    found = [
        record
        for method, several in files.items()
        for file in several
        for record in _measure_map(method, read_map(file), annotated, rows.root)
    ]
    columns = ["method", "image", "fold", "label", "class", "region", "importance", "area", "ratio"]
    return pd.DataFrame(found, columns=columns)


def summarise_localization(localization: pd.DataFrame) -> pd.DataFrame:
    """Average over the maps.

    Returns:
        A row for each region: region, maps (number with any positive importance), importance, area and ratio.
    """
    defined = localization.dropna(subset="importance")
    means = defined.groupby("region", sort=False).agg(
        maps=("importance", "size"), importance=("importance", "mean"), area=("area", "mean")
    )
    return means.assign(ratio=means["importance"] / means["area"]).reset_index()


def show_localization(summary: pd.DataFrame, title: str) -> Table:
    """Format the summary for the terminal."""
    shown = Table("region", "maps", "importance", "area", "ratio", title=title, box=box.SIMPLE_HEAD)
    shown.title_justify = shown.caption_justify = "left"
    shown.caption = "fraction of the maps' positive importance, fraction of the area, and their ratio"
    for record in summary.to_dict("records"):
        fractions = (f"{record[key]:.1%}" for key in ("importance", "area"))
        shown.add_row(record["region"], str(record["maps"]), *fractions, f"{record['ratio']:.2f}")
    return shown


def _measure_map(
    method: str, one: ImportanceMap, annotated: pd.DataFrame, root: Folder
) -> Iterator[dict[str, Any]]:
    if one.image not in annotated.index:
        raise ValueError(
            f"{one.file} is a map of '{one.image}', which is not in the manifest: delete it, and run "
            "mds-lightning explain to compute the maps of the study"
        )
    row = annotated.loc[one.image].to_dict()
    name = one.classes[one.shown]
    for region, found in _measure_regions(one.unscaled(name), row, root, one.image).items():
        yield {
            "method": method,
            "image": one.image,
            "fold": one.fold,
            "label": row["label"],
            "class": name,
            "region": region,
            "importance": found.importance,
            "area": found.area,
            "ratio": found.ratio,
        }


def _measure_regions(
    importance: NDArray[np.float32], row: Mapping[Any, Any], root: Folder, image: str
) -> Mapping[str, RegionFraction]:
    found: dict[str, RegionFraction] = {}
    if row.get("mask"):
        mask = decode_image(_require(root, row["mask"]), _MAX_PIXELS)[:, :, 0]
        found |= measure_regions(importance, mask)
    boxes = json.loads(row["boxes"]) if row.get("boxes") else []
    if boxes:
        size = image_shape(_require(root, image), _MAX_PIXELS)
        found["boxes"] = measure_boxes(importance, boxes, size)
    return found


def _require(root: Folder, name: str) -> File:
    path = file_inside(root, name)
    if path is None:
        raise ValueError(f"'{name}' is not a file in {root}: restore it, or give cohort.root=DIR")
    return path
