"""Damaged and altered versions of the files of a study, from a seed."""

import io
import json
import re
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pandas as pd
import torch
import yaml
from numpy.random import Generator

Mutation = Callable[[bytes, Generator], bytes]

#: Values of wrong types or ranges.
_ODD: tuple[Any, ...] = (
    None, True, "", "x", -1, 0, 0.5, 1e308, float("nan"), 10**30, [], {}, [[]], {"a": 1}, "0" * 64,
)  # fmt: skip


def _flip(content: bytes, random: Generator) -> bytes:
    changed = bytearray(content)
    for _ in range(random.integers(1, 4)):
        changed[random.integers(len(changed))] ^= 1 << int(random.integers(8))
    return bytes(changed)


def _overwrite(content: bytes, random: Generator) -> bytes:
    start = int(random.integers(len(content)))
    noise = random.bytes(int(random.integers(1, 64)))
    return content[:start] + noise + content[start + len(noise) :]


def _truncate(content: bytes, random: Generator) -> bytes:
    return content[: random.integers(len(content))]


def _empty(content: bytes, random: Generator) -> bytes:
    return b""


def _append(content: bytes, random: Generator) -> bytes:
    return content + random.bytes(int(random.integers(1, 40)))


def _swap_blocks(content: bytes, random: Generator) -> bytes:
    size = max(1, len(content) // 8)
    first, second = sorted(int(place) for place in random.integers(0, max(1, len(content) - size), 2))
    changed = bytearray(content)
    changed[first : first + size], changed[second : second + size] = (
        changed[second : second + size],
        changed[first : first + size],
    )
    return bytes(changed)


ANY: tuple[Mutation, ...] = (_flip, _flip, _overwrite, _truncate, _empty, _append, _swap_blocks)


def _encode(content: bytes, random: Generator) -> bytes:
    text = content.decode().replace("a", "ä")
    return text.encode(str(random.choice(["utf-16", "latin-1", "utf-8-sig"])))


def _change_digit(content: bytes, random: Generator) -> bytes:
    places = [match.start() for match in re.finditer(rb"\d", content)]
    place = int(random.choice(places))
    return content[:place] + str(random.integers(10)).encode() + content[place + 1 :]


def _repeat_line(content: bytes, random: Generator) -> bytes:
    lines = content.splitlines(keepends=True)
    place = int(random.integers(len(lines)))
    return b"".join([*lines[: place + 1], lines[place], *lines[place + 1 :]])


def _nodes(value: Any) -> list[tuple[Any, Any]]:
    """Every (container, key) in nested lists and dictionaries."""
    keys = list(value) if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ()
    return [(value, key) for key in keys] + [node for key in keys for node in _nodes(value[key])]


def _change_node(value: Any, random: Generator) -> None:
    nodes = _nodes(value)
    container, key = nodes[random.integers(len(nodes))]
    if random.random() < 0.3:
        del container[key]
    elif random.random() < 0.2 and isinstance(container, list):
        container.append(container[key])
    else:
        container[key] = _ODD[random.integers(len(_ODD))]


def _change_json(content: bytes, random: Generator) -> bytes:
    value = json.loads(content)
    for _ in range(random.integers(1, 3)):
        _change_node(value, random)
    return json.dumps(value).encode()


def _change_yaml(content: bytes, random: Generator) -> bytes:
    value = yaml.safe_load(content)
    _change_node(value, random)
    return yaml.safe_dump(value, sort_keys=False).encode()


def _replace_top(content: bytes, random: Generator) -> bytes:
    return json.dumps(_ODD[random.integers(len(_ODD))]).encode()


def _nest(content: bytes, random: Generator) -> bytes:
    return b"[" * 20_000


TEXT = (*ANY, _encode, _change_digit, _change_digit, _repeat_line, _replace_top, _nest)
JSON: tuple[Mutation, ...] = (*TEXT, *[_change_json] * 6)
YAML: tuple[Mutation, ...] = (*TEXT, *[_change_yaml] * 6)


def _change_table(content: bytes, random: Generator) -> bytes:
    table = pd.read_parquet(io.BytesIO(content))
    column, other = (str(name) for name in random.choice(table.columns, 2, replace=False))
    row, second = (int(place) for place in random.choice(len(table), 2, replace=False))
    match random.integers(8):
        case 0:
            table = table.drop(index=row)
        case 1:
            table = pd.concat([table, table.iloc[[row]]])
        case 2:
            table = table.drop(columns=column)
        case 3:
            table = table.rename(columns={column: other + "_"})
        case 4:
            kept = table.loc[row].copy()
            table.loc[row] = table.loc[second]
            table.loc[second] = kept
        case 5:
            table[column] = table[column].astype(str)
        case 6:
            table[column] = table[other].to_numpy()
        case _:
            names = [name for name in table if name.startswith("prob_")]
            table.loc[row, names] = table.loc[row, names].to_numpy()[::-1]
    written = io.BytesIO()
    table.to_parquet(written, index=False)
    return written.getvalue()


TABLE: tuple[Mutation, ...] = (*ANY, *[_change_table] * 7)


def _change_arrays(content: bytes, random: Generator) -> bytes:
    with np.load(io.BytesIO(content)) as read:
        arrays = dict(read)
    key = str(random.choice(list(arrays)))
    values = arrays[key]
    match random.integers(5):
        case 0:
            del arrays[key]
        case 1:
            arrays[key] = np.array("text")
        case 2:
            arrays[key] = np.full(np.shape(values), np.nan)
        case 3:
            arrays[key] = np.stack([values, values])
        case _:
            arrays[key] = np.flip(values) if values.ndim else np.array(int(random.integers(-5, 9)))
    written = io.BytesIO()
    np.savez_compressed(written, **arrays)
    return written.getvalue()


ARRAYS: tuple[Mutation, ...] = (*ANY, *[_change_arrays] * 7)


def _change_checkpoint(content: bytes, random: Generator) -> bytes:
    checkpoint = torch.load(io.BytesIO(content), weights_only=True)
    weights = checkpoint["state_dict"]
    name = str(random.choice(list(weights)))
    match random.integers(6):
        case 0:
            del weights[name]
        case 1:
            weights[name] = torch.full(weights[name].shape, float("nan"))
        case 2:
            weights[name] = weights[name] + 1
        case 3:
            checkpoint["hyper_parameters"]["classes"].reverse()
        case 4:
            del checkpoint[str(random.choice(list(checkpoint)))]
        case _:
            checkpoint["origin"] = {"fold": 1}
    written = io.BytesIO()
    torch.save(checkpoint, written)
    return written.getvalue()


CHECKPOINT: tuple[Mutation, ...] = (*ANY, *[_change_checkpoint] * 3)


def mutate(content: bytes, mutations: Sequence[Mutation], seed: int) -> bytes:
    """The content after one of the mutations."""
    random = np.random.default_rng(seed)
    return mutations[seed % len(mutations)](content, random)
