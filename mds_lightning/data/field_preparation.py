"""From a cohort to fields that can be read: the cache filled, and faulty images dealt with."""

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path

from tqdm import tqdm

from mds_lightning.cohort.duplicate_images import same_content_complaints
from mds_lightning.cohort.finding import CohortError
from mds_lightning.cohort.manifest import Cohort
from mds_lightning.cohort.path_or_url import File
from mds_lightning.cohort.remote_folder import RemoteFolder
from mds_lightning.data.cache import CacheParameters, FieldCache
from mds_lightning.data.decode import ImageError
from mds_lightning.data.field_source import DecodedFields, Fields, StoredFields
from mds_lightning.data.loading_parameters import LoadingParameters
from mds_lightning.data.parallel_map import map_in_threads
from mds_lightning.data.resize_spec import Form
from mds_lightning.data.stain_normalization import StainNormalization, read_field
from mds_lightning.data.undecodable_images import refuse_faults, skip_faults
from mds_lightning.data.views import ViewParameters

#: So many images that are too small are told one by one.
_MOST = 20

log = logging.getLogger(__name__)


def open_cache(parameters: CacheParameters, cohort: Cohort) -> FieldCache | None:
    """The cache, or None where it is switched off.

    Raises:
        ValueError: It is off, and the images lie in a remote folder.
    """
    if not parameters.enabled and isinstance(cohort.root, RemoteFolder):
        raise ValueError(
            f"cache.enabled=false would fetch the images under {cohort.root} anew each time one is drawn: "
            "leave the cache on, or copy the folder to a disk"
        )
    return FieldCache(parameters) if parameters.enabled else None


def prepare_fields(
    cohort: Cohort,
    forms: Sequence[Form],
    loading: LoadingParameters,
    cache: FieldCache | None,
    skip_list: Path,
) -> tuple[Fields, frozenset[int]]:
    """Make all images of a cohort (external ones too) readable in `forms`.

    Args:
        cohort: Its images.
        forms: See `loading_forms`.
        loading: `max_pixels`, `on_error`, `max_skipped`, `stain` and `views` count.
        cache: Where decoded images are kept; None: they are decoded whenever they are read.
        skip_list: Where `on_error=skip` lists what is left out (see `skip_faults`).

    Returns:
        The fields, and the rows of the cohort's table that are left out.

    Raises:
        ImageError: Images cannot be decoded, and `on_error` is 'raise' or there are too many of them.
            (Without a cache, 'raise' decodes nothing here: it raises when such an image is drawn.)
        CacheFullError: The cache has no room.
        ValueError: Images are smaller than a tile (see `refuse_small_fields`).
        CohortError: Two patients have the same photograph. (Where images are at hand, `read_cohort` saw it.)
        RemoteError: The remote folder that the images lie in cannot be read.
    """
    images = cohort.table["image"].tolist()
    paths = {row: cohort.path(image) for row, image in enumerate(images)}
    faults: dict[File, str] = {}
    if cache is not None:
        filling = cache.fill(list(paths.values()), forms, loading.max_pixels, loading.stain)
        faults = filling.faults
    elif loading.on_error == "skip":
        faults = find_faults(list(paths.values()), loading.max_pixels, loading.stain)
    faulty = {images[row]: faults[path] for row, path in paths.items() if path in faults}
    if loading.on_error == "raise":
        refuse_faults(faulty, len(images))
        skipped: frozenset[int] = frozenset()
    else:
        patients = dict(zip(images, cohort.table["patient_id"], strict=True))
        names = skip_faults(faulty, patients, loading.max_skipped, skip_list)
        skipped = frozenset(row for row in paths if images[row] in names)
    kept = {row: path for row, path in paths.items() if row not in skipped}
    fields: Fields
    if cache is None:
        fields = DecodedFields(kept, loading.max_pixels, loading.stain)
    else:
        contents = {row: filling.contents[path] for row, path in kept.items()}
        if isinstance(cohort.root, RemoteFolder):
            _refuse_same_content(cohort, contents)
        fields = StoredFields({form: cache.store(form, loading.stain) for form in forms}, contents)
    if loading.views.has_tiles:
        refuse_small_fields(fields, {row: images[row] for row in kept}, loading.views)
    return fields, skipped


def refuse_small_fields(fields: Fields, images: Mapping[int, str], views: ViewParameters) -> None:
    """Raise if a field has no room for a tile: what should stand beside it would have to be made up.

    Args:
        fields: Where their shapes are known from.
        images: Row of the cohort's table to name.
        views: Size of a tile, and what it is cut from.

    Raises:
        ValueError: With the smallest of them, and what to do.
    """
    shapes = {row: fields.shape(row, views.native) for row in images}
    small = sorted(
        (row for row, shape in shapes.items() if not views.fits(shape)), key=lambda row: min(shapes[row])
    )
    if not small:
        return
    listed = [f"  {images[row]}: {shapes[row][1]} x {shapes[row][0]}" for row in small[:_MOST]]
    listed += [f"  and {len(small) - _MOST} more"] if len(small) > _MOST else []
    raise ValueError(
        f"{len(small)} of {len(images)} images are smaller than a tile of {views.size[1]} x {views.size[0]} "
        f"pixels (data.image_size) at data.magnification={views.magnification:g}:\n"
        + "\n".join(listed)
        + "\nLower data.image_size, remove their rows, or take data.view=whole."
    )


def _refuse_same_content(cohort: Cohort, contents: Mapping[int, str]) -> None:
    """What `read_cohort` does for files, once the objects' bytes are known: nothing is read for it alone."""
    found = same_content_complaints(contents, cohort.table, str(cohort.manifest), numbered=False)
    for complaint in (one for one in found if one.severity == "warning"):
        log.warning("%s", complaint)
    if errors := [one for one in found if one.severity == "error"]:
        raise CohortError(errors)


def find_faults(
    paths: Sequence[File], max_pixels: int, stain: StainNormalization | None = None
) -> dict[File, str]:
    """Decode (and normalise) every image, and return why some cannot be."""

    def fault(path: File) -> str | None:
        try:
            read_field(path, max_pixels, stain)
        except ImageError as error:
            return str(error)
        return None

    found = map_in_threads(fault, tqdm(paths, desc="decoding", unit="image", disable=None, leave=False))
    return {path: why for path, why in zip(paths, found, strict=True) if why is not None}
