"""Random networks of local operations: the incremental pass equals full passes for every combination."""

import numpy as np
import torch
import torch.nn.functional as F
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from torch import nn

from mds_lightning.explain.incremental.plan.window_plan import make_plan, read_network
from mds_lightning.explain.incremental.run.incremental_pass import pass_incrementally
from mds_lightning.explain.incremental.run.kernels import prepare
from mds_lightning.explain.windows import place_windows

KINDS = [
    "conv",
    "conv",
    "pixel",
    "pixel",
    "depthwise",
    "grouped",
    "norm",
    "relu",
    "act",
    "max",
    "mean",
    "add",
    "mul",
]
KINDS += ["cat", "cat", "chunk", "slice", "shuffle", "pad", "crop", "scale", "pool_to", "dropout"]


class RandomNetwork(nn.Module):
    """A network of randomly drawn layers, connected at random."""

    def __init__(self, draw, channels: int, size: tuple[int, int]) -> None:
        super().__init__()
        self.steps = nn.ModuleList()
        self.wiring: list[tuple] = []
        shapes = [(channels, *size)]
        for _ in range(draw(st.integers(1, 9))):
            made = self._add(draw, shapes)
            if made is not None:
                shapes.append(made)
        self.end = draw(st.sampled_from(["mean", "adaptive", "flatten"]))
        self.head = nn.Linear(shapes[-1][0] if self.end != "flatten" else int(np.prod(shapes[-1])), 2)

    def _add(self, draw, shapes):
        recent = range(max(0, len(shapes) - 3), len(shapes))
        # Not a map that has been overwritten.
        source = draw(st.sampled_from([number for number in recent if shapes[number][0]]))
        c, h, w = shapes[source]
        kind = draw(st.sampled_from(KINDS))
        side = st.integers(1, 3)
        if kind == "pixel":
            layer = nn.Conv2d(c, draw(st.sampled_from([2, 4, 6])), 1)
        elif kind in ("conv", "depthwise", "grouped"):
            kernel, stride = (draw(side), draw(side)), (draw(st.integers(1, 2)), draw(st.integers(1, 2)))
            padding, dilation = (draw(st.integers(0, 2)), draw(st.integers(0, 2))), (draw(side), draw(side))
            groups = {"conv": 1, "depthwise": c, "grouped": 2 if c % 2 == 0 else 1}[kind]
            out = c if kind == "depthwise" else draw(st.sampled_from([2, 4, 6]))
            layer = nn.Conv2d(c, out, kernel, stride, padding, dilation, groups, bias=draw(st.booleans()))
        elif kind in ("max", "mean"):
            kernel = (draw(side), draw(side))
            stride = (draw(side), draw(side))
            padding = tuple(draw(st.integers(0, k // 2)) for k in kernel)
            ceil = draw(st.booleans())
            if kind == "max":
                layer = nn.MaxPool2d(kernel, stride, padding, ceil_mode=ceil)
            else:
                layer = nn.AvgPool2d(
                    kernel, stride, padding, ceil, draw(st.booleans()), draw(st.sampled_from([None, 3]))
                )
        elif kind == "norm":
            layer = nn.BatchNorm2d(c)
            nn.init.normal_(layer.running_mean)
            nn.init.uniform_(layer.running_var, 0.5, 2)
            nn.init.normal_(layer.weight)
        elif kind == "relu":
            # In place only where the input is not read afterwards; that case has its own test.
            layer = nn.ReLU(inplace=source == len(shapes) - 1 and source > 0 and draw(st.booleans()))
        elif kind == "act":
            layer = draw(
                st.sampled_from([nn.SiLU(), nn.Sigmoid(), nn.Hardswish(), nn.PReLU(c), nn.LeakyReLU(0.2)])
            )
        elif kind == "dropout":
            layer = nn.Dropout(0.5)
        else:
            return self._wire(draw, kind, source, shapes)
        with torch.no_grad():
            try:
                shape = tuple(layer.eval()(torch.zeros(1, c, h, w)).shape[1:])
            except RuntimeError:
                return None
        if min(shape) < 1:
            return None
        self.steps.append(layer)
        self.wiring.append(("layer", source, len(self.steps) - 1))
        if isinstance(layer, nn.ReLU) and layer.inplace:
            # Later branches must not read what has been overwritten.
            shapes[source] = (0, 0, 0)
            self.wiring[-1] = ("layer", source, len(self.steps) - 1)
        return shape

    def _wire(self, draw, kind, source, shapes):
        c, h, w = shapes[source]
        alike = [i for i, shape in enumerate(shapes) if shape[1:] == (h, w)]
        same = [i for i in alike if shapes[i] == (c, h, w)]
        if kind in ("add", "mul"):
            self.wiring.append((kind, source, draw(st.sampled_from(same))))
            return c, h, w
        if kind == "cat":
            others = [draw(st.sampled_from(alike)) for _ in range(draw(st.integers(1, 2)))]
            self.wiring.append(("cat", source, *others))
            return c + sum(shapes[i][0] for i in others), h, w
        if kind in ("chunk", "slice", "shuffle") and c % 2 == 0:
            self.wiring.append((kind, source, draw(st.integers(0, 1))))
            return (c if kind == "shuffle" else c // 2), h, w
        if kind in ("pad", "crop"):
            widths = [draw(st.integers(0, 2)) for _ in range(4)]
            widths = [-width for width in widths] if kind == "crop" else widths
            shape = (c, h + widths[2] + widths[3], w + widths[0] + widths[1])
            if min(shape) < 1:
                return None
            self.wiring.append(("pad", source, tuple(widths), draw(st.sampled_from([0.0, 0.7]))))
            return shape
        if kind == "scale":
            self.steps.append(nn.ParameterList([nn.Parameter(torch.randn(c, 1, 1))]))
            self.wiring.append(("scale", source, len(self.steps) - 1))
            return c, h, w
        if kind == "pool_to" and h % 2 == 0 and w % 3 == 0:
            self.wiring.append(("pool_to", source, (h // 2, w // 3)))
            return c, h // 2, w // 3
        return None

    def forward(self, x):
        maps = [x]
        for kind, source, *rest in self.wiring:
            y = maps[source]
            if kind == "layer":
                y = self.steps[rest[0]](y)
            elif kind == "add":
                y = y + maps[rest[0]]
            elif kind == "mul":
                y = torch.mul(y, maps[rest[0]])
            elif kind == "cat":
                y = torch.cat([y, *(maps[i] for i in rest)], dim=1)
            elif kind == "chunk":
                y = y.chunk(2, dim=1)[rest[0]]
            elif kind == "slice":
                half = y.shape[1] // 2
                y = y[:, rest[0] * half : rest[0] * half + half]
            elif kind == "shuffle":
                n, c, h, w = y.size()
                y = y.view(n, 2, c // 2, h, w).transpose(1, 2).contiguous().view(n, c, h, w)
            elif kind == "pad":
                y = F.pad(y, rest[0], value=rest[1])
            elif kind == "scale":
                y = 1.5 - y * self.steps[rest[0]][0]
            elif kind == "pool_to":
                y = F.adaptive_avg_pool2d(y, rest[0])
            maps.append(y)
        y = maps[-1]
        if self.end == "mean":
            y = y.mean([2, 3])
        elif self.end == "adaptive":
            y = F.adaptive_avg_pool2d(y, 1).flatten(1)
        else:
            y = y.flatten(1)
        return self.head(y)


@settings(
    deadline=None, max_examples=300, derandomize=True, suppress_health_check=list(HealthCheck), database=None
)
@given(st.data())
def test_random_networks_equal_full_passes(brute_force, data):
    draw = data.draw
    torch.manual_seed(draw(st.integers(0, 2**16)))
    size = (draw(st.integers(5, 19)), draw(st.integers(5, 19)))
    # Single precision is computed by other kernels than double precision.
    dtype, rounding = draw(st.sampled_from([(torch.float64, 1e-10), (torch.float32, 2e-5)]))
    network = RandomNetwork(draw, 3, size).to(dtype).eval()
    window = draw(st.integers(1, 9))
    grid = place_windows(
        *size, window, max(draw(st.integers(1, window)), -(-max(size) // 6)) if window > 5 else window
    )
    inputs, covers = torch.randn(2, draw(st.integers(1, 2)), 3, *size, dtype=dtype)
    chosen = np.ones(grid.shape, dtype=bool)
    with torch.no_grad():
        expected = network(inputs)
        program = read_network(network, inputs)
        plan = make_plan(prepare(program, inputs), grid)
        memory = draw(st.sampled_from([1, 200_000, 1 << 30]))
        whole, covered = pass_incrementally(
            plan, inputs, covers, chosen, memory, inputs.dtype, lambda _: None
        )
    every = brute_force(network, inputs, covers, grid)
    allowed = rounding * max(1.0, float(every.abs().max()))
    torch.testing.assert_close(whole, expected, atol=allowed, rtol=0)
    torch.testing.assert_close(covered, every, atol=allowed, rtol=0)
