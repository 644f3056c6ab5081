"""Settings of earlier versions that no longer exist."""

from typing import Any

#: Key to the value with which it had no effect: then it is ignored, otherwise it is refused.
REMOVED_SETTINGS: dict[str, Any] = {"mode": "exact"}
