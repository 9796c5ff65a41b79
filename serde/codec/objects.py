"""Objects in place of records and enum symbols: what a codec is told of classes.

The codec knows no kind of class: `serde.classes` does, and tells it. Here is
what it is told: the `Shape` of a class whose instances are written as records,
and the `Make` that a reader's record has on it when it is to become an object.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum as PythonEnum
from functools import lru_cache
from typing import Any, Final, NamedTuple, TypeAlias

_CLASSES: Final = 4096
_SYMBOL: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")


@dataclass(frozen=True, slots=True, eq=False)
class Shape:
    """A class whose instances are written as records.

    names: those a record of it may have, full names first. attributes: which holds each field.
    """

    names: tuple[str, ...]
    attributes: Mapping[str, str]


ShapeOf: TypeAlias = Callable[[type], Shape | None]
"""The shape of a class; None if its instances are not written as records."""


def no_shape(_cls: type) -> Shape | None:
    """For a codec that is told of no classes."""
    return None


class Direct(NamedTuple):
    """For a class whose objects need no `__init__`: their attributes are set, and that is all it would do.

    constants, factories: of the attributes that are in no record. after: called with the object at last.
    """

    constants: Sequence[tuple[str, Any]]
    factories: Sequence[tuple[str, Callable[[], Any]]]
    after: Callable[[Any], object] | None


@dataclass(frozen=True, slots=True, eq=False)
class Make:
    """How a record that was read becomes an object.

    cls: of the object. keys: what `build` calls each field. build: from a dict with these keys; None for one
    that another object's `build` makes of the dict.
    direct: None if only `build` can make one; otherwise the keys are the attributes.
    """

    cls: type
    keys: Mapping[str, str]
    build: Callable[[dict[str, Any]], Any] | None
    direct: Direct | None = None


@lru_cache(_CLASSES)
def symbols_of(cls: type[PythonEnum]) -> Mapping[str, PythonEnum]:
    """The symbol of each member of an enum: its value if all values are names in Avro, its name otherwise."""
    by_value = is_by_value(cls)
    return {member.value if by_value else member.name: member for member in cls}


@lru_cache(_CLASSES)
def is_by_value(cls: type[PythonEnum]) -> bool:
    """Whether the values of an enum's members are its symbols."""
    return all(isinstance(member.value, str) and _SYMBOL.match(member.value) for member in cls)


def symbol_of(member: PythonEnum) -> str:
    """The symbol that a member is written as."""
    symbol: str = member.value if is_by_value(type(member)) else member.name
    return symbol
