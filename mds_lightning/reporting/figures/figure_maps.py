"""Choice of the images in the figure of maps."""

from collections.abc import Iterable
from pathlib import Path

import numpy as np
from PIL import Image

from mds_lightning.cohort.image_files import file_inside
from mds_lightning.cohort.path_or_url import File, Folder
from mds_lightning.data.decode import decode_image
from mds_lightning.maps.map_file import read_map, read_record
from mds_lightning.reporting.figures.map_panels import ExplainedField

#: Longer side of a printed image, pixels: 300 dpi at half the width of a page.
_WIDEST = 960


def choose_fields(files: Iterable[Path], root: Folder, most: int = 3) -> list[ExplainedField]:
    """Correctly predicted images of the last class, most probable first, of different folds if possible.

    Args:
        files: Map files of one method, of all folds of one variant.
        root: Folder of the images.
        most: Number of images.

    Returns:
        At most `most`; empty where no fold has maps whose images still exist.
    """
    found = []
    for file in files:
        one = read_record(file)
        image = file_inside(root, one.image)
        if one.is_correct and one.explained.target == len(one.classes) - 1 and image is not None:
            found.append((float(one.probabilities.max()), one.fold, image, file))
    found.sort(key=lambda item: (-item[0], str(item[2])))
    first = {fold: item for item in reversed(found) for fold in [item[1]]}
    rest = [item for item in found if item not in first.values()]
    ordered = [*sorted(first.values(), key=lambda item: -item[0]), *rest]
    return [_load(image, file) for _, _, image, file in ordered[:most]]


def _load(image: File, file: Path) -> ExplainedField:
    one = read_map(file)
    picture = Image.fromarray(decode_image(image))
    picture.thumbnail((_WIDEST, _WIDEST), Image.Resampling.LANCZOS)
    importance = Image.fromarray(one.of_class(one.label).astype(np.float32))
    scaled = importance.resize(picture.size, Image.Resampling.BILINEAR)
    caption = f"{one.label}: {one.probabilities.max():.2f} (fold {one.fold})"
    drop = one.largest_drop(one.label)
    if drop is not None:
        # Colours are scaled to each map's own range, which hides how small the drops are.
        caption += f"; largest drop {drop:.2f}"
    if one.is_faint(one.label):
        caption += " (no single region is decisive)"
    return ExplainedField(np.asarray(picture), np.asarray(scaled), caption)
