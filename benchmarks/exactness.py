r"""Occlusion maps against a full pass for every window: all backbones, five sizes of field, three windows.

    python -m benchmarks.exactness                         # more than an hour on two cores
    python -m benchmarks.exactness --networks squeezenet1_1 --side 0     # all windows

The first, middle and last rows and columns of windows are compared, so that windows that are cut at the
border are among them. The columns are largest differences in probability over all sizes and windows; "its
own" is the difference between full passes in float32 and in float64, the effect of rounding alone. `drop` is
the smallest, over all maps, of the largest drop in probability: errors of this size would be visible.

Weights are random, but batch norms hold the statistics of fields, some of them partly covered, and logits are
scaled on these to the size of a trained network's. A residual block adds a fifth of its branch (training
often starts with nothing of it: Goyal et al., 2017). With whole branches (`--branch 1`) random networks of a
hundred layers amplify rounding by a thousand (Yang et al., "A mean field theory of batch normalization",
ICLR 2019): then no two orders of summation agree, neither ours nor those of full passes.
"""

import argparse
from collections.abc import Sequence
from copy import deepcopy

import numpy as np
import torch
from torch import Tensor, nn
from torchvision.models.resnet import BasicBlock, Bottleneck
from tqdm.auto import tqdm

from mds_lightning.explain.evaluation_mode import evaluating
from mds_lightning.explain.passes import Passes, Refusal
from mds_lightning.explain.windows import WindowGrid, place_windows
from mds_lightning.models.backbones import BACKBONES, build_backbone

_SIZES = ("224", "256", "321", "448", "240x320")
#: Largest logit that a network gives for the fields that it was settled on.
_LOGIT = 3.0
#: Window and stride; the last leaves a window at the border that is cut.
_WINDOWS = ((32, 16), (64, 32), (45, 31))
_TYPES = {"float32": torch.float32, "float64": torch.float64}


def settle(name: str, dtype: torch.dtype, branch: float) -> nn.Module:
    """A backbone whose two classes depend on the field; `branch`: weight of a residual block's branch."""
    torch.manual_seed(0)
    network = build_backbone(name, 2).to(dtype)
    with torch.no_grad():
        for module in network.modules():
            if isinstance(module, nn.BatchNorm2d):
                module.momentum = 1.0
            elif isinstance(module, BasicBlock | Bottleneck):
                last = module.bn3 if isinstance(module, Bottleneck) else module.bn2
                nn.init.constant_(last.weight, branch)
        if name == "squeezenet1_1":
            # It has no batch norm, and a ReLU behind its last layer.
            for module in network.modules():
                if isinstance(module, nn.Conv2d):
                    nn.init.kaiming_normal_(module.weight)
            network.classifier[1].bias.fill_(1)
        fields = torch.rand(8, 3, 224, 224, dtype=dtype)
        for number, field in enumerate(fields[4:]):
            field[:, 48 * number : 48 * number + 64, 60:124] = 0.5
        network.train()(fields)
        # Logits of a trained network are of this size; of random weights they may be hundreds.
        scale = _LOGIT / network.eval()(fields).abs().max()
        head = [module for module in network.modules() if getattr(module, "weight", None) is not None][-1]
        head.weight.mul_(scale)
        head.bias.mul_(scale)
    return network


def choose_windows(grid: WindowGrid, side: int) -> np.ndarray:
    """`side` rows and columns of the grid, the outermost among them; with 0 all of them."""
    rows, columns = (
        np.unique(np.linspace(0, count - 1, side or count).round().astype(int)) for count in grid.shape
    )
    chosen = np.zeros(grid.shape, dtype=bool)
    chosen[np.ix_(rows, columns)] = True
    return chosen


def compare(
    passes: Passes, wide: Passes | None, field: Tensor, grid: WindowGrid, side: int
) -> tuple[float, float, float]:
    """Largest difference in probability from a full pass a window, that one's own error, largest drop."""
    chosen = choose_windows(grid, side)
    cover = torch.full_like(field, field.mean().item())
    logits = passes.run(field, cover, grid, chosen, lambda _: None)
    windows = [(grid.rows[row], grid.columns[column]) for row, column in np.argwhere(chosen)]
    exact = passes.exact(field, cover, windows)[0].softmax(1)
    ours = logits.covered[0, torch.from_numpy(chosen)].softmax(1)
    drops = passes.network(field).softmax(1) - exact
    own = 0.0
    if wide is not None:
        own = float((exact - wide.exact(field.double(), cover.double(), windows)[0].softmax(1)).abs().max())
    return float((ours - exact).abs().max()), own, float(drops.abs().max())


def examine(name: str, network: nn.Module, sizes: Sequence[str], side: int) -> tuple[float, float, float]:
    """Largest difference and own error, and least of the largest drops, over sizes and windows."""
    dtype = next(network.parameters()).dtype
    # In double precision the full passes are their own measure.
    wide = None if dtype == torch.float64 else Passes(deepcopy(network).double(), None, False, None)
    found = []
    with evaluating(network):
        for size in sizes:
            height, width = (int(length) for length in (size.split("x") * 2)[:2])
            # Passes of its own for each size: plans of large fields need not stay in memory.
            passes = Passes(network, None, True, None)
            field = torch.rand(1, 3, height, width, dtype=dtype)
            for window, stride in _WINDOWS:
                grid = place_windows(height, width, window, stride)
                found.append(compare(passes, wide, field, grid, side))
                if isinstance(refusal := passes.plan(field, grid), Refusal):
                    raise SystemExit(f"{name} at {size}: the fast path was not taken: {refusal.reason}")
    errors, owns, drops = zip(*found, strict=True)
    # Unlike the built-in ones these do not lose a NaN.
    return float(np.max(errors)), float(np.max(owns)), float(np.min(drops))


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--networks", nargs="+", default=list(BACKBONES), choices=list(BACKBONES))
    parser.add_argument("--types", nargs="+", default=list(_TYPES), choices=list(_TYPES))
    parser.add_argument("--sizes", nargs="+", default=list(_SIZES), help="side, or HEIGHTxWIDTH")
    parser.add_argument("--side", type=int, default=3, help="rows and columns of windows; 0: all")
    parser.add_argument("--branch", type=float, default=0.2, help="weight of a residual block's branch")
    arguments = parser.parse_args()
    columns = {"float32": 2, "float64": 1}
    heads = [head for kind in arguments.types for head in (kind, "its own")[: columns[kind]]]
    print(f"| network | {' | '.join(heads)} | drop |\n|---|{'---|' * len(heads)}---|")
    for name in tqdm(arguments.networks, leave=False):
        networks = (settle(name, _TYPES[kind], arguments.branch) for kind in arguments.types)
        found = [examine(name, network, arguments.sizes, arguments.side) for network in networks]
        pairs = zip(arguments.types, found, strict=True)
        errors = [f"{value:.1e}" for kind, row in pairs for value in row[: columns[kind]]]
        print(f"| {name} | {' | '.join(errors)} | {min(row[2] for row in found):.0e} |", flush=True)


if __name__ == "__main__":
    main()
