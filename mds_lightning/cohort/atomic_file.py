"""Files that are there whole or not at all, whenever their writer is killed."""

import errno
import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def write_atomically(path: Path) -> Iterator[Path]:
    """Yield a temporary name beside `path`; on success it is renamed to `path`, on error removed.

    A reader therefore never meets half a file. The suffix is kept, for writers that go by it.

    Raises:
        OSError: The disk (or a quota) is full; `filename` is then `path`, which libraries do not tell.
    """
    temporary = _beside(path)
    try:
        yield temporary
        temporary.replace(path)
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path)) from error
    finally:
        temporary.unlink(missing_ok=True)


def write_once(path: Path, text: str) -> bool:
    """Write `text` to `path` (UTF-8) unless the file is already there, and say whether it was written.

    Of several processes that do this at once exactly one writes, and nobody meets half a file. (Where the
    file system has no hard links, two that start in the same instant may both believe that they wrote: read
    the file back.)
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
    # Not the process id: processes of several machines may share the folder.
    path.parent.mkdir(parents=True, exist_ok=True)
    return path.with_name(f".{path.stem}.{uuid.uuid4().hex[:12]}{path.suffix}")
