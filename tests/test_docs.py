"""Pages of the documentation that are generated from the code, and links between Markdown files."""

import re
import sys
from pathlib import Path

import pytest
from hydra import compose, initialize_config_dir
from omegaconf import OmegaConf

from mds_lightning.cli import VERBS, conf_directory
from mds_lightning.commands.schema import register_schemas
from mds_lightning.search.plugin import register_search

ROOT = Path(__file__).parents[1]
MARKDOWN = [
    *ROOT.glob("*.md"),
    *(path for folder in ("docs", "experiments", "benchmarks") for path in (ROOT / folder).rglob("*.md")),
]
WRITTEN = sorted(path for path in MARKDOWN if "generated" not in path.relative_to(ROOT).parts)
LINK = re.compile(r"\]\((?!https?:|mailto:|#)([^)\s#]+)(?:#[^)\s]*)?\)")


@pytest.fixture(scope="module")
def extensions():
    sys.path.insert(0, str(ROOT / "docs" / "_extensions"))
    yield
    sys.path.remove(str(ROOT / "docs" / "_extensions"))


def composed_keys(verb: str) -> set[str]:
    """Names of the keys that a verb accepts, without the entries of mappings."""
    register_schemas()
    register_search()
    with initialize_config_dir(str(conf_directory())):
        config = compose(verb)

    def names(node, prefix):
        for name in node:
            value = OmegaConf.to_container(node, resolve=False)[name]
            child = node._get_node(name)
            if isinstance(value, dict) and OmegaConf.get_type(child) is not dict:
                yield from names(child, f"{prefix}{name}.")
            else:
                yield prefix + name

    return set(names(config, ""))


@pytest.mark.parametrize("verb", VERBS)
def test_the_reference_lists_every_key_of_a_verb(extensions, verb):
    from command_pages import command_pages

    listed = re.findall(r"^`([\w.]+)`\n: ", command_pages()[verb], flags=re.MULTILINE)
    assert sorted(listed) == sorted(composed_keys(verb))


@pytest.mark.parametrize("verb", VERBS)
def test_the_list_of_commands_has_every_verb(verb):
    text = (ROOT / "docs/reference/commands.md").read_text(encoding="utf-8")
    assert f"../generated/commands/{verb}\n" in text


def test_imports_that_follow_from_others_are_left_out(extensions):
    from import_graph import reduce_imports

    imports = {"a": {"b", "c", "d"}, "b": {"c"}, "c": set(), "d": {"c"}}
    reduced = reduce_imports({name: frozenset(imported) for name, imported in imports.items()})
    assert reduced == {"a": {"b", "d"}, "b": {"c"}, "c": set(), "d": {"c"}}


def test_every_package_is_in_the_import_graph(extensions):
    from import_graph import draw_import_graph

    drawn = re.findall(r"<text [^>]*>(\w+)</text>", draw_import_graph())
    packages = [path.parent.name for path in (ROOT / "mds_lightning").glob("*/__init__.py")]
    assert sorted(drawn) == sorted(packages)


@pytest.mark.parametrize(
    ("page", "loaded"),
    [
        ('<script src="https://cdn.example/x.js"></script>', ["https://cdn.example/x.js"]),
        ('<link rel="stylesheet" href="//fonts.example/a.css">', ["//fonts.example/a.css"]),
        ("@font-face {src: url('https://fonts.example/a.woff2')}", ["https://fonts.example/a.woff2"]),
        ('<a href="https://example.org">a link</a> <script src="_static/x.js"></script>', []),
    ],
)
def test_resources_of_other_servers_are_found(extensions, page, loaded):
    from offline_check import external_resources

    assert list(external_resources(page)) == loaded


@pytest.mark.parametrize("file", WRITTEN, ids=lambda file: str(file.relative_to(ROOT)))
def test_links_to_files_are_valid(file):
    links = LINK.findall(file.read_text(encoding="utf-8"))
    missing = [link for link in links if not (file.parent / link).exists()]
    assert not missing
