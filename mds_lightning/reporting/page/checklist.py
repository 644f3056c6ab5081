"""Reporting checklists: which item the report answers where, and which only its authors can answer."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import yaml

Status = Literal["answered", "partly", "open"]

_FOLDER = Path(__file__).parent / "checklists"
#: Why a place of the report may be missing.
_ABSENT = {
    "external": "no patient is external",
    "external-patients": "no patient is external, or the manifest is not at hand",
    "ensemble": "no ensemble was evaluated: no patient is external",
    "patients": "the manifest has no clinical columns, or is not at hand",
    "subgroups": "the manifest has no clinical columns, or is not at hand",
    "sites": "the manifest names fewer than two sites",
    "maps": "no occlusion maps were made",
    "thresholds": "thresholds are chosen for two classes only",
}


@dataclass(frozen=True)
class Item:
    """One item of a checklist and what becomes of it in one report.

    Attributes:
        number: As the checklist numbers it.
        topic: Its heading.
        asks: What it wants to know, in short.
        status: Answered, partly, or open.
        place: Where in the report, by its anchor; empty where nowhere.
        remark: What is left to the authors, or why it is open.
    """

    number: str
    topic: str
    asks: str
    status: Status
    place: str
    remark: str


@dataclass(frozen=True)
class Checklist:
    """A reporting guideline, filled in.

    Attributes:
        name: Of the guideline.
        source: Where its wording is.
        numbering: The version that the items' numbers are those of.
        items: All of them, in its order.
    """

    name: str
    source: str
    numbering: str
    items: tuple[Item, ...]

    def count(self, status: Status) -> int:
        """Number of items of one status."""
        return sum(item.status == status for item in self.items)


def fill_checklists(places: Collection[str]) -> list[Checklist]:
    """TRIPOD+AI and CLAIM for a report.

    Args:
        places: Anchors that the report has; an item whose place is missing is open.
    """
    return [_fill(_FOLDER / name, places) for name in ("tripod_ai.yaml", "claim.yaml")]


def _fill(path: Path, places: Collection[str]) -> Checklist:
    record = yaml.safe_load(path.read_text(encoding="utf-8"))
    items = tuple(_fill_item(item, places) for item in record["items"])
    return Checklist(record["name"], record["source"], record["numbering"], items)


def _fill_item(item: Mapping[str, str], places: Collection[str]) -> Item:
    place, partly = item.get("answered", ""), item.get("partly", "")
    words = (item["item"], item["topic"], item["asks"])
    if place and place not in places:
        return Item(
            *words, "open", "", f"this study cannot tell: {_ABSENT.get(place, 'nothing is recorded')}"
        )
    if not place:
        return Item(*words, "open", "", partly or "not in a study's files: for the authors to answer")
    return Item(*words, "partly" if partly else "answered", place, partly)
