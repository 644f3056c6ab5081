"""Sphinx extension: writes the pages that are derived from the code to docs/generated before each build."""

import shutil
from pathlib import Path

from api_pages import statistics_pages
from command_pages import command_pages
from import_graph import draw_import_graph, tabulate_imports
from registry_tables import registry_tables
from sphinx.application import Sphinx

NOTEBOOKS = Path(__file__).parents[2] / "notebooks"


def generate(directory: Path) -> None:
    """Write all generated files below `directory`, and delete other files there."""
    files = {f"parts/{name}.md": text for name, text in registry_tables().items()}
    files |= {f"commands/{verb}.md": text for verb, text in command_pages().items()}
    files |= {f"api/{name}.md": text for name, text in statistics_pages().items()}
    files["parts/import_graph.svg"] = draw_import_graph()
    files["parts/import_table.md"] = tabulate_imports()
    for notebook in sorted(NOTEBOOKS.glob("*.ipynb")):
        files[f"notebooks/{notebook.name}"] = notebook.read_text(encoding="utf-8")

    for path in sorted(directory.rglob("*"), reverse=True):
        if path.is_file() and path.relative_to(directory).as_posix() not in files:
            path.unlink()
        elif path.is_dir() and not any(path.iterdir()):
            shutil.rmtree(path)
    for name, text in files.items():
        path = directory / name
        # Sphinx reads a page again if its file is newer than the last build.
        if not path.is_file() or path.read_text(encoding="utf-8") != text:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the extension."""
    app.connect("builder-inited", lambda app: generate(Path(app.srcdir) / "generated"))
    return {"parallel_read_safe": True, "parallel_write_safe": True}
