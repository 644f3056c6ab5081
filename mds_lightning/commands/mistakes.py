"""Which errors are a user's mistake, and the sentence that tells how to mend it."""

import errno
import re
import traceback
from collections.abc import Iterator
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from hydra import compose, initialize_config_dir
from hydra.core.global_hydra import GlobalHydra
from hydra.errors import CompactHydraException, InstantiationException
from lightning.fabric.utilities.exceptions import MisconfigurationException
from omegaconf import OmegaConf
from omegaconf.errors import MissingMandatoryValue, OmegaConfBaseException

_PACKAGE = str(Path(__file__).resolve().parents[1])


def explain_mistake(error: BaseException, verb: str, conf: Path) -> str | None:
    """Return what the user should read, or None when `error` is a bug of ours.

    Args:
        error: What was raised.
        verb: Command that ran.
        conf: Folder of the configuration, to find the near match of a mistyped key.
    """
    if isinstance(error, MissingMandatoryValue):
        key = getattr(error, "full_key", None) or str(error).split(":")[-1].strip()
        return f"{key} has no value: give {key}=... (mds-lightning {verb} --cfg job shows every key)"
    if isinstance(error, CompactHydraException | OmegaConfBaseException):
        cause = f"\n{error.__cause__}" if error.__cause__ is not None else ""
        return f"{error}{cause}".strip() + _near_match(f"{error}{cause}", verb, conf)
    if isinstance(error, InstantiationException):
        return _explain_instantiation(error, verb, conf)
    if isinstance(error, OSError):
        return _explain_file(error)
    if isinstance(error, MisconfigurationException) or (isinstance(error, ValueError) and _is_ours(error)):
        return str(error)
    return getattr(error, "advice", None)


def _is_ours(error: BaseException) -> bool:
    """Whether this package raised `error` itself: a ValueError from deep inside a library is a bug."""
    frames = traceback.extract_tb(error.__traceback__)
    return bool(frames) and frames[-1].filename.startswith(_PACKAGE)


def _explain_instantiation(error: InstantiationException, verb: str, conf: Path) -> str | None:
    cause = error.__cause__
    if cause is not None and not isinstance(cause, TypeError):
        inner = explain_mistake(cause, verb, conf)
        return f"{inner} ({_full_key(error)})" if inner is not None else None
    return str(error)


def _full_key(error: InstantiationException) -> str:
    found = re.search(r"full_key: (\S+)", str(error))
    return found.group(1) if found else "config"


def _explain_file(error: OSError) -> str | None:
    if error.errno == errno.ENOSPC:
        return f"{error.filename or 'the disk'}: no space is left; make room and run the same command again"
    if error.filename is not None and isinstance(
        error, FileNotFoundError | PermissionError | IsADirectoryError | NotADirectoryError
    ):
        return f"{error.filename}: {error.strerror}"
    return None


def _near_match(message: str, verb: str, conf: Path) -> str:
    """`; did you mean 'trainer'?` for the key that Hydra could not find, if one is near."""
    found = re.search(r"Key '([^']+)'|Could not override '([^']+)'|Could not find '([^']+)'", message)
    if found is None:
        return ""
    key = next(group for group in found.groups() if group)
    overridden = re.search(r"Could not override '([^']+)'", message)
    key = overridden.group(1) if overridden else key
    near = get_close_matches(key, _known_names(verb, conf), n=1, cutoff=0.6)
    return f"\nDid you mean '{near[0]}'?" if near else ""


def _known_names(verb: str, conf: Path) -> list[str]:
    """Every key of the verb's configuration and every choice of its groups (`backbone/resnet18`)."""
    GlobalHydra.instance().clear()
    with initialize_config_dir(str(conf), version_base="1.3"):
        config = compose(verb)
    choices = [str(path.relative_to(conf).with_suffix("")) for path in conf.glob("*/*.yaml")]
    return [*_keys(OmegaConf.to_container(config, resolve=False)), *choices]


def _keys(settings: Any, prefix: str = "") -> Iterator[str]:
    if isinstance(settings, dict):
        for key, value in settings.items():
            yield f"{prefix}{key}"
            yield from _keys(value, f"{prefix}{key}.")
