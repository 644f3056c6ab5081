"""Preparation of a cohort for loading: fill the cache, and refuse or skip undecodable images."""

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path

from tqdm import tqdm

from mds_lightning.cohort.duplicate_images import find_duplicate_contents
from mds_lightning.cohort.finding import CohortError
from mds_lightning.cohort.manifest import Cohort
from mds_lightning.cohort.path_or_url import File
from mds_lightning.cohort.remote_folder import RemoteFolder
from mds_lightning.data.cache import CacheParameters, FieldCache
from mds_lightning.data.decode import ImageError
from mds_lightning.data.field_source import DecodedFields, Fields, StoredFields
from mds_lightning.data.loading_parameters import LoadingParameters
from mds_lightning.data.original_fields import OriginalFields
from mds_lightning.data.parallel_map import map_in_threads
from mds_lightning.data.resize_spec import ResizeSpec
from mds_lightning.data.stain_normalization import StainNormalization, read_field
from mds_lightning.data.undecodable_images import refuse_undecodable, skip_undecodable
from mds_lightning.data.views import ViewParameters

#: Number of images that are too small which a message names.
_MAX_LISTED = 20

log = logging.getLogger(__name__)


def open_cache(parameters: CacheParameters, cohort: Cohort) -> FieldCache | None:
    """Open the cache; None if it is switched off.

    Raises:
        ValueError: It is switched off, and the images are in a remote folder.
    """
    if not parameters.enabled and isinstance(cohort.root, RemoteFolder):
        raise ValueError(
            f"cache.enabled=false would download each image under {cohort.root} again whenever it is drawn: "
            "keep the cache enabled, or copy the folder to a disk"
        )
    return FieldCache(parameters) if parameters.enabled else None


def prepare_fields(
    cohort: Cohort,
    specs: Sequence[ResizeSpec],
    loading: LoadingParameters,
    cache: FieldCache | None,
    skip_list: Path,
) -> tuple[Fields, frozenset[int]]:
    """Prepare all images of a cohort (external ones too) to be read in the sizes `specs`.

    Args:
        cohort: The images.
        specs: See `required_resize_specs`.
        loading: `max_pixels`, `on_error`, `max_skipped`, `stain` and `views` are used.
        cache: Stores decoded images; None: images are decoded whenever they are read.
        skip_list: File in which `on_error=skip` lists the excluded images (see `skip_undecodable`).

    Returns:
        The fields, and the rows of the cohort's table that are excluded.

    Raises:
        ImageError: Images cannot be decoded, and `on_error` is 'raise' or there are too many of them.
            Without a cache, 'raise' decodes nothing here: the error is raised when such an image is drawn.
        CacheFullError: The cache has no room.
        ValueError: Images are smaller than a tile (see `refuse_small_fields`).
        CohortError: Two patients have the same photograph. (For local images, `read_cohort` detects it.)
        RemoteError: The remote folder that the images lie in cannot be read.
    """
    images = cohort.table["image"].tolist()
    paths = {row: cohort.path(image) for row, image in enumerate(images)}
    faults: dict[File, str] = {}
    if cache is not None:
        filling = cache.fill(list(paths.values()), specs, loading.max_pixels, loading.stain)
        faults = filling.faults
    elif loading.on_error == "skip":
        faults = find_undecodable(list(paths.values()), loading.max_pixels, loading.stain)
    faulty = {images[row]: faults[path] for row, path in paths.items() if path in faults}
    if loading.on_error == "raise":
        refuse_undecodable(faulty, len(images))
        skipped: frozenset[int] = frozenset()
    else:
        patients = dict(zip(images, cohort.table["patient_id"], strict=True))
        names = skip_undecodable(faulty, patients, loading.max_skipped, skip_list)
        skipped = frozenset(row for row in paths if images[row] in names)
    kept = {row: path for row, path in paths.items() if row not in skipped}
    fields: Fields
    if cache is None:
        fields = DecodedFields(kept, loading.max_pixels, loading.stain)
    else:
        contents = {row: filling.contents[path] for row, path in kept.items()}
        if isinstance(cohort.root, RemoteFolder):
            _refuse_same_content(cohort, contents)
        originals = OriginalFields(kept, contents, loading.max_pixels, loading.stain)
        stores = {spec: cache.store(spec, loading.stain) for spec in specs}
        fields = StoredFields(stores, contents, originals)
    if loading.views.has_tiles:
        refuse_small_fields(fields, {row: images[row] for row in kept}, loading.views)
    return fields, skipped


def refuse_small_fields(fields: Fields, images: Mapping[int, str], views: ViewParameters) -> None:
    """Raise if a field is smaller than a tile, which would need padding.

    Args:
        fields: Source of their shapes.
        images: Row of the cohort's table to name of the image.
        views: Size of a tile and magnification of the field.

    Raises:
        ValueError: Fields are too small; the message lists the smallest.
    """
    shapes = {row: fields.shape(row, views.native) for row in images}
    small = sorted(
        (row for row, shape in shapes.items() if not views.fits(shape)), key=lambda row: min(shapes[row])
    )
    if not small:
        return
    listed = [f"  {images[row]}: {shapes[row][1]} x {shapes[row][0]}" for row in small[:_MAX_LISTED]]
    listed += [f"  and {len(small) - _MAX_LISTED} more"] if len(small) > _MAX_LISTED else []
    raise ValueError(
        f"{len(small)} of {len(images)} images are smaller than a tile of {views.size[1]} x {views.size[0]} "
        f"pixels (data.image_size) at data.magnification={views.magnification:g}:\n"
        + "\n".join(listed)
        + "\nReduce data.image_size, remove their rows, or set data.view=whole."
    )


def _refuse_same_content(cohort: Cohort, contents: Mapping[int, str]) -> None:
    """Find duplicates among remote images by the hashes in the cache, without reading them again."""
    found = find_duplicate_contents(contents, cohort.table, str(cohort.manifest), numbered=False)
    for finding in (finding for finding in found if finding.severity == "warning"):
        log.warning("%s", finding)
    if errors := [finding for finding in found if finding.severity == "error"]:
        raise CohortError(errors)


def find_undecodable(
    paths: Sequence[File], max_pixels: int, stain: StainNormalization | None = None
) -> dict[File, str]:
    """Decode (and normalise) every image; return the files that fail, each with the reason."""

    def fault(path: File) -> str | None:
        try:
            read_field(path, max_pixels, stain)
        except ImageError as error:
            return str(error)
        return None

    found = map_in_threads(fault, tqdm(paths, desc="decoding", unit="image", disable=None, leave=False))
    return {path: why for path, why in zip(paths, found, strict=True) if why is not None}
