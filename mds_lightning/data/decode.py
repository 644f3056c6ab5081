"""From an image file to RGB pixels, or to a reason why not."""

import io
import stat
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps, TiffImagePlugin, UnidentifiedImageError

from mds_lightning.cohort.path_or_url import File
from mds_lightning.cohort.remote_folder import RemoteFile
from mds_lightning.data.png import png_fault

FORMATS = ("JPEG", "PNG", "TIFF", "BMP", "WEBP")
#: Largest image that is decoded unless the configuration says otherwise, pixels.
MAX_PIXELS = 200_000_000

#: Bytes of a pixel (16 bits of red, green, blue and opacity), and of everything beside the pixels.
_LARGEST_SAMPLES, _LARGEST_METADATA = 8, 1 << 28
_EXIF_ORIENTATION = 0x0112
_BITS, _PHOTOMETRIC, _PLANAR = 258, 262, 284
_pillow_limit = threading.Lock()


class ImageError(ValueError):
    """An image cannot be decoded; the message names the file, the reason and the fix."""

    def __str__(self) -> str:
        # A loader's worker hands over its traceback as the message.
        return super().__str__().rpartition("ImageError: ")[2].rstrip()


def read_image_file(path: File, max_pixels: int = MAX_PIXELS) -> bytes:
    """All bytes of an image file, for `decode_image`.

    Raises:
        ImageError: As `decode_image`, as far as the file system shows it.
    """
    if isinstance(path, RemoteFile):
        with _explained(path, max_pixels):
            return path.read_bytes()
    with _opened(path, max_pixels) as file:
        try:
            return file.read()
        except OSError as error:
            raise ImageError(f"{path}: cannot be read ({_reason(error)}): copy it again") from error


def decode_image(path: File, max_pixels: int = MAX_PIXELS, content: bytes | None = None) -> NDArray[np.uint8]:
    """Decode a JPEG, PNG, TIFF, BMP or WebP file.

    Samples become 8-bit RGB thus: grey is repeated; a palette is looked up; transparency is laid over white;
    1 bit is black and white; of 16 bits the high byte is kept (value // 256, grey and colour alike: the full
    range is assumed, so 12-bit samples that were stored in 16 bits come out dark); CMYK is multiplied out
    without a profile, in JPEG with inverted ink as Adobe and everyone since writes it. The EXIF (or TIFF)
    orientation is applied. Embedded ICC profiles are ignored: values are taken as the camera wrote them.

    Args:
        path: The file; its content decides what it is, not its suffix.
        max_pixels: Larger images (height x width in the header) are refused before a pixel is decoded.
        content: The file's bytes, if they were read before; `path` then only names them.

    Returns:
        Pixels (H, W, 3), uint8, RGB, writable.

    Raises:
        ImageError: The file is absent, unreadable, damaged or cut off, larger than `max_pixels`, holds
            several pages or frames, or samples that have no agreed way to 8 bits (float, 32-bit).
    """
    if content is None:
        content = read_image_file(path, max_pixels)
    with _header(path, max_pixels, content) as image:
        fault = png_fault(content)
        if fault is not None:
            raise ImageError(f"{path}: is damaged or cut off ({fault}): copy it again from its source")
        _refuse_undefined(path, image)
        # Read before loading: Pillow turns a TIFF while it loads it, and forgets these.
        deep, white_is_zero = image.mode.startswith("I;16"), _tag(image, _PHOTOMETRIC) == 0
        bits = _tag(image, _BITS) or 16
        try:
            with _without_pillow_limit(image):
                image.load()
            upright = ImageOps.exif_transpose(image)
            if not deep:
                return np.array(_flatten(upright))
        except Exception as error:  # Pillow raises a dozen kinds for files that are damaged.
            raise ImageError(
                f"{path}: is damaged or cut off ({_reason(error)}): copy it again from its source"
            ) from error
        grey = (np.asarray(upright) >> (bits - 8)).astype(np.uint8)
        return np.repeat((255 - grey if white_is_zero else grey)[..., None], 3, axis=2)


def image_shape(path: File, max_pixels: int = MAX_PIXELS) -> tuple[int, int]:
    """(height, width) in pixels of what `decode_image` returns, from the header alone.

    (The orientation of a PNG is seen only where it stands before the pixels, as it usually does.)

    Raises:
        ImageError: As `decode_image`, as far as the header shows it.
    """
    with _header(path, max_pixels) as image:
        width, height = image.size
        return (width, height) if _is_turned(path, image) else (height, width)


def _opened(path: File, max_pixels: int) -> BinaryIO:
    """The file, if it is one that could hold an image of `max_pixels`; what it holds is not looked at."""
    with _explained(path, max_pixels):
        return path.open("rb")


@contextmanager
def _explained(path: File, max_pixels: int) -> Iterator[None]:
    """Refuse what cannot hold an image of `max_pixels`, and say why a file cannot be opened."""
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            raise ImageError(f"{path}: cannot be read as it is no file: name the image itself")
        if status.st_size > max_pixels * _LARGEST_SAMPLES + _LARGEST_METADATA:
            raise ImageError(
                f"{path}: has {status.st_size} bytes, more than an image of data.max_pixels={max_pixels} "
                "can have: export it again, or raise data.max_pixels if it is right"
            )
        yield
    except FileNotFoundError as error:
        raise ImageError(f"{path}: there is no such file: restore it, or remove its row") from error
    except OSError as error:
        raise ImageError(f"{path}: cannot be read ({_reason(error)}): check its permissions") from error


@contextmanager
def _header(path: File, max_pixels: int, content: bytes | None = None) -> Iterator[Image.Image]:
    """The file with its header read: one of `FORMATS`, one frame, not too large."""
    # Not by its name: Pillow 13 would map an uncompressed grey TIFF with the sides of the turned image.
    file = _opened(path, max_pixels) if content is None else io.BytesIO(content)
    with file, _read_header(path, file) as image:
        width, height = image.size
        if width * height > max_pixels:
            raise ImageError(
                f"{path}: has {width} x {height} = {width * height} pixels, more than "
                f"data.max_pixels={max_pixels}: crop or shrink it, or raise data.max_pixels if it is right"
            )
        # A telephone's JPEG may carry a preview or a depth map behind the photograph; it is no second page.
        frames = 1 if image.format in ("JPEG", "MPO") else _frames(path, image)
        if frames > 1:
            raise ImageError(f"{path}: holds {frames} pages or frames: save the right one as its own file")
        yield image


def _read_header(path: File, file: BinaryIO) -> Image.Image:
    try:
        with _without_pillow_limit():
            return Image.open(file, formats=FORMATS)
    except UnidentifiedImageError as error:
        raise ImageError(
            f"{path}: is no JPEG, PNG, TIFF, BMP or WebP that can be read: export it again as one of them"
        ) from error
    except Exception as error:  # As above.
        raise ImageError(f"{path}: has a damaged header ({_reason(error)}): copy it again") from error


@contextmanager
def _without_pillow_limit(image: Image.Image | None = None) -> Iterator[None]:
    """Lift Pillow's own limit, a global, where an image (or one not yet open) may exceed it: ours counts."""
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


def _is_turned(path: File, image: Image.Image) -> bool:
    """Whether height and width are exchanged between what is stored and what `decode_image` returns."""
    if image.format == "TIFF":
        return False  # Pillow gives the size after the turn.
    if image.format == "PNG" and "exif" not in image.info:
        return False  # Pillow would decode the whole image to look behind it.
    try:
        return image.getexif().get(_EXIF_ORIENTATION, 1) in (5, 6, 7, 8)
    except Exception as error:  # As above.
        raise ImageError(f"{path}: has damaged EXIF data ({_reason(error)}): export it again") from error


def _frames(path: File, image: Image.Image) -> int:
    try:
        return int(getattr(image, "n_frames", 1))
    except Exception as error:  # As above: a TIFF's pages are found by walking through the file.
        raise ImageError(f"{path}: has a damaged list of pages ({_reason(error)}): copy it again") from error


def _refuse_undefined(path: File, image: Image.Image) -> None:
    if image.mode in ("F", "I"):
        kind = "floating-point" if image.mode == "F" else "32-bit or signed"
        raise ImageError(
            f"{path}: has {kind} samples, whose black and white are unknown: export it with 8 or 16 bits"
        )
    if image.mode in ("LAB", "HSV"):
        raise ImageError(f"{path}: has {image.mode} colours: export it as RGB")
    if _tag(image, _PLANAR) == 2 and _tag(image, _BITS) == 16:
        # Pillow 13 and OpenCV 5 both return garbage for these.
        raise ImageError(f"{path}: stores 16-bit colours plane by plane: export it with interleaved colours")
    if image.mode.startswith("I;16") and "transparency" in image.info:
        raise ImageError(f"{path}: marks one 16-bit grey as transparent: export it without transparency")


def _tag(image: Image.Image, tag: int) -> int | None:
    """First value of a TIFF tag; None for other formats and absent tags."""
    if not isinstance(image, TiffImagePlugin.TiffImageFile):
        return None
    value = image.tag_v2.get(tag)
    return int(value[0] if isinstance(value, tuple) else value) if value is not None else None


def _flatten(image: Image.Image) -> Image.Image:
    """RGB, with transparency of whatever kind over white."""
    if image.has_transparency_data:
        colours = image.convert("RGBA")
        return Image.alpha_composite(Image.new("RGBA", image.size, "white"), colours).convert("RGB")
    return image.convert("RGB")


def _reason(error: BaseException) -> str:
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return str(error).splitlines()[0] if str(error) else type(error).__name__
