"""Decoding of image files to RGB pixels."""

import io
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps, TiffImagePlugin, UnidentifiedImageError

from mds_lightning.cohort.path_or_url import File
from mds_lightning.data.decoding_work import refuse_excessive_work, refuse_long_decoding
from mds_lightning.data.image_bytes import MAX_PIXELS, open_image_file, read_image_file
from mds_lightning.data.image_error import ImageError, reason_of
from mds_lightning.data.jpeg_segments import JpegSegments
from mds_lightning.data.tiff_tags import BITS, PHOTOMETRIC, PLANAR, describe_tiff, refuse_tiff

__all__ = ["FORMATS", "MAX_PIXELS", "ImageError", "decode_image", "image_shape"]

FORMATS = ("JPEG", "PNG", "TIFF", "BMP", "WEBP")
_EXIF_ORIENTATION = 0x0112
_pillow_limit = threading.Lock()


def decode_image(path: File, max_pixels: int = MAX_PIXELS, content: bytes | None = None) -> NDArray[np.uint8]:
    """Decode a JPEG, PNG, TIFF, BMP or WebP file.

    Samples are converted to 8-bit RGB: grey is repeated; a palette is looked up; transparent pixels are
    composed over white; 1 bit is black and white; of 16 bits the high byte is kept (value // 256, for grey
    and colour; the full range is assumed, so that 12-bit samples stored in 16 bits appear dark); CMYK is
    converted without a profile, and in JPEG with inverted values, as Adobe writes it. The EXIF (or TIFF)
    orientation is applied. Embedded ICC profiles are ignored.

    Args:
        path: The file; its format is determined by its content, not by its suffix.
        max_pixels: Larger images (height x width in the header) are refused before a pixel is decoded.
        content: The file's bytes, if they were read before; `path` is then used in messages only.

    Returns:
        Pixels (H, W, 3), uint8, RGB, writable.

    Raises:
        ImageError: The file is absent, unreadable, damaged, truncated or larger than `max_pixels`, or it
            holds several pages or frames, or samples without a defined conversion to 8 bits (float, 32-bit).
    """
    if content is None:
        content = read_image_file(path, max_pixels)
    with _header(path, max_pixels, content) as image:
        _refuse_undefined(path, image)
        jpeg = refuse_long_decoding(path, content, image.size)
        # Read before loading: Pillow applies the orientation of a TIFF while loading, and drops these tags.
        deep, white_is_zero = image.mode.startswith("I;16"), _tag(image, PHOTOMETRIC) == 0
        bits = _tag(image, BITS) or 16
        try:
            if image.format == "PNG":
                # Pillow loads some PNG files whose pixels are truncated or partly lost without an error.
                with _read_header(path, io.BytesIO(content)) as unread:
                    unread.verify()
            with _without_pillow_limit(image):
                image.load()
            if jpeg is not None and _lacks_pixels(path, image, jpeg):
                raise ValueError("pixels are missing before its end marker")
            upright = ImageOps.exif_transpose(image)
            if not deep:
                return np.array(_flatten(upright))
        except Exception as error:  # Pillow raises many types of exceptions for damaged files.
            raise ImageError(
                f"{path}: is damaged or truncated ({reason_of(error)})", "copy it again from its source"
            ) from error
        grey = (np.asarray(upright) >> (bits - 8)).astype(np.uint8)
        return np.repeat((255 - grey if white_is_zero else grey)[..., None], 3, axis=2)


def image_shape(path: File, max_pixels: int = MAX_PIXELS) -> tuple[int, int]:
    """(height, width) in pixels of what `decode_image` returns, read from the header.

    The orientation of a PNG is considered only if it is stored before the pixels, as usual.

    Raises:
        ImageError: As `decode_image`, as far as the header allows to detect it.
    """
    with _header(path, max_pixels) as image:
        width, height = image.size
        return (width, height) if _is_transposed(path, image) else (height, width)


@contextmanager
def _header(path: File, max_pixels: int, content: bytes | None = None) -> Iterator[Image.Image]:
    """The opened image; its format is one of `FORMATS`, it has one frame, and it is not too large."""
    # Not opened by name: Pillow 13 would map an uncompressed grey TIFF with the sides of the rotated image.
    file = open_image_file(path, max_pixels) if content is None else io.BytesIO(content)
    with file:
        refuse_excessive_work(path, file, only_header=content is None)
        refuse_tiff(path, file)
        yield from _checked(path, file, max_pixels)


def _checked(path: File, file: BinaryIO, max_pixels: int) -> Iterator[Image.Image]:
    with _read_header(path, file) as image:
        width, height = image.size
        if width * height > max_pixels:
            raise ImageError(
                f"{path}: has {width} x {height} = {width * height} pixels, more than "
                f"data.max_pixels={max_pixels}",
                "crop or shrink it, or raise data.max_pixels if the image is correct",
            )
        # JPEG files of mobile phones may hold a preview or a depth map after the photograph: not a second
        # page.
        frames = 1 if image.format in ("JPEG", "MPO") else _frames(path, image)
        if frames > 1:
            raise ImageError(
                f"{path}: holds {frames} pages or frames", "save the right one as a file of its own"
            )
        yield image


def _read_header(path: File, file: BinaryIO) -> Image.Image:
    try:
        with _without_pillow_limit():
            return Image.open(file, formats=FORMATS)
    except UnidentifiedImageError as error:
        stored = describe_tiff(file)
        if stored is not None:
            raise ImageError(
                f"{path}: is a TIFF file that cannot be read ({stored})", "export it again with 8 or 16 bits"
            ) from error
        raise ImageError(
            f"{path}: is not a readable JPEG, PNG, TIFF, BMP or WebP file", "export it again as one of them"
        ) from error
    except Exception as error:  # As above.
        raise ImageError(f"{path}: has a damaged header ({reason_of(error)})", "copy it again") from error


@contextmanager
def _without_pillow_limit(image: Image.Image | None = None) -> Iterator[None]:
    """Lift Pillow's global size limit if `image` (None: not yet open) may exceed it: `max_pixels` applies."""
    limit = Image.MAX_IMAGE_PIXELS
    if image is not None and (limit is None or image.width * image.height <= limit):
        yield
        return
    with _pillow_limit:
        before, Image.MAX_IMAGE_PIXELS = Image.MAX_IMAGE_PIXELS, None
        try:
            yield
        finally:
            Image.MAX_IMAGE_PIXELS = before


def _is_transposed(path: File, image: Image.Image) -> bool:
    """Whether height and width are swapped between the stored image and what `decode_image` returns."""
    if image.format == "TIFF":
        return False  # Pillow gives the size after applying the orientation.
    if image.format == "PNG" and "exif" not in image.info:
        return False  # Pillow would decode the whole image to find it.
    try:
        return image.getexif().get(_EXIF_ORIENTATION, 1) in (5, 6, 7, 8)
    except Exception as error:  # As above.
        raise ImageError(f"{path}: has damaged EXIF data ({reason_of(error)})", "export it again") from error


def _frames(path: File, image: Image.Image) -> int:
    try:
        return int(getattr(image, "n_frames", 1))
    except Exception as error:  # As above: the pages of a TIFF are a linked list in the file.
        raise ImageError(
            f"{path}: has a damaged list of pages ({reason_of(error)})", "copy it again"
        ) from error


def _refuse_undefined(path: File, image: Image.Image) -> None:
    if image.mode in ("F", "I"):
        kind = "floating-point" if image.mode == "F" else "32-bit or signed"
        raise ImageError(
            f"{path}: has {kind} samples, whose range is undefined", "export it with 8 or 16 bits"
        )
    if image.mode in ("LAB", "HSV"):
        raise ImageError(f"{path}: has {image.mode} colours", "export it as RGB")
    if _tag(image, PLANAR) == 2 and _tag(image, BITS) == 16:
        # Pillow 13 and OpenCV 5 both return garbage for these.
        raise ImageError(f"{path}: stores 16-bit colours in planes", "export it with interleaved colours")
    if image.mode.startswith("I;16") and "transparency" in image.info:
        raise ImageError(
            f"{path}: defines one 16-bit grey value as transparent", "export it without transparency"
        )


def _lacks_pixels(path: File, image: Image.Image, jpeg: JpegSegments) -> bool:
    """Whether libjpeg filled pixels of a JPEG whose data are missing, which it reports as a warning only."""
    altered = jpeg.with_filler(image)
    if altered is None:
        return False
    with _read_header(path, io.BytesIO(altered)) as other, _without_pillow_limit(other):
        return other.tobytes() != image.tobytes()


def _tag(image: Image.Image, tag: int) -> int | None:
    """First value of a TIFF tag; None for other formats and missing tags."""
    if not isinstance(image, TiffImagePlugin.TiffImageFile):
        return None
    value = image.tag_v2.get(tag)
    return int(value[0] if isinstance(value, tuple) else value) if value is not None else None


def _flatten(image: Image.Image) -> Image.Image:
    """Convert to RGB; transparent pixels are composed over white."""
    if image.has_transparency_data:
        colours = image.convert("RGBA")
        return Image.alpha_composite(Image.new("RGBA", image.size, "white"), colours).convert("RGB")
    return image.convert("RGB")
