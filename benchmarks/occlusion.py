r"""Occlusion maps: this project, captum at its best batch, MONAI, and a plain batched loop, in one process.

    python -m benchmarks.occlusion --sizes 224 448                      # 16 backbones, about an hour
    python -m benchmarks.occlusion --networks squeezenet1_1 --sizes 896
    python -m benchmarks.occlusion --networks squeezenet1_1 --sizes 1920x2560 --window 64 --stride 32 \
        --batches 1 2 --patience 60 --rounds 1
    python -m benchmarks.occlusion --networks resnet18 --device cuda --tf32 --precision bfloat16
    ONEDNN_MAX_CPU_ISA=AVX2 python -m benchmarks.occlusion --networks resnet18 resnet50 --sizes 448 \
        --rounds 1 --batches 1 2 4 --budget 150

Networks of random weights, two classes, float32, one field. The methods run in turn; the table holds the
median seconds of a whole map. With the peers every window takes the same time, so they compute some windows
and their time is scaled up to all of them; this project computes the whole map, or, where that would take
longer than `--patience`, every k-th row of windows (scaled likewise, which counts the uncovered field k
times). `limit` is the ratio of the multiplications of full passes to those for the pixels that the windows
change. `error` is the largest difference of the logits from one full pass per window, relative to the
largest logit; `GB` is the peak memory of the process after our map, libraries included (only in the first
row: later rows follow peers). MONAI is left out where it is not installed (`pip install --no-deps monai`);
it takes no window over the border and cannot cover with a tensor of colours, so it covers with zero, as all
do here.

`ISA` is the instruction set that ATen uses, and where ONEDNN_MAX_CPU_ISA limits oneDNN's, that limit. With
`--budget` no row is begun after so many seconds, and the rows that are missing are listed.
"""

import argparse
import importlib.util
import os
import resource
import statistics
import time
from collections.abc import Callable, Sequence

import numpy as np
import torch
from torch import Tensor
from tqdm.auto import tqdm

from benchmarks.occlusion_peers import Case, by_captum, by_loop, by_monai, clock
from mds_lightning.explain.evaluation_mode import evaluating
from mds_lightning.explain.incremental.plan.plan_summary import count_work
from mds_lightning.explain.incremental.plan.window_plan import Plan
from mds_lightning.explain.passes import Passes
from mds_lightning.explain.windows import place_windows
from mds_lightning.models.backbones import BACKBONES, build_backbone


def by_us(case: Case, passes: Passes, step: int) -> tuple[float, Tensor]:
    """Seconds for a whole map (scaled up where only every `step`-th row is computed), and logits."""
    chosen = np.zeros(case.grid.shape, dtype=bool)
    chosen[::step] = True
    found: list[Tensor] = []

    def work() -> None:
        logits = passes.run(case.field, torch.zeros_like(case.field), case.grid, chosen, lambda _: None)
        found.append(logits.covered)

    return clock(work, case.field.device) * chosen.size / chosen.sum(), found[0]


def largest_error(case: Case, passes: Passes, covered: Tensor) -> float:
    """Largest error of the logits relative to the largest logit, for some windows, the corners included.

    Probabilities of random weights are often 0 or 1 and would hide an error.
    """
    computed = np.flatnonzero(~torch.isnan(covered[0, :, 0, 0]).cpu().numpy())
    rows = computed[np.linspace(0, len(computed) - 1, 3).astype(int)]
    columns = np.linspace(0, case.grid.shape[1] - 1, 3).astype(int)
    places = [(int(row), int(column)) for row in rows for column in columns]
    windows = [(case.grid.rows[row], case.grid.columns[column]) for row, column in places]
    exact = passes.exact(case.field, torch.zeros_like(case.field), windows)[0]
    ours = torch.stack([covered[0, row, column] for row, column in places])
    return float((ours - exact).abs().max() / exact.abs().max())


def compare(
    case: Case, rounds: int, patience: float, precision: torch.dtype | None, batches: Sequence[int]
) -> str:
    """Return a row of the table: medians of all methods, which run in turn."""
    passes = Passes(case.network, None, True, precision)
    plan = passes.plan(case.field, case.grid)
    limit = count_work(plan).limit if isinstance(plan, Plan) else float("nan")
    ways: dict[str, Callable[[Case, int], float]] = {"captum": by_captum, "loop": by_loop}
    if importlib.util.find_spec("monai"):
        ways["MONAI"] = by_monai
    # The first call prepares the plan; the second one estimates the time of a whole map from part of it.
    by_us(case, passes, case.grid.shape[0])
    trial, _ = by_us(case, passes, 8)
    step = max(1, min(case.grid.shape[0], round(trial / patience)))
    seconds, covered = by_us(case, passes, step)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e9
    by_captum(case, batches[0])
    best = min(batches, key=lambda batch: by_captum(case, batch))
    times: dict[str, list[float]] = {"ours": [seconds], **{name: [] for name in ways}}
    for number in range(rounds):
        if number:
            times["ours"].append(by_us(case, passes, step)[0])
        for name, way in ways.items():
            times[name].append(way(case, best) * len(case.grid))
    median = {name: statistics.median(values) for name, values in times.items()}
    ratio = median["captum"] / median["ours"]
    cells = [
        f"{limit:.1f}",
        f"{median['ours']:.2f}" + (f" (1/{step})" if step > 1 else ""),
        *(f"{median[name]:.1f}" if name in median else "-" for name in ("captum", "MONAI", "loop")),
        str(best),
        f"**{ratio:.1f}**",
        f"{ratio / limit:.2f}",
        f"{largest_error(case, passes, covered):.0e}",
        f"{peak:.2f}",
    ]
    return " | ".join(cells)


def name_instructions(device: torch.device) -> str:
    """The GPU, or the instruction set of the CPU kernels."""
    if device.type == "cuda":
        return torch.cuda.get_device_name()
    aten, limit = torch.backends.cpu.get_cpu_capability(), os.environ.get("ONEDNN_MAX_CPU_ISA")
    return f"oneDNN {limit}, ATen {aten}" if limit else aten


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--networks", nargs="+", default=list(BACKBONES), choices=list(BACKBONES))
    parser.add_argument("--sizes", nargs="+", default=["224", "448"], help="side, or HEIGHTxWIDTH")
    parser.add_argument("--window", type=int, default=32)
    parser.add_argument("--stride", type=int, default=16)
    parser.add_argument("--batches", nargs="+", type=int, default=[1, 2, 4, 8, 16], help="of the peers")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--patience", type=float, default=20.0, help="seconds for one of our maps")
    parser.add_argument("--budget", type=float, default=float("inf"), help="seconds to begin rows in")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--tf32", action="store_true", help="let a GPU round float32 to TF32")
    parser.add_argument("--precision", choices=("full", "bfloat16"), default="full", help="of ours alone")
    arguments = parser.parse_args()
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = arguments.tf32
    device = torch.device(arguments.device)
    precision = torch.bfloat16 if arguments.precision == "bfloat16" else None
    isa = name_instructions(device)
    print(
        f"window {arguments.window}, stride {arguments.stride}; {torch.get_num_threads()} CPU threads; "
        "seconds a map; batch: captum's best, for all peers\n\n"
        "| network | px | ISA | limit | ours | captum | MONAI | loop | batch | times captum | of the limit "
        "| error | GB |\n"
        "|---|---|---|---|---|---|---|---|---|---|---|---|---|",
        flush=True,
    )
    began = time.perf_counter()
    missing: list[str] = []
    cases = [(name, size) for size in arguments.sizes for name in arguments.networks]
    for name, size in tqdm(cases, leave=False):
        if time.perf_counter() - began > arguments.budget:
            missing.append(f"{name} {size}")
            continue
        torch.manual_seed(0)
        network = build_backbone(name, 2).to(device)
        height, width = (int(side) for side in (size.split("x") * 2)[:2])
        grid = place_windows(height, width, arguments.window, arguments.stride)
        field = torch.randn(1, 3, height, width, device=device)
        with evaluating(network):
            case = Case(network, field, grid)
            row = compare(case, arguments.rounds, arguments.patience, precision, arguments.batches)
        print(f"| {name} | {size} | {isa} | {row} |", flush=True)
    if missing:
        print(f"\nnot measured within {arguments.budget:.0f} s: {', '.join(missing)}")


if __name__ == "__main__":
    main()
