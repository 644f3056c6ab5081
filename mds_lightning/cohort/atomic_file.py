"""Atomic writing: a file is complete or absent, even if its writer is killed."""

import errno
import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

#: Errors of a folder of another user, or on a medium that is mounted for reading.
UNWRITABLE = (errno.EACCES, errno.EPERM, errno.EROFS)


@contextmanager
def write_atomically(path: Path) -> Iterator[Path]:
    """Yield a temporary path beside `path`; on success it is renamed to `path`, on error removed.

    Readers therefore never see an incomplete file. The suffix is kept, for writers that depend on it.

    Raises:
        OSError: The disk (or a quota) is full, or the folder may not be written; `filename` is then `path`,
            which libraries do not report.
    """
    temporary = _beside(path)
    try:
        yield temporary
        temporary.replace(path)
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path)) from error
        if error.errno in UNWRITABLE and error.filename in (None, str(temporary)):
            raise OSError(error.errno, error.strerror, str(path)) from error
        raise
    finally:
        temporary.unlink(missing_ok=True)


def write_once(path: Path, text: str) -> bool:
    """Write `text` to `path` (UTF-8) unless the file exists; return whether it was written.

    Of several processes that do this at the same time exactly one writes, and none sees an incomplete file.
    (On file systems without hard links, two simultaneous processes may both return True: read the file back.)
    """
    temporary = _beside(path)
    try:
        temporary.write_text(text, encoding="utf-8")
        try:
            os.link(temporary, path)
        except FileExistsError:
            return False
        except OSError:
            if path.exists():
                return False
            temporary.replace(path)
        return True
    finally:
        temporary.unlink(missing_ok=True)


def _beside(path: Path) -> Path:
    # A random name instead of the process id: processes of several machines may share the folder.
    path.parent.mkdir(parents=True, exist_ok=True)
    return path.with_name(f".{path.stem}.{uuid.uuid4().hex[:12]}{path.suffix}")
