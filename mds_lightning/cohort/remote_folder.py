"""Folders and files behind a URL (s3://, gs://, ...), read through fsspec."""

import io
import logging
import stat
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from pathlib import PurePosixPath
from typing import Any, BinaryIO, Literal
from unicodedata import normalize

from mds_lightning.cohort.remote_error import RemoteError, explain_denied_listing, explain_remote_error
from mds_lightning.cohort.remote_status import RemoteStatus, remote_status

log = logging.getLogger(__name__)

#: Number of concurrent requests; connection pools of the libraries have about this size.
CONCURRENT_REQUESTS = 16
#: Bytes that are fetched at once when only a header is read.
_BLOCK = 1 << 16


class RemoteFolder:
    """A folder behind a URL. Its folders are listed once, at first use, and the listings are kept.

    Whether files exist is known from the listings: a folder of a hundred thousand files takes about a hundred
    requests, and no request for each file.
    """

    def __init__(self, url: str) -> None:
        self.url = url.rstrip("/")
        self._listings: dict[str, dict[str, RemoteStatus]] = {}

    def __str__(self) -> str:
        """The URL."""
        return self.url

    def __truediv__(self, name: str) -> "RemoteFile":
        return RemoteFile(self, name)

    def __getstate__(self) -> dict[str, Any]:
        # A connection belongs to one process.
        return {key: value for key, value in self.__dict__.items() if key != "_opened"}

    def is_dir(self) -> bool:
        """Whether it contains anything; object stores have no empty folders.

        Raises:
            RemoteError: It cannot be listed.
        """
        return bool(self.entries(""))

    def entries(self, folder: str) -> Mapping[str, RemoteStatus]:
        """Name to status of the entries of `folder` ('' for the root itself); empty if it does not exist.

        Raises:
            RemoteError: It cannot be listed.
        """
        if folder not in self._listings:
            self._listings[folder] = self._list(folder)
        return self._listings[folder]

    def list_folders(self, folders: Iterable[str]) -> None:
        """Load the `entries` of many folders, several at a time."""
        with ThreadPoolExecutor(CONCURRENT_REQUESTS, "list") as pool:
            for _ in pool.map(self.entries, folders):
                pass

    def spelled(self, name: str) -> "RemoteFile":
        """The file `name` in the Unicode normal form (NFC, NFD) that exists; if none does, as given."""
        files = [
            RemoteFile(self, form)
            for form in dict.fromkeys((name, normalize("NFC", name), normalize("NFD", name)))
        ]
        return next((file for file in files if file.status is not None), files[0])

    def fetch(self, name: str, start: int, end: int) -> bytes:
        """Bytes `start` to `end` of a file, fewer if it is shorter.

        Raises:
            OSError: The file does not exist, or access is denied.
            RemoteError: Any other error, which concerns the whole folder.
        """
        try:
            filesystem, path = self._opened
            return bytes(filesystem.cat_file(f"{path}/{name}", start=start, end=end))
        except RemoteError:
            raise
        except Exception as error:  # Each library below fsspec has its own exceptions.
            raise explain_remote_error(f"{self.url}/{name}", error) from error

    @cached_property
    def _opened(self) -> tuple[Any, str]:
        """The file system of fsspec, and the path of the folder in it."""
        from fsspec.core import url_to_fs

        try:
            # Listings are cached here for one command only: files may have changed before the next.
            return url_to_fs(self.url, use_listings_cache=False, skip_instance_cache=True)
        except Exception as error:  # As above.
            raise explain_remote_error(self.url, error) from error

    def _list(self, folder: str) -> dict[str, RemoteStatus]:
        filesystem, path = self._opened
        path = f"{path}/{folder}" if folder else path
        try:
            found = filesystem.ls(path, detail=True)
        except Exception as error:  # As above.
            explained = explain_remote_error(f"{self.url}/{folder}".rstrip("/"), error)
            if isinstance(explained, FileNotFoundError):
                return {}
            if isinstance(explained, PermissionError):
                explained = explain_denied_listing(str(explained.filename), explained)
            raise explained from error
        inside = {entry["name"].rstrip("/"): entry for entry in found}
        # The listing of a file contains the file itself, and some stores list a folder in itself.
        return {
            name.rpartition("/")[2]: remote_status(entry)
            for name, entry in inside.items()
            if name.strip("/") != path.strip("/")
        }


@dataclass(frozen=True)
class RemoteFile:
    """A file in a remote folder, with the methods of `Path` that are used to read images.

    Attributes:
        root: A folder that contains it, directly or indirectly.
        name: Path relative to `root`, with / and without . and ..
    """

    root: RemoteFolder
    name: str

    def __str__(self) -> str:
        """The URL."""
        return f"{self.root.url}/{self.name}"

    @property
    def suffix(self) -> str:
        """The suffix of its name, with the dot."""
        return PurePosixPath(self.name).suffix

    @property
    def parent(self) -> RemoteFolder:
        """The folder that contains it."""
        folder = self.name.rpartition("/")[0]
        return RemoteFolder(f"{self.root.url}/{folder}") if folder else self.root

    @property
    def status(self) -> RemoteStatus | None:
        """Status from the listing of its folder; None if it does not exist."""
        folder, _, last = self.name.rpartition("/")
        return self.root.entries(folder).get(last)

    def is_file(self) -> bool:
        """Whether it exists and is a file; if its folder cannot be listed, a warning is logged."""
        try:
            return self.status is not None and stat.S_ISREG(self.status.st_mode)
        except RemoteError as error:
            log.warning("%s", error)
            return False

    def stat(self) -> RemoteStatus:
        """Its status.

        Raises:
            FileNotFoundError: It does not exist.
        """
        if self.status is None:
            raise explain_remote_error(str(self), FileNotFoundError())
        return self.status

    def open(self, mode: Literal["rb"]) -> BinaryIO:  # noqa: ARG002 (as `Path.open`)
        """Open it for reading a header: blocks are fetched when they are read, the first one immediately."""
        reader = io.BufferedReader(_Blocks(self), _BLOCK)
        reader.peek(1)
        return reader

    def read_bytes(self) -> bytes:
        """The whole content, in one request.

        Raises:
            OSError: It does not exist, access is denied, or it has changed since it was listed.
            RemoteError: See `RemoteFolder.fetch`.
        """
        size = self.stat().st_size
        # One byte more, to detect that it has grown.
        content = self.root.fetch(self.name, 0, size + 1) if size else b""
        if len(content) != size:
            raise OSError(0, f"it had {size} bytes when its folder was listed, and has changed since")
        return content


class _Blocks(io.RawIOBase):
    """A remote file that is fetched block by block."""

    def __init__(self, file: RemoteFile) -> None:
        super().__init__()
        self._file, self._size, self._offset = file, file.stat().st_size, 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        self._offset = max(
            0, offset + {io.SEEK_SET: 0, io.SEEK_CUR: self._offset, io.SEEK_END: self._size}[whence]
        )
        return self._offset

    def readinto(self, buffer: Any) -> int:
        end = min(self._offset + len(buffer), self._size)
        content = self._file.root.fetch(self._file.name, self._offset, end) if end > self._offset else b""
        buffer[: len(content)] = content
        self._offset += len(content)
        return len(content)
