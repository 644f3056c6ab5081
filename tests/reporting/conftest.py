"""Fixtures of the evaluation."""

from pathlib import Path
from typing import Any

import pytest


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Figures are drawn but not rendered: files of their names are empty."""

    def touch(_: Any, stem: Path) -> tuple[Path, Path]:
        files = stem.with_name(f"{stem.name}.png"), stem.with_name(f"{stem.name}.svg")
        for file in files:
            file.touch()
        return files

    monkeypatch.setattr("mds_lightning.reporting.evaluation.save_figure", touch)
