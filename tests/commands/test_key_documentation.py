from dataclasses import dataclass
from typing import Literal

import pytest

from mds_lightning.commands.key_documentation import Key, list_keys
from mds_lightning.commands.schema import PARAMETERS


@dataclass(frozen=True)
class Base:
    """A base.

    Attributes:
        first: Explained
            over two lines.
    """

    first: int | None = None


@dataclass(frozen=True)
class Derived(Base):
    """Derived from it.

    Attributes:
        second: One of two.

    Raises:
        ValueError: Never.
    """

    second: Literal["a", "b"] = "a"


@dataclass(frozen=True)
class Outer:
    """A group.

    Attributes:
        group: Further keys.
    """

    group: Derived | None = None


@dataclass(frozen=True)
class Undocumented(Base):
    """Nothing."""

    third: int = 0


def test_keys_come_with_type_and_documentation():
    assert list(list_keys(Outer, "x.")) == [
        Key("x.group", "group", "Further keys."),
        Key("x.group.first", "int|null", "Explained over two lines."),
        Key("x.group.second", "a|b", "One of two."),
    ]


def test_an_undocumented_field_is_refused():
    with pytest.raises(ValueError, match="Undocumented: document third under 'Attributes:'"):
        list(list_keys(Undocumented))


@pytest.mark.parametrize("parameters", PARAMETERS.values(), ids=PARAMETERS)
def test_every_key_of_every_verb_is_documented(parameters):
    assert all(key.documentation for key in list_keys(parameters))
