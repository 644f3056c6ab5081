"""Errors of users and the messages that say how to correct them."""

import errno
import os
import re
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from difflib import get_close_matches
from pathlib import Path

from hydra.errors import CompactHydraException, InstantiationException
from omegaconf.errors import MissingMandatoryValue, OmegaConfBaseException

from mds_lightning.cohort.atomic_file import UNWRITABLE
from mds_lightning.cohort.visible_text import show_lines

#: Environment variable: whether the user set HYDRA_FULL_ERROR, which `run_verb` always sets.
WANTS_TRACEBACK = "MDS_LIGHTNING_TRACEBACK"

_PACKAGE = str(Path(__file__).resolve().parents[1])
#: Verbs that only read the study, and write where `output=` says.
_WITH_OUTPUT = ("evaluate", "report", "explain")
#: Lines of Hydra's messages that do not help: types of nodes, and advice to add a key, which works only in
#: sections without a fixed set of keys.
_NOISE = re.compile(
    r"\n\s*(full_key|reference_type|object_type)[:=][^\n]*"
    r"|\nTo append to your config use (?!\+(?:trainer|callbacks|logger|hydra)\.)[^\n]*"
)


@contextmanager
def report_user_errors(verb: str, conf: Path) -> Iterator[None]:
    """Turn an error of the user into one message and exit code 2; a bug keeps its traceback."""
    try:
        yield
    except Exception as error:
        message = explain_user_error(error, verb, conf)
        if message is None or os.environ.get(WANTS_TRACEBACK) == "1":
            raise
        sys.stderr.write(f"mds-lightning {verb}: {show_lines(message)}\n")
        raise SystemExit(2) from None


def explain_user_error(error: BaseException, verb: str, conf: Path) -> str | None:
    """Return the message for the user, or None if `error` is a bug.

    Args:
        error: The exception.
        verb: The verb that raised it.
        conf: Folder of the configuration, for the choice closest to a mistyped one.
    """
    if isinstance(error, MissingMandatoryValue):
        key = getattr(error, "full_key", None) or str(error).split(":")[-1].strip()
        return f"{key} has no value: give {key}=... (mds-lightning {verb} --help shows every key)"
    if isinstance(error, CompactHydraException | OmegaConfBaseException):
        cause = f"\n{error.__cause__}" if error.__cause__ is not None else ""
        return _tidy(f"{error}{cause}", conf)
    if isinstance(error, InstantiationException):
        return _explain_instantiation(error, verb, conf)
    if isinstance(error, OSError):
        return _explain_file(error, verb)
    if _is_expected(error) or (isinstance(error, ValueError) and _is_from_package(error)):
        return str(error)
    return None


def _is_expected(error: BaseException) -> bool:
    """Whether Lightning refused its settings, or training stopped for a reason with a known remedy."""
    # Only if they were imported: verbs that need no torch start faster.
    expected = (
        ("lightning.fabric.utilities.exceptions", "MisconfigurationException"),
        ("mds_lightning.models.classifier", "NonFiniteLossError"),
    )
    types = [getattr(sys.modules[module], name) for module, name in expected if module in sys.modules]
    return isinstance(error, tuple(types))


def _is_from_package(error: BaseException) -> bool:
    """Whether this package raised `error`: a ValueError of another library is a bug."""
    frames = traceback.extract_tb(error.__traceback__)
    return bool(frames) and frames[-1].filename.startswith(_PACKAGE)


def _explain_instantiation(error: InstantiationException, verb: str, conf: Path) -> str | None:
    cause = error.__cause__
    if cause is not None and not isinstance(cause, TypeError):
        inner = explain_user_error(cause, verb, conf)
        return f"{inner} ({_full_key(error)})" if inner is not None else None
    return str(error)


def _full_key(error: InstantiationException) -> str:
    found = re.search(r"full_key: (\S+)", str(error))
    return found.group(1) if found else "config"


def _explain_file(error: OSError, verb: str) -> str | None:
    if error.errno == errno.ENOSPC:
        return (
            f"{error.filename or 'the disk'}: no space left on the disk; free some and run the command again"
        )
    if error.errno in UNWRITABLE and verb in _WITH_OUTPUT and not Path(str(error.filename)).is_file():
        return (
            f"{error.filename}: {error.strerror}: this folder cannot be written; give output=DIR to write "
            "the results elsewhere"
        )
    if error.errno in UNWRITABLE and verb == "test" and not Path(str(error.filename)).is_file():
        return (
            f"{error.filename}: {error.strerror}: test writes into the study, and this folder cannot be "
            "written; copy the study and give the copy as study=DIR"
        )
    if error.errno == errno.EROFS:
        return f"{error.filename}: {error.strerror}"
    if error.filename is not None and isinstance(
        error, FileNotFoundError | PermissionError | IsADirectoryError | NotADirectoryError
    ):
        return f"{error.filename}: {error.strerror}"
    return None


def _tidy(message: str, conf: Path) -> str:
    """Hydra's message without its internals, with the closest choice of a group."""
    message = message.split("\nConfig search path:")[0]
    message = _NOISE.sub("", message)
    wanted = re.search(r"Could not find '([^']+)'", message)
    choices = [str(path.relative_to(conf).with_suffix("")) for path in conf.glob("*/*.yaml")]
    near = get_close_matches(wanted.group(1), choices, n=1) if wanted else []
    return message.strip() + (f"\nDid you mean '{near[0].replace('/', '=')}'?" if near else "")
