"""Images that a report shows with their maps: typical, uncertain and wrong ones, as data URIs."""

import base64
import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from mds_lightning.cohort.image_files import file_inside
from mds_lightning.cohort.path_or_url import File, Folder
from mds_lightning.data.decode import decode_image
from mds_lightning.explain.faithfulness_curves import area_under
from mds_lightning.explain.method_registry import find_method
from mds_lightning.maps.faithfulness_summary import FaithfulnessSummary, summarise_faithfulness
from mds_lightning.maps.importance_map import ImportanceMap, MapRecord
from mds_lightning.maps.map_file import read_map, read_record
from mds_lightning.maps.overlay import blend

#: Longer side of a picture, pixels, and the quality of its JPEG.
_LONGEST, _QUALITY = 760, 84
#: Pictures of each kind, except typical ones, of which each class has one.
_EACH = 2


@dataclass(frozen=True)
class Picture:
    """An image and its map at one size, encoded for the page.

    Attributes:
        kind: `typical`, `uncertain` or `wrong`.
        map: The explained image.
        width: Pixels.
        height: Pixels.
        field: The image, a data URI.
        overlay: The image in grey under its map, a data URI.
    """

    kind: str
    map: ImportanceMap
    width: int
    height: int
    field: str
    overlay: str

    @property
    def drop(self) -> float | None:
        """Largest drop of the score of the predicted class; None for methods without drops."""
        return self.map.largest_drop(self.map.predicted)

    @property
    def is_faint(self) -> bool:
        """Whether no window reduces the score of the predicted class by `explain.least_drop`."""
        return self.map.is_faint(self.map.predicted)

    @property
    def probability(self) -> float:
        """Of the predicted class."""
        return float(self.map.probabilities.max())

    @property
    def areas(self) -> dict[str, float]:
        """Areas under the curves deletion, insertion and random; empty where they were not measured."""
        curves = self.map.curves
        if curves is None:
            return {}
        return {name: area_under(getattr(curves, name)) for name in ("deletion", "insertion", "random")}


@dataclass(frozen=True)
class MapsOfMethod:
    """Maps of one method in a report.

    Attributes:
        title: Name of the method.
        description: How importance is computed.
        pictures: Chosen images with their maps.
        explained: Number of explained images.
        wrong: Number of these that were predicted wrongly.
        held_out: Number of held-out images.
        error: Largest error of a drop with reduced precision; 0 where all maps are exact.
        faithfulness: Averaged deletion and insertion curves; None where they were not measured.
    """

    title: str
    description: str
    pictures: tuple[Picture, ...]
    explained: int
    wrong: int
    held_out: int
    error: float
    faithfulness: FaithfulnessSummary | None

    @property
    def setting(self) -> str:
        """Score, windows and baseline, as text."""
        one = self.pictures[0].map
        parts = [f"score: {one.settings['score']}"]
        if one.windows:
            parts.append(f"windows of {' and '.join(map(str, one.windows))} pixels every {one.stride} pixels")
        if "baseline" in one.settings:
            parts.append(f"baseline: {one.settings['baseline']}")
        return ", ".join(parts)


def gather_maps(files: Mapping[str, Sequence[Path]], root: Folder, held_out: int) -> list[MapsOfMethod]:
    """Choose and encode the pictures of every method.

    Args:
        files: Method to map files.
        root: Folder of the images.
        held_out: Number of held-out images.

    Returns:
        One record a method; methods of which no image exists any more are left out.
    """
    found = []
    for method, paths in files.items():
        records = [read_record(path) for path in paths]
        pictures = tuple(load_pictures(choose_explained(records), root))
        if pictures:
            found.append(
                MapsOfMethod(
                    title=find_method(method).title,
                    description=find_method(method).description,
                    pictures=pictures,
                    explained=len(records),
                    wrong=sum(not one.is_correct for one in records),
                    held_out=held_out,
                    error=max(one.error for one in records),
                    faithfulness=summarise_faithfulness(records),
                )
            )
    return found


def choose_explained(records: Sequence[MapRecord]) -> list[tuple[str, MapRecord]]:
    """Choose images by rule; an image appears under one heading only.

    Wrong: predicted wrongly with the largest probability. Uncertain: of the others, the smallest margin.
    Typical: of each class, the correctly predicted image with the median margin.
    """
    wrong = sorted(
        (one for one in records if not one.is_correct), key=lambda one: (-one.margin, str(one.file))
    )[:_EACH]
    rest = [one for one in records if one not in wrong]
    typical = []
    for target in sorted({one.explained.target for one in rest}):
        correct = sorted(
            (one for one in rest if one.is_correct and one.explained.target == target),
            key=lambda one: (one.margin, str(one.file)),
        )
        typical += correct[len(correct) // 2 : len(correct) // 2 + 1]
    rest = [one for one in rest if one not in typical]
    uncertain = sorted(rest, key=lambda one: (one.margin, str(one.file)))[:_EACH]
    kinds = (("typical", typical), ("uncertain", uncertain), ("wrong", wrong))
    return [(kind, one) for kind, several in kinds for one in several]


def load_pictures(chosen: Iterable[tuple[str, MapRecord]], root: Folder) -> list[Picture]:
    """Read the chosen images and render their maps; images that are not in `root` (any more) are left out.

    Args:
        chosen: Result of `choose_explained`.
        root: Folder of the images.
    """
    pictures = []
    for kind, one in chosen:
        path = file_inside(root, one.image)
        if path is not None:
            pictures.append(_load(kind, read_map(one.file), path))
    return pictures


def _load(kind: str, one: ImportanceMap, path: File) -> Picture:
    picture = Image.fromarray(decode_image(path))
    picture.thumbnail((_LONGEST, _LONGEST), Image.Resampling.LANCZOS)
    importance = Image.fromarray(one.of_class(one.predicted).astype(np.float32))
    scaled = np.asarray(importance.resize(picture.size, Image.Resampling.BILINEAR))
    overlay = Image.fromarray(blend(np.asarray(picture), scaled))
    return Picture(kind, one, *picture.size, _encode(picture), _encode(overlay))


def _encode(picture: Image.Image) -> str:
    written = io.BytesIO()
    picture.save(written, "JPEG", quality=_QUALITY, optimize=True)
    return f"data:image/jpeg;base64,{base64.b64encode(written.getvalue()).decode()}"
