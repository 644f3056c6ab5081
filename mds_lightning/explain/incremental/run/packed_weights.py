"""Weights in the memory layouts that oneDNN prefers on this machine."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

#: The serialized descriptor of a layout begins with the weight's shape and data type and four bytes of
#: padding, which are not initialised; the rest distinguishes layouts.
_DESCRIPTOR_START = 112

#: Preferred layouts by shape of the weight, threads and settings of the call; valid for the whole process.
_LAYOUTS: dict[tuple[object, ...], bytes] = {}


class PackedWeight:
    """A weight, packed once for each layout that is needed.

    oneDNN chooses the layout of weights by instruction set, number of threads and size of the input. A weight
    in another layout is converted at every call, which can take longer than the convolution itself. So the
    preferred layout is queried for every input size that occurs; mostly there are one to three of them.

    Args:
        weight: As the layer has it.
        pack: Called with the weight and the arguments of `get`; returns the weight in the layout that is
            preferred for them.
    """

    def __init__(self, weight: Tensor, pack: Callable[..., Tensor]) -> None:
        self._weight = weight.contiguous()
        self._pack = pack
        self._packed: dict[bytes, Tensor] = {}

    def get(self, *settings: object) -> Tensor:
        """Return the weight in the layout that is preferred for a call.

        Args:
            settings: All that the choice depends on: size of the input, stride and the like.
        """
        key = (self._pack, self._weight.shape, self._weight.dtype, torch.get_num_threads(), *settings)
        packed = self._packed.get(_LAYOUTS.get(key, b""))
        if packed is None:
            packed = self._pack(self._weight, *settings)
            layout = _LAYOUTS[key] = _describe_layout(packed)
            packed = self._packed.setdefault(layout, packed)
        return packed


def _describe_layout(packed: Tensor) -> bytes:
    ops: Any = torch.ops.mkldnn
    return bytes(ops._get_mkldnn_serialized_md(packed)[_DESCRIPTOR_START:].numpy())
