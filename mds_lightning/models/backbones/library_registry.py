"""Finds the libraries of backbones, and the library that has a given network."""

import difflib
import importlib
import pkgutil

from mds_lightning.models.backbones import libraries
from mds_lightning.models.backbones.library import Backbone, BackboneLibrary


def load_libraries() -> dict[str, BackboneLibrary]:
    """Every library in the folder `libraries/`, by its name, in the order of the files' names."""
    modules = sorted(module.name for module in pkgutil.iter_modules(libraries.__path__))
    found = [importlib.import_module(f"{libraries.__name__}.{module}").LIBRARY for module in modules]
    return {library.name: library for library in found}


LIBRARIES = load_libraries()

#: The networks that have a file in `conf/backbone`, by name.
BACKBONES: dict[str, Backbone] = {
    name: backbone for library in LIBRARIES.values() for name, backbone in library.backbones.items()
}


def find_backbone(name: str) -> Backbone:
    """Describe the network `name`: one of `BACKBONES`, or else of the first library that has it.

    Raises:
        ValueError: No library has it (the message names similar ones), or it is no image classifier.
    """
    if name in BACKBONES:
        return BACKBONES[name]
    for library in LIBRARIES.values():
        backbone = library.find(name)
        if backbone is not None:
            return backbone
    names = {library.name: library.list_names() for library in LIBRARIES.values()}
    known = {key.lower(): key for library_names in names.values() for key in library_names}
    similar = difflib.get_close_matches(name.lower().replace("-", "_"), known, n=3, cutoff=0.5)
    hint = f"; did you mean {', '.join(known[key] for key in similar)}?" if similar else "."
    larger = [library for library, library_names in names.items() if set(library_names) - set(BACKBONES)]
    raise ValueError(
        f"backbone.name={name} is unknown{hint} "
        f"Give one of {', '.join(BACKBONES)}, or another classifier of {' or '.join(larger)}"
    )
