"""Sphinx configuration. `make docs` builds the site in docs/_build/html without network access."""

import importlib.metadata
import re
import sys
from pathlib import Path
from typing import Any

from pygments.lexers.special import TextLexer
from sphinx.application import Sphinx
from sphinx.domains.python import PyObject

sys.path.insert(0, str(Path(__file__).parent / "_extensions"))

project = "mds-lightning"
author = "the authors of mds-lightning"
project_copyright = author
release = importlib.metadata.version("mds-lightning")

extensions = [
    "myst_nb",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "sphinx.ext.viewcode",
    "generated_pages",
    "offline_check",
]
exclude_patterns = ["_build", "_extensions", "generated/parts"]

# Names in single backquotes, as in the docstrings, become links where they name a documented object.
default_role = "py:obj"
highlight_language = "none"
# Dashes only: quotation marks and dots of commands are shown as they are typed.
smartquotes_action = "D"

myst_enable_extensions = ["deflist"]
myst_heading_anchors = 3
# The notebooks need a trained study; the tests execute them.
nb_execution_mode = "off"

autodoc_default_options = {"members": True, "member-order": "bysource"}
autodoc_typehints = "signature"
autodoc_typehints_format = "short"
autodoc_preserve_defaults = True
napoleon_numpy_docstring = False
napoleon_use_ivar = True
# The signature has the types.
napoleon_attr_annotations = False
python_use_unqualified_type_names = True
maximum_signature_line_length = 88
add_module_names = False

html_theme = "furo"
html_title = f"mds-lightning {release}"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_copy_source = False
html_show_sourcelink = False


def setup(app: Sphinx) -> None:
    """Correct how CSV, fields of dataclasses, docstrings of properties and types of arrays are shown."""
    # Pygments has no lexer for CSV.
    app.add_lexer("csv", TextLexer)
    for field in PyObject.doc_field_types:
        if field.name == "variable":
            field.label = "Attributes"
    app.connect("autodoc-process-docstring", keep_colons, priority=400)
    app.connect("autodoc-process-signature", abbreviate_arrays)


def keep_colons(*arguments: Any) -> None:
    """Keep napoleon from reading `text: more text` in the docstring of a property as `type: description`."""
    _, what, _, _, _, lines = arguments
    if what in ("attribute", "data", "property"):
        # An empty comment of reStructuredText: napoleon looks for a type in the first line only.
        lines[:0] = ["..", ""]


def abbreviate_arrays(*arguments: Any) -> tuple[str, str]:
    """Write types of arrays as the code does: `NDArray[float64]`."""
    _, _, _, _, _, signature, returned = arguments
    expanded = r"~?numpy\.ndarray\[tuple\[~?typing\.Any, \.\.\.\], ~?numpy\.dtype\[(~?[\w.]+)\]\]"
    return tuple(
        text and re.sub(expanded, r"~numpy.typing.NDArray[\1]", text) for text in (signature, returned)
    )
