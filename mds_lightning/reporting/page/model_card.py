"""Model card in Markdown: intended use, training data, performance and limitations."""

from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from mds_lightning.cohort.atomic_file import write_atomically
from mds_lightning.cohort.visible_text import show_invisible
from mds_lightning.reporting.page.contents import Page
from mds_lightning.reporting.tables.escapes import escape_markdown

#: Characters with a meaning in Markdown or HTML.


def write_model_card(page: Page, path: Path) -> Path:
    """Write the model card of the models of a report.

    Args:
        page: Contents of the report, as `write_report` returns them.
        path: File to write.

    Returns:
        `path`.
    """
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent / "templates"),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters["visible"] = lambda text: show_invisible(str(text))
    environment.filters["plain"] = lambda text: escape_markdown(str(text))
    text = environment.get_template("model_card.md.j2").render(page=page)
    with write_atomically(path) as temporary:
        temporary.write_text(text, encoding="utf-8")
    return path
