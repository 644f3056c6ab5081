"""Identifies how a map was made, so that maps are neither computed twice nor mixed in a folder."""

import json
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Fingerprint:
    """Everything that determines a map.

    Attributes:
        settings: `ExplanationParameters.describe` as JSON with sorted keys.
        model: SHA-256 of the weights.
        pixels: SHA-256 of the image as the network receives it.
    """

    settings: str
    model: str
    pixels: str

    @property
    def described(self) -> dict[str, Any]:
        """The settings by key."""
        return json.loads(self.settings)

    def is_same_kind(self, other: "Fingerprint | None") -> bool:
        """Whether maps of both may be kept in one folder: same model and same settings."""
        return other is not None and (self.settings, self.model) == (other.settings, other.model)

    def describe_difference(self, other: "Fingerprint | None") -> str:
        """How maps with the fingerprint `other` differ, for an error message."""
        if other is None:
            return "made by an earlier version"
        if self.model != other.model:
            return "made with other weights"
        here, there = self.described, other.described
        keys = sorted(key for key in here.keys() | there.keys() if here.get(key) != there.get(key))
        return ", ".join(f"explain.{key}={there.get(key)} there, {here.get(key)} now" for key in keys)
