"""All covered windows of some fields through one network, by the fastest way that is right."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from mds_lightning.explain.full import Window, batch_within, pass_in_full
from mds_lightning.explain.incremental.graph.capture import CaptureError
from mds_lightning.explain.incremental.plan.window_plan import Plan, make_plan, read_network
from mds_lightning.explain.incremental.program.program import Program
from mds_lightning.explain.incremental.run.incremental_pass import pass_incrementally
from mds_lightning.explain.incremental.run.kernels import has_packed_kernels, prepare
from mds_lightning.explain.network_state import describe_state
from mds_lightning.explain.score import score_classes
from mds_lightning.explain.windows import WindowGrid

log = logging.getLogger(__name__)

_GIGABYTE = 1 << 30
#: More fields than this in one pass gain nothing on a CPU.
_LARGEST_BATCH = 16
#: Windows that are compared with a pass of their own before a plan is trusted.
_COMPARED = 2
#: Largest difference of logits that is taken for rounding, relative to the largest logit.
_ROUNDING = {torch.float32: 1e-3, torch.float64: 1e-8}

Chosen = npt.NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Logits:
    """What the network said.

    Attributes:
        whole: Of the fields, (n, classes).
        covered: Of the fields with a window covered, (n, rows, columns, classes); NaN where not chosen.
    """

    whole: Tensor
    covered: Tensor


@dataclass(frozen=True)
class Refusal:
    """Why there is no plan.

    Attributes:
        reason: For people.
        alone: Whether each window has to run alone, rather than in batches.
    """

    reason: str
    alone: bool


class Passes:
    """Chooses the way for every grid, checks it, and remembers why.

    Args:
        network: From normalised images to logits.
        memory: Bytes for activations; None: 1 GB, on a GPU 4 GB.
        is_fast: Whether only what a window changes may be computed; else every window is a pass of its own.
        dtype: Data type of the computation; None: the network's own. Narrower ones are not exact.
    """

    def __init__(
        self, network: nn.Module, memory: int | None, is_fast: bool, dtype: torch.dtype | None
    ) -> None:
        self.network = network
        self.memory = memory
        self.is_fast = is_fast
        self.requested_dtype = dtype
        self._state: object = None
        self._programs: dict[tuple[torch.Size, torch.dtype], Program | Refusal] = {}
        self._plans: dict[tuple[torch.Size, torch.dtype, WindowGrid], Plan | Refusal] = {}
        self._trusted: set[tuple[torch.Size, torch.dtype, WindowGrid]] = set()
        self._classes: int | None = None

    @property
    def dtype(self) -> torch.dtype | None:
        """Data type of the computation; None, the network's own, also where the CPU lacks the requested one.

        Without instructions for bfloat16 a CPU is several times slower with it than with float32.
        """
        parameter = next(self.network.parameters(), None)
        on_cpu = parameter is None or parameter.device.type == "cpu"
        dtype = self.requested_dtype
        return None if dtype is not None and on_cpu and not has_packed_kernels(dtype) else dtype

    def count_classes(self, inputs: Tensor) -> int:
        """How many scores the network gives; it is asked once, as long as it stays what it is.

        Raises:
            ValueError: Its output is not one logit, or one a class.
        """
        self._forget_if_changed()
        if self._classes is None:
            self._classes = score_classes(self.network(inputs[:1]), "probability").shape[1]
        return self._classes

    def plan(self, inputs: Tensor, grid: WindowGrid) -> "Plan | Refusal":
        """How the windows are computed, or why each is a pass of its own."""
        if not self.is_fast:
            return Refusal("the fast path is switched off", alone=False)
        self._forget_if_changed()
        kind = inputs.shape[1:], inputs.dtype
        if kind not in self._programs:
            self._programs[kind] = self._read(inputs)
        program = self._programs[kind]
        if isinstance(program, Refusal):
            return program
        key = inputs.shape, inputs.dtype, grid
        if key not in self._plans:
            self._plans[key] = make_plan(program, grid, len(inputs))
        return self._plans[key]

    def run(
        self, inputs: Tensor, covers: Tensor, grid: WindowGrid, chosen: Chosen, report: Callable[[int], Any]
    ) -> Logits:
        """Compute the chosen windows of a grid.

        Args:
            inputs: Fields as the network takes them, (n, C, H, W).
            covers: What is seen where a window covers them; same shape.
            grid: All windows.
            chosen: Which of them, (rows, columns).
            report: Called with the number of windows that are done, now and then.
        """
        plan = self.plan(inputs, grid)
        memory = self.memory or (_GIGABYTE if inputs.device.type == "cpu" else 4 * _GIGABYTE)
        if isinstance(plan, Plan):
            dtype = self.dtype or inputs.dtype
            key = inputs.shape, inputs.dtype, grid
            is_known = key in self._trusted
            # First, as long as nothing else is in memory.
            sample = None if is_known else self._sample(inputs, covers, grid, chosen)
            logits = Logits(*pass_incrementally(plan, inputs, covers, chosen, memory, dtype, report))
            # What a plan computes depends on shapes and weights alone: its first fields tell. Only infinite
            # activations could make a difference later, for sums over a map are updated by differences.
            if is_known and not logits.whole.isfinite().all():
                sample = self._sample(inputs, covers, grid, chosen)
            difference = None if sample is None else _differs(logits, sample)
            if difference is None:
                self._trusted.add(key)
                return logits
            reason = f"it disagreed with a full pass ({difference})"
            log.warning("occlusion maps: the fast path is not used for this network, because %s", reason)
            plan = self._plans[key] = Refusal(reason, alone=True)
        return self._run_in_full(inputs, covers, grid, chosen, 0 if plan.alone else memory, report)

    def exact(self, inputs: Tensor, covers: Tensor, windows: Sequence[Window]) -> Tensor:
        """Logits of some windows, one full pass each: (n, windows, classes)."""
        return pass_in_full(self.network, inputs, covers, windows, 1, lambda _: None)

    def _forget_if_changed(self) -> None:
        state = describe_state(self.network), self.dtype
        if state != self._state:
            # The network has been trained or rebuilt since.
            self._state, self._classes = state, None
            self._programs, self._plans, self._trusted = {}, {}, set()
            if self.dtype is not self.requested_dtype:
                log.warning(
                    "occlusion maps: %s was requested, but MKL-DNN does not support it on this CPU (it "
                    "needs AVX-512BW or AVX-NE-CONVERT, and torch.backends.mkldnn enabled); the maps are "
                    "computed in the network's own data type. Set explain.precision to full to avoid this "
                    "warning",
                    self.requested_dtype,
                )

    def _read(self, inputs: Tensor) -> "Program | Refusal":
        try:
            program = prepare(read_network(self.network, inputs), inputs[:0].to(self.dtype or inputs.dtype))
        except CaptureError as error:
            # What is not understood might even mix the fields of a batch.
            return Refusal(str(error), alone=True)
        if not program.operations:
            reason = (
                "; ".join(program.notes) or "the network does not begin with an operation known to be local"
            )
            return Refusal(reason, alone=False)
        return program

    def _run_in_full(
        self,
        inputs: Tensor,
        covers: Tensor,
        grid: WindowGrid,
        chosen: Chosen,
        memory: int,
        report: Callable[[int], Any],
    ) -> Logits:
        windows = _windows(grid, chosen)
        batch = min(batch_within(self.network, inputs, memory), _LARGEST_BATCH)

        def run(batch: int) -> Logits:
            with torch.autocast(inputs.device.type, self.dtype, enabled=self.dtype is not None):
                whole = torch.cat([self.network(field) for field in inputs.split(1)]).to(inputs.dtype)
                covered = pass_in_full(self.network, inputs, covers, windows, batch, report)
            logits = whole.new_full((len(inputs), *chosen.shape, whole.shape[1]), float("nan"))
            logits[:, torch.from_numpy(chosen).to(inputs.device)] = covered.to(inputs.dtype)
            return Logits(whole, logits)

        sample = self._sample(inputs, covers, grid, chosen) if batch > 1 else None
        logits = run(batch)
        if sample is not None and _differs(logits, sample) is not None:
            log.warning("occlusion maps: the network mixes the fields of a batch, so each window runs alone")
            logits = run(1)
        return logits

    def _sample(self, inputs: Tensor, covers: Tensor, grid: WindowGrid, chosen: Chosen) -> "_Sample | None":
        """Some windows of the first field, a pass each; None where the type is not exact anyhow."""
        if self.dtype is not None:
            return None
        places = np.argwhere(chosen)
        places = places[np.linspace(0, len(places) // 2, _COMPARED).astype(int)]
        windows = [(grid.rows[row], grid.columns[column]) for row, column in places]
        return _Sample(places, self.exact(inputs[:1], covers[:1], windows)[0])


@dataclass(frozen=True, eq=False)
class _Sample:
    """Windows of the first field: (row, column) of each, and exact logits, (windows, classes)."""

    places: npt.NDArray[np.int64]
    logits: Tensor


def _differs(logits: Logits, sample: _Sample) -> str | None:
    """What is wrong with the windows of the sample, if anything."""
    found = torch.stack([logits.covered[0, row, column] for row, column in sample.places])
    rounding = _ROUNDING.get(found.dtype, 1e-2) * max(1.0, float(sample.logits.abs().max()))
    largest = float((found - sample.logits).abs().max())
    return None if largest <= rounding else f"logits differ by {largest:.2g}"


def _windows(grid: WindowGrid, chosen: Chosen) -> list[Window]:
    every = product(grid.rows, grid.columns)
    return [window for window, wanted in zip(every, chosen.reshape(-1), strict=True) if wanted]
