"""Sphinx extension: warns about pages that load anything from another server."""

import re
from collections.abc import Iterator
from pathlib import Path

from sphinx.application import Sphinx
from sphinx.util import logging

log = logging.getLogger(__name__)

_LOADED = (
    re.compile(
        r"<(?:script|img|iframe|source|embed|video|audio)\b[^>]*?\bsrc=[\"']?((?:https?:)?//[^\"'\s>]+)", re.I
    ),
    re.compile(r"<link\b(?![^>]*\brel=[\"']?canonical)[^>]*?\bhref=[\"']?((?:https?:)?//[^\"'\s>]+)", re.I),
    re.compile(r"<object\b[^>]*?\bdata=[\"']?((?:https?:)?//[^\"'\s>]+)", re.I),
    re.compile(r"url\(\s*[\"']?((?:https?:)?//[^\"')\s]+)", re.I),
    re.compile(r"@import\s+[\"']((?:https?:)?//[^\"']+)", re.I),
)


def external_resources(text: str) -> Iterator[str]:
    """Addresses of other servers from which an HTML page or a style sheet loads something."""
    for pattern in _LOADED:
        yield from pattern.findall(text)


def check_site(app: Sphinx, exception: Exception | None) -> None:
    """Warn about every page and style sheet of the built site that needs a network."""
    if exception is not None or app.builder.format != "html":
        return
    site = Path(app.outdir)
    for path in sorted(path for path in site.rglob("*") if path.suffix in (".html", ".css")):
        for address in external_resources(path.read_text(encoding="utf-8")):
            log.warning("%s loads %s: the site must work offline", path.relative_to(site), address)


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the extension."""
    app.connect("build-finished", check_site)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
