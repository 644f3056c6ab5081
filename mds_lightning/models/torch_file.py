"""Files of `torch.save`, read as data: no code in them runs, and they need no more memory than their size."""

import os
import pickle
import re
import warnings
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path

import torch
from torch import Tensor

#: Makes torch.load ignore its own `weights_only=True`.
_FORCED = "TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD"
_FLOATS = (torch.float16, torch.bfloat16, torch.float32, torch.float64)
_OTHERS = (torch.bool, torch.uint8, torch.int8, torch.int16, torch.int32, torch.int64)


class TorchFileError(ValueError):
    """The content of a file cannot be used; the message names the file, what is wrong and what to do."""


def read_torch_file(path: Path) -> object:
    """Read a file of `torch.save` that holds tensors and plain values only.

    Args:
        path: A local file.

    Returns:
        Its content, with all tensors on the CPU.

    Raises:
        TorchFileError: The file is damaged or compressed, holds other objects, or has an unusual tensor (see
            `find_unusual`).
    """
    if os.environ.get(_FORCED, "0") not in ("", "0"):
        raise TorchFileError(
            f"{path} is not read while the environment variable {_FORCED} is set, because the file could run "
            "code: unset the variable"
        )
    _refuse_compressed(path)
    try:
        with warnings.catch_warnings():
            # About kinds of tensors that are refused below.
            warnings.simplefilter("ignore")
            content: object = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # damaged files raise errors of many types
        foreign = (
            re.search(r"GLOBAL (\S+)", str(error)) if isinstance(error, pickle.UnpicklingError) else None
        )
        if foreign is None:
            raise TorchFileError(
                f"{path} is damaged or not a file of torch.save ({type(error).__name__})"
            ) from error
        raise TorchFileError(
            f"{path} holds more than tensors ({foreign[1]}), and loading it could run code"
        ) from error
    tensors = dict(_named_tensors(content, "", set()))
    for name, tensor in tensors.items():
        refuse_unusual(path, name, tensor)
    stored = {tensor.untyped_storage().data_ptr(): tensor.untyped_storage() for tensor in tensors.values()}
    if sum(storage.nbytes() for storage in stored.values()) > path.stat().st_size:
        raise TorchFileError(f"{path} declares tensors that it does not hold: the file is damaged")
    return content


def refuse_unusual(path: Path, name: str, tensor: Tensor) -> None:
    """Raise unless a tensor is dense, in memory, of an ordinary type and as large as its data.

    No value of the tensor is read: a few bytes can describe a tensor of any size.

    Raises:
        TorchFileError: With the name of the tensor and what is unusual about it.
    """
    unusual = find_unusual(tensor)
    if unusual is not None:
        raise TorchFileError(
            f"{path}: the tensor {name} is {unusual}, which cannot be loaded: write the dense tensors of a "
            "network in float32 (`torch.save(network.state_dict(), FILE)`)"
        )


def find_unusual(tensor: Tensor) -> str | None:
    """What distinguishes a tensor from a dense one with its own data; None if nothing does."""
    if tensor.is_meta:
        return "without data (on the device meta)"
    if tensor.is_quantized:
        return f"quantised ({tensor.dtype})"
    if tensor.is_nested or tensor.layout != torch.strided:
        return f"not dense ({tensor.layout})"
    if tensor.dtype not in (*_FLOATS, *_OTHERS):
        return f"of the type {tensor.dtype}"
    if tensor.numel() * tensor.element_size() > tensor.untyped_storage().nbytes():
        return f"expanded (shape {tuple(tensor.shape)} of {tensor.untyped_storage().nbytes()} bytes)"
    return None


def _refuse_compressed(path: Path) -> None:
    """Raise if the members of a file are larger than the file: torch.save compresses nothing."""
    try:
        with zipfile.ZipFile(path) as archive:
            members = archive.infolist()
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError):
        return  # the older format, or a damaged file, which torch.load refuses
    packed = next((one for one in members if one.compress_type != zipfile.ZIP_STORED), None)
    size = path.stat().st_size
    if packed is not None or sum(one.file_size for one in members) > size:
        what = f"its member {packed.filename} is compressed" if packed else "its members overlap"
        raise TorchFileError(
            f"{path} was not written by torch.save: {what}, and it may need far more memory than {size} bytes"
        )


def _named_tensors(content: object, name: str, seen: set[int]) -> Iterator[tuple[str, Tensor]]:
    """Every tensor in nested mappings and sequences, with its keys joined by dots."""
    if isinstance(content, Tensor):
        yield name, content
    elif isinstance(content, Mapping | list | tuple | set) and id(content) not in seen:
        seen.add(id(content))
        items = content.items() if isinstance(content, Mapping) else enumerate(content)
        for key, value in items:
            yield from _named_tensors(value, f"{name}.{key}" if name else str(key), seen)
