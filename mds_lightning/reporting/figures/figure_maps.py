"""Which explained test images stand in the figure of maps, and where their files are."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from mds_lightning.cohort.image_files import existing_path
from mds_lightning.cohort.path_or_url import File, Folder
from mds_lightning.data.decode import decode_image
from mds_lightning.reporting.figures.map_panels import ExplainedField
from mds_lightning.studies.layout import RunDirectory

#: Pixels of a printed field's longer side: 300 to the inch at half the width of a page.
_WIDEST = 960


def choose_fields(runs: Sequence[RunDirectory], root: Folder, most: int = 3) -> list[ExplainedField]:
    """The surest of the rightly decided images of the last class, of different folds where possible.

    Args:
        runs: Folds of one variant.
        root: Folder of the images.
        most: Number of fields.

    Returns:
        At most `most`; empty where no fold has maps whose images are still there.
    """
    found = []
    for run in runs:
        for file in sorted(run.occlusion.glob("*.npz")):
            with np.load(file) as arrays:
                classes, target = arrays["classes"], int(arrays["target"])
                probability = float(arrays["probabilities"][target])
                right = target == len(classes) - 1 and int(arrays["probabilities"].argmax()) == target
                image = existing_path(root, str(arrays["image"]))
                if right and image.is_file():
                    found.append((probability, str(run.path), image, file))
    found.sort(key=lambda one: (-one[0], str(one[2])))
    first = {one[1]: one for one in reversed(found)}
    rest = [one for one in found if one not in first.values()]
    ordered = [*sorted(first.values(), key=lambda one: -one[0]), *rest]
    return [_load(image, file) for _, _, image, file in ordered[:most]]


def _load(image: File, file: Path) -> ExplainedField:
    with np.load(file) as arrays:
        target = int(arrays["target"])
        importance = arrays["importance"][target]
        name, probability = str(arrays["classes"][target]), float(arrays["probabilities"][target])
        fold, drop = int(arrays["fold"]), float(arrays["drops"][target].max())
    picture = Image.fromarray(decode_image(image))
    picture.thumbnail((_WIDEST, _WIDEST), Image.Resampling.LANCZOS)
    scaled = Image.fromarray(importance.astype(np.float32)).resize(picture.size, Image.Resampling.BILINEAR)
    # Scaling hides that a map may be empty: the drop says whether any area decides alone.
    caption = f"{name}: {probability:.2f} (fold {fold}); largest drop {drop:.2f}"
    return ExplainedField(np.asarray(picture), np.asarray(scaled), caption)
