"""Strict reading of JSON: what is refused, and that the message names the key."""

from pathlib import Path
from typing import NotRequired, TypedDict

import pytest

from mds_lightning.cohort.damaged_file import DamagedFileError
from mds_lightning.cohort.json_record import read_json_record


class Part(TypedDict):
    score: float


class Record(TypedDict):
    name: str
    parts: list[Part]
    sizes: NotRequired[dict[str, int]]
    note: NotRequired[str | None]


VALID = b'{"name": "a", "parts": [{"score": 1}, {"score": NaN}], "sizes": {"x": 3}, "note": null, "new": 1}'


def test_a_valid_record_is_read_with_unknown_keys(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_bytes(VALID)
    record = read_json_record(tmp_path / "a.json", Record, "restore it")
    assert (record["name"], record["parts"][0], record["new"]) == ("a", {"score": 1}, 1)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "Expecting value"),
        (b"[]", "the content is not an object with keys"),
        (b'{"name": "a"}', "the key parts is missing"),
        (VALID.replace(b'"a"', b"7"), "the key name is not a text"),
        (VALID.replace(b"NaN", b'"x"'), r"the key parts\[1\].score is not a number"),
        (VALID.replace(b"NaN", b"true"), r"the key parts\[1\].score is not a number"),
        (VALID.replace(b"NaN", b"1e999"), r"the key parts\[1\].score is not a number"),
        (VALID.replace(b"3", b"3.5"), "the key sizes.x is not a whole number"),
        (VALID.replace(b"3", b"9" * 30), "the key sizes.x is not a whole number"),
        (VALID.replace(b"null", b"[]"), "the key note is not a text"),
        (VALID.replace(b"new", b"name"), "the key 'name' occurs twice"),
        (VALID.decode().encode("utf-16"), "can't decode"),
        (b"[" * 100_000, "recursion"),
    ],
)
def test_a_damaged_record_is_refused_by_name(tmp_path: Path, content: bytes, said: str) -> None:
    (tmp_path / "a.json").write_bytes(content)
    with pytest.raises(DamagedFileError, match=rf"a\.json is damaged \(.*{said}.*\): restore it"):
        read_json_record(tmp_path / "a.json", Record, "restore it")
