"""API pages of `mds_lightning.statistics`: every module, so that no list has to be kept."""

from importlib import import_module
from pkgutil import walk_packages

from mds_lightning import statistics

_MODULE = """\
## {title}

```{{eval-rst}}
.. automodule:: {name}
```
"""


def statistics_pages() -> dict[str, str]:
    """Name of a page to its Markdown: the package itself, and each of its sub-packages."""
    pages: dict[str, list[str]] = {}
    for module in walk_packages(statistics.__path__, f"{statistics.__name__}."):
        package = module.name if module.ispkg else module.name.rpartition(".")[0]
        pages.setdefault(package, [])
        if not module.ispkg:
            pages[package].append(_MODULE.format(name=module.name, title=module.name.rpartition(".")[2]))
    return {
        package.removeprefix(
            "mds_lightning."
        ): f"# {package.removeprefix('mds_lightning.')}\n\n{_summary(package)}\n\n" + "\n".join(sections)
        for package, sections in sorted(pages.items())
    }


def _summary(package: str) -> str:
    return (import_module(package).__doc__ or "").strip()
