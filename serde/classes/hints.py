"""Type hints, and the Avro types they stand for."""

import types
import typing
from collections.abc import Collection, Mapping, MutableMapping, MutableSequence, Sequence
from datetime import date, datetime, time
from typing import Any, Final, Literal, get_args, get_origin
from uuid import UUID

from serde.classes.kinds import is_typed_dict, split
from serde.codec.values import NanoDatetime

PRIMITIVES: Final[Mapping[Any, Any]] = {
    type(None): "null",
    bool: "boolean",
    int: "long",
    float: "double",
    str: "string",
    bytes: "bytes",
    date: {"type": "int", "logicalType": "date"},
    time: {"type": "long", "logicalType": "time-micros"},
    datetime: {"type": "long", "logicalType": "timestamp-micros"},
    NanoDatetime: {"type": "long", "logicalType": "timestamp-nanos"},
    UUID: {"type": "string", "logicalType": "uuid"},
}
ARRAYS: Final = (list, Sequence, MutableSequence, Collection)
MAPS: Final = (dict, Mapping, MutableMapping)


def is_union(hint: Any) -> bool:
    return get_origin(hint) in {typing.Union, types.UnionType}


def is_array(hint: Any) -> bool:
    """Whether a hint is of any number of items of one type."""
    return get_origin(hint) in ARRAYS or is_tuple(hint)


def is_tuple(hint: Any) -> bool:
    return get_origin(hint) is tuple and get_args(hint)[1:] == (...,)


def distance(hint: Any, value: object) -> int:
    """How far a type is from being that of a value, as far as its class shows: 0 is its own, 2 is not."""
    bare, _ = split(hint)
    if is_union(bare):
        return min(distance(branch, value) for branch in get_args(bare))
    if get_origin(bare) is Literal:
        return 0 if value in get_args(bare) else 2
    kind = get_origin(bare) or bare
    if not isinstance(kind, type):
        return 2
    if is_typed_dict(kind):
        return 0 if isinstance(value, dict) and value.keys() <= typing.get_type_hints(kind).keys() else 2
    if type(value) is kind:
        return 0
    if kind is float and type(value) is int:
        return 1
    return 2 if kind in PRIMITIVES or not isinstance(value, kind) else 1


def shown(hint: Any) -> str:
    """A hint as a message shows it."""
    return hint.__qualname__ if isinstance(hint, type) and not get_args(hint) else str(hint)
