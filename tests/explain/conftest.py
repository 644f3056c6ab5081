import pytest
import torch
from torch import Tensor, nn


@pytest.fixture(autouse=True)
def _one_thread():
    """Small tensors: more threads only wait for each other."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


class TinyNetwork(nn.Module):
    """Convolution, batch norm with statistics, pooling and a head: what every backbone is made of."""

    def __init__(self, classes: int = 3) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(3, 6, 3, padding=1), nn.BatchNorm2d(6), nn.ReLU(inplace=True), nn.MaxPool2d(2),
            nn.Conv2d(6, 8, 3, stride=2, padding=1), nn.ReLU(), nn.Dropout(0.5), nn.AdaptiveAvgPool2d(1),
        )  # fmt: skip
        self.head = nn.Linear(8, classes)
        nn.init.normal_(self.body[1].running_mean)
        nn.init.uniform_(self.body[1].running_var, 0.5, 2)

    def forward(self, images: Tensor) -> Tensor:
        return self.head(self.body(images).flatten(1)) * 4


@pytest.fixture
def tiny_network() -> nn.Module:
    torch.manual_seed(0)
    return TinyNetwork()


@pytest.fixture
def fields() -> Tensor:
    return torch.randn(2, 3, 30, 41, generator=torch.Generator().manual_seed(1))


def brute_force(network: nn.Module, inputs: Tensor, covers: Tensor, grid) -> Tensor:
    """One whole pass a window, nothing shared: (n, rows, columns, classes)."""
    found = []
    with torch.no_grad():
        for field, cover in zip(inputs, covers, strict=True):
            for top, bottom in grid.rows:
                for left, right in grid.columns:
                    covered = field.clone()
                    covered[:, top:bottom, left:right] = cover[:, top:bottom, left:right]
                    found.append(network(covered[None])[0])
    return torch.stack(found).unflatten(0, (len(inputs), *grid.shape))


@pytest.fixture(name="brute_force")
def _brute_force():
    return brute_force
