"""Lookup of explanation methods by name."""

from functools import cache
from importlib import import_module
from inspect import isabstract, isclass
from pkgutil import iter_modules
from typing import TYPE_CHECKING

from mds_lightning.explain import methods

if TYPE_CHECKING:
    from mds_lightning.explain.explanation_method import ExplanationMethod


def find_method(name: str) -> "ExplanationMethod":
    """The method called `name`.

    Raises:
        ValueError: There is none; the message lists those that exist.
    """
    known = registered_methods()
    if name not in known:
        raise ValueError(f"explain.method is {name!r}: choose one of {', '.join(known)}")
    return known[name]


@cache
def registered_methods() -> "dict[str, ExplanationMethod]":
    """Name to method, for every method defined in a file of `explain/methods/`, sorted by name."""
    # Loading torch takes seconds, and readers of settings do not need it.
    from mds_lightning.explain.explanation_method import ExplanationMethod

    modules = [import_module(f"{methods.__name__}.{one.name}") for one in iter_modules(methods.__path__)]
    found = [
        value()
        for module in modules
        for value in vars(module).values()
        if isclass(value)
        and issubclass(value, ExplanationMethod)
        and not isabstract(value)
        and value.__module__ == module.__name__
    ]
    return {method.name: method for method in sorted(found, key=lambda method: method.name)}
