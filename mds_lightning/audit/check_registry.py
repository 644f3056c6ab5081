"""The checks of `mds_lightning/audit/checks/`, found by their files."""

from collections.abc import Collection, Sequence
from difflib import get_close_matches
from functools import cache
from importlib import import_module
from pkgutil import iter_modules

from mds_lightning.audit import checks
from mds_lightning.audit.check import Check


@cache
def find_checks() -> tuple[Check, ...]:
    """All checks, in the order of their codes."""
    names = [module.name for module in iter_modules(checks.__path__, f"{checks.__name__}.")]
    found: list[Check] = [import_module(name).CHECK for name in names]
    codes = [check.code for check in found]
    assert len(set(codes)) == len(codes), f"a code of {sorted(codes)} is used twice"
    return tuple(sorted(found, key=lambda check: check.code))


def refuse_unknown_codes(codes: Collection[str], known: Sequence[Check]) -> None:
    """Raise if a code belongs to no check.

    Raises:
        ValueError: With the unknown code and the nearest known one.
    """
    names = [check.code for check in known]
    for code in codes:
        if code not in names:
            near = get_close_matches(code.upper(), names, n=1, cutoff=0.0)
            raise ValueError(
                f"ignore: there is no check {code}; did you mean {near[0]}? "
                "`mds-lightning check` lists all codes"
            )
