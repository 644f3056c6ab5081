"""The fields that a report shows with their maps: typical, uncertain and wrong ones, as data URIs."""

import base64
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from mds_lightning.cohort.image_files import existing_path
from mds_lightning.cohort.path_or_url import File, Folder
from mds_lightning.data.decode import decode_image
from mds_lightning.maps.importance_map import OcclusionMap, read_map
from mds_lightning.maps.overlay import COLOURS

#: Pixels of a picture's longer side, and the quality of its JPEG.
_LONGEST, _QUALITY = 760, 84
#: Pictures of each kind but the typical, of which each class has one.
_EACH = 2
#: A drop of the score smaller than this says that no single area decides.
_LEAST_DROP = 0.05


@dataclass(frozen=True)
class Explained:
    """What is known of an explained image before its map is read.

    Attributes:
        file: The `.npz`.
        target: Index of the true class.
        probabilities: (classes,).
    """

    file: Path
    target: int
    probabilities: NDArray[np.float64]

    @property
    def is_right(self) -> bool:
        """Whether the decision is that of the manifest."""
        return int(self.probabilities.argmax()) == self.target

    @property
    def margin(self) -> float:
        """Distance between the two largest probabilities."""
        top = np.sort(self.probabilities)[-2:]
        return float(top[1] - top[0])


@dataclass(frozen=True)
class Picture:
    """An image and its map at one size, ready for the page.

    Attributes:
        kind: `typical`, `uncertain` or `wrong`.
        map: What was explained.
        width: Pixels.
        height: Pixels.
        field: The image, a data URI.
        overlay: The greyed image under its map, a data URI.
        drop: Largest drop of the score of the decided class.
    """

    kind: str
    map: OcclusionMap
    width: int
    height: int
    field: str
    overlay: str
    drop: float

    @property
    def is_faint(self) -> bool:
        """Whether no single area decides: the scaled map would look as sure as any other."""
        return self.drop < _LEAST_DROP

    @property
    def probability(self) -> float:
        """Of the decided class."""
        return float(self.map.probabilities.max())


def list_explained(files: Iterable[Path]) -> list[Explained]:
    """What is known of each `.npz`, without its maps."""
    found = []
    for file in sorted(files):
        with np.load(file, allow_pickle=False) as arrays:
            found.append(Explained(file, int(arrays["target"]), arrays["probabilities"].astype(np.float64)))
    return found


def choose_explained(explained: Sequence[Explained]) -> list[tuple[str, Explained]]:
    """Choose what to show by rule, not by eye; an image stands under one heading.

    Wrong: wrongly decided with the largest probability. Uncertain: of the others, the smallest margin.
    Typical: of each class, the rightly decided image whose probability is the median of them.
    """
    names = {id(one): str(one.file) for one in explained}
    wrong = sorted(
        (one for one in explained if not one.is_right), key=lambda one: (-one.margin, names[id(one)])
    )[:_EACH]
    rest = [one for one in explained if one not in wrong]
    typical = []
    for target in sorted({one.target for one in rest}):
        right = sorted(
            (one for one in rest if one.is_right and one.target == target),
            key=lambda one: (one.margin, names[id(one)]),
        )
        typical += right[len(right) // 2 : len(right) // 2 + 1]
    rest = [one for one in rest if one not in typical]
    uncertain = sorted(rest, key=lambda one: (one.margin, names[id(one)]))[:_EACH]
    kinds = (("typical", typical), ("uncertain", uncertain), ("wrong", wrong))
    return [(kind, one) for kind, several in kinds for one in several]


def load_pictures(chosen: Iterable[tuple[str, Explained]], root: Folder) -> list[Picture]:
    """Read the chosen images and draw their maps; images that are gone are left out.

    Args:
        chosen: What `choose_explained` gives.
        root: Folder of the images.
    """
    pictures = []
    for kind, one in chosen:
        shown = read_map(one.file)
        path = existing_path(root, shown.image)
        if path.is_file():
            pictures.append(_load(kind, shown, path))
    return pictures


def _load(kind: str, shown: OcclusionMap, path: File) -> Picture:
    picture = Image.fromarray(decode_image(path))
    picture.thumbnail((_LONGEST, _LONGEST), Image.Resampling.LANCZOS)
    k = int(shown.probabilities.argmax())
    importance = Image.fromarray(shown.importance[k].astype(np.float32))
    scaled = np.asarray(importance.resize(picture.size, Image.Resampling.BILINEAR))
    overlay = Image.fromarray(blend(np.asarray(picture), scaled))
    return Picture(
        kind, shown, *picture.size, _encode(picture), _encode(overlay), float(shown.drops[k].max())
    )


def blend(image: NDArray[np.uint8], importance: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Lay the colours of importance over the greyed image, faint below one half and firm above.

    Args:
        image: (H, W, 3) RGB.
        importance: (H, W), 0..1.
    """
    grey = image.astype(np.float64) @ np.array([0.299, 0.587, 0.114]) / 255
    opacity = np.where(importance < 0.5, 0.38 - 0.3 * importance, 0.1 + 0.5 * importance)[..., None]
    mixed = (1 - opacity) * grey[..., None] + opacity * COLOURS(importance)[..., :3]
    return (np.clip(mixed, 0, 1) * 255).round().astype(np.uint8)


def scale_colours(steps: int = 16) -> list[str]:
    """The colours of importance from 0 to 1 as `#rrggbb`, for a legend."""
    rgb = (COLOURS(np.linspace(0, 1, steps))[:, :3] * 255).round().astype(int)
    return ["#{:02x}{:02x}{:02x}".format(*colour) for colour in rgb.tolist()]


def _encode(picture: Image.Image) -> str:
    written = io.BytesIO()
    picture.save(written, "JPEG", quality=_QUALITY, optimize=True)
    return f"data:image/jpeg;base64,{base64.b64encode(written.getvalue()).decode()}"
