"""Reporting checklists: which items the report answers, and which are left to the authors."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import yaml

Status = Literal["answered", "partly", "open"]

_FOLDER = Path(__file__).parent / "checklists"
#: Anchor of the report to the reason why a report may lack it.
_ABSENT = {
    "external": "no patient is external",
    "external-patients": "no patient is external, or the manifest was not found",
    "patients": "the manifest has no clinical columns or was not found",
    "subgroups": "the manifest has no clinical columns or was not found",
    "sites": "the manifest names fewer than two sites",
    "maps": "no occlusion maps were made",
    "thresholds": "thresholds are chosen for two classes only",
}


@dataclass(frozen=True)
class Item:
    """One item of a checklist and its status in one report.

    Attributes:
        number: Number in the checklist.
        topic: Heading of the item.
        asks: What is to be reported, in short.
        status: Whether the report answers the item.
        place: Anchor of the section that answers it; empty for open items.
        remark: What is left to the authors, or why the item is open.
    """

    number: str
    topic: str
    asks: str
    status: Status
    place: str
    remark: str


@dataclass(frozen=True)
class Checklist:
    """A completed checklist of a reporting guideline.

    Attributes:
        name: Name of the guideline.
        source: Address of its full wording.
        numbering: Version of the checklist whose numbers the items have.
        items: All items in the order of the checklist.
    """

    name: str
    source: str
    numbering: str
    items: tuple[Item, ...]

    def count(self, status: Status) -> int:
        """Number of items with one status."""
        return sum(item.status == status for item in self.items)


def fill_checklists(places: Collection[str]) -> list[Checklist]:
    """Complete the checklists TRIPOD+AI and CLAIM for a report.

    Args:
        places: Anchors that the report has; an item whose anchor is missing is open.
    """
    return [_fill(_FOLDER / name, places) for name in ("tripod_ai.yaml", "claim.yaml")]


def _fill(path: Path, places: Collection[str]) -> Checklist:
    record = yaml.safe_load(path.read_text(encoding="utf-8"))
    items = tuple(_fill_item(item, places) for item in record["items"])
    return Checklist(record["name"], record["source"], record["numbering"], items)


def _fill_item(item: Mapping[str, str], places: Collection[str]) -> Item:
    place, partly = item.get("answered", ""), item.get("partly", "")
    texts = (item["item"], item["topic"], item["asks"])
    if place and place not in places:
        return Item(*texts, "open", "", f"not available in this study: {_ABSENT.get(place, 'not recorded')}")
    if not place:
        return Item(*texts, "open", "", partly or "not recorded in a study: to be answered by the authors")
    return Item(*texts, "partly" if partly else "answered", place, partly)
