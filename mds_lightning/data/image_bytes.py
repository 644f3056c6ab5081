"""Reading of the bytes of an image file."""

import stat
from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO

from mds_lightning.cohort.path_or_url import File
from mds_lightning.cohort.remote_folder import RemoteFile
from mds_lightning.data.image_error import ImageError, reason_of

#: Default of the largest image that is decoded, pixels.
MAX_PIXELS = 200_000_000

#: Most bytes per pixel (16 bits of red, green, blue and alpha), and of everything else in the file.
_MAX_BYTES_PER_PIXEL, _MAX_METADATA = 8, 1 << 28


def read_image_file(path: File, max_pixels: int = MAX_PIXELS) -> bytes:
    """All bytes of an image file, for `decode_image`.

    Raises:
        ImageError: The file is absent, unreadable or too large for an image of `max_pixels`.
    """
    if isinstance(path, RemoteFile):
        with _explained(path, max_pixels):
            return path.read_bytes()
    with open_image_file(path, max_pixels) as file:
        try:
            return file.read()
        except OSError as error:
            raise ImageError(f"{path}: cannot be read ({reason_of(error)})", "copy it again") from error


def open_image_file(path: File, max_pixels: int) -> BinaryIO:
    """Open the file unless it is too large for an image of `max_pixels`; its content is not read."""
    with _explained(path, max_pixels):
        return path.open("rb")


@contextmanager
def _explained(path: File, max_pixels: int) -> Iterator[None]:
    """Refuse a file too large for an image of `max_pixels`; turn errors of opening into `ImageError`."""
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            raise ImageError(f"{path}: is not a regular file", "give the path of the image itself")
        if status.st_size > max_pixels * _MAX_BYTES_PER_PIXEL + _MAX_METADATA:
            raise ImageError(
                f"{path}: has {status.st_size} bytes, more than fits data.max_pixels={max_pixels}",
                "export it again, or raise data.max_pixels if the file is correct",
            )
        yield
    except FileNotFoundError as error:
        raise ImageError(f"{path}: does not exist", "restore it, or remove its row") from error
    except OSError as error:
        raise ImageError(f"{path}: cannot be read ({reason_of(error)})", "check its permissions") from error
