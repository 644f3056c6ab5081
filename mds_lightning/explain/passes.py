"""All covered windows of some fields through one network, by the fastest method that is correct."""

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
#: Larger batches are not faster on a CPU.
_MAX_BATCH = 16
#: Number of windows that are compared with full passes before a plan is trusted.
_COMPARED = 2
#: Largest difference of logits that counts as rounding, relative to the largest logit.
_ROUNDING = {torch.float32: 1e-3, torch.float64: 1e-8}

Chosen = npt.NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Logits:
    """Logits of a network.

    Attributes:
        whole: Of the uncovered fields, (n, classes).
        covered: Of the fields with a window covered, (n, rows, columns, classes); NaN where not chosen.
    """

    whole: Tensor
    covered: Tensor


@dataclass(frozen=True)
class Refusal:
    """Why every window is a full pass.

    Attributes:
        reason: For messages.
        alone: Whether each window has to run alone rather than in batches.
    """

    reason: str
    alone: bool


class Passes:
    """Passes covered fields through a network, by the incremental pass where that is correct.

    Args:
        network: From normalised images to logits.
        memory: Bytes for activations; None: 1 GB, on a GPU 4 GB.
        is_fast: Whether the incremental pass may be used; else every window is a full pass.
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
        """Number of scores that the network gives; computed once, until the network changes.

        Raises:
            ValueError: Its output is not one logit, or one a class.
        """
        self._forget_if_changed()
        if self._classes is None:
            self._classes = score_classes(self.network(inputs[:1]), "probability").shape[1]
        return self._classes

    def plan(self, inputs: Tensor, grid: WindowGrid) -> "Plan | Refusal":
        """The plan for the windows of a grid, or why each of them is a full pass."""
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
            covers: What is visible under a window; same shape.
            grid: All windows.
            chosen: Which of them, (rows, columns).
            report: Called with the number of windows that have been computed since the last call.
        """
        plan = self.plan(inputs, grid)
        memory = self.memory or (_GIGABYTE if inputs.device.type == "cpu" else 4 * _GIGABYTE)
        if isinstance(plan, Plan):
            dtype = self.dtype or inputs.dtype
            key = inputs.shape, inputs.dtype, grid
            is_known = key in self._trusted
            # Computed first, while nothing else is in memory.
            sample = None if is_known else self._sample(inputs, covers, grid, chosen)
            logits = Logits(*pass_incrementally(plan, inputs, covers, chosen, memory, dtype, report))
            # What a plan computes depends on shapes and weights only, so its first fields suffice. Only
            # infinite activations can be wrong later, since sums over a map are updated by differences.
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
        """Return the logits of some windows by one full pass each, (n, windows, classes)."""
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
            # A network that cannot be traced might also mix the fields of a batch.
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
        batch = min(batch_within(self.network, inputs, memory), _MAX_BATCH)

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
        """Full passes for some windows of the first field; None where the data type is not exact."""
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
    """A description of the difference, or None where it is rounding."""
    found = torch.stack([logits.covered[0, row, column] for row, column in sample.places])
    rounding = _ROUNDING.get(found.dtype, 1e-2) * max(1.0, float(sample.logits.abs().max()))
    largest = float((found - sample.logits).abs().max())
    return None if largest <= rounding else f"logits differ by {largest:.2g}"


def _windows(grid: WindowGrid, chosen: Chosen) -> list[Window]:
    every = product(grid.rows, grid.columns)
    return [window for window, wanted in zip(every, chosen.reshape(-1), strict=True) if wanted]
