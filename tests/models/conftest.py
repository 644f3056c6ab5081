"""Batches as the data room makes them, and a trainer without output."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import lightning
import pytest
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

REAL_WEIGHTS = Path(__file__).parents[3] / "shared" / "weights" / "squeezenet1_1.safetensors"


class Images(Dataset[dict[str, Tensor]]):
    """Noise, brighter with the class index; uint8 (3, 32, 32)."""

    def __init__(self, targets: Sequence[int]) -> None:
        self.targets = list(targets)

    def __len__(self) -> int:
        return len(self.targets)

    def __getitem__(self, index: int) -> dict[str, Tensor]:
        generator = torch.Generator().manual_seed(index)
        image = torch.randint(0, 100, (3, 32, 32), generator=generator) + 70 * self.targets[index]
        return {
            "image": image.byte(),
            "target": torch.tensor(self.targets[index]),
            "row": torch.tensor(index),
            "weight": torch.tensor(1.0),
        }


@pytest.fixture
def loader() -> Callable[[Sequence[int]], DataLoader[dict[str, Tensor]]]:
    """Batches of four images of the given classes, in order."""
    return lambda targets: DataLoader(Images(targets), batch_size=4)


@pytest.fixture
def make_trainer(tmp_path: Path) -> Callable[..., lightning.Trainer]:
    """A CPU trainer that writes below `tmp_path` only."""

    def make(**settings: Any) -> lightning.Trainer:
        defaults: dict[str, Any] = {
            "accelerator": "cpu",
            "devices": 1,
            "max_epochs": 1,
            "logger": False,
            "enable_checkpointing": False,
            "enable_progress_bar": False,
            "enable_model_summary": False,
            "num_sanity_val_steps": 0,
            "default_root_dir": tmp_path,
        }
        return lightning.Trainer(**(defaults | settings))

    return make


@pytest.fixture(scope="session")
def real_weights() -> Path:
    """ImageNet weights of SqueezeNet 1.1, where they lie beside the repository."""
    if not REAL_WEIGHTS.is_file():
        pytest.skip(f"{REAL_WEIGHTS} is not there")
    return REAL_WEIGHTS
