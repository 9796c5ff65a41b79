"""Which branch of a union a Python value belongs to.

The value's class chooses the branches that can take it, best first:

* rank 0, the class is the branch's own: int for int and long, float for double,
  str for string and enum, dict for record and map, datetime for a timestamp, ...
* rank 1, the stored value of a logical type (an int for a timestamp), a string
  for a date, and a float for a float, which loses digits;
* rank 2 and 3, an int for a double, or for a float.

Of several the first that takes the value is written, except that a record
whose fields are just the value's keys goes before one that needs defaults, and
one that has more of the keys before one that has fewer.
``(name, value)`` names the branch: the full name of a record, enum or fixed,
or ``string``, ``array``, ...; a dict may name its record under ``"-type"``.
"""

from collections.abc import Mapping, Sequence
from datetime import date, datetime, time
from decimal import Decimal
from enum import Enum as PythonEnum
from numbers import Integral, Real
from typing import Any, Final, NamedTuple
from uuid import UUID

from serde.codec.binary import Writer, varint
from serde.codec.fault import FAULTS, Fault, as_fault, mismatch, shown
from serde.codec.logical import conversion
from serde.codec.objects import ShapeOf, symbols_of
from serde.codec.schema import Array, Enum, Fixed, Map, Node, Primitive, Record, Union, type_name
from serde.codec.values import Duration

_CLASSES: Final[tuple[type, ...]] = (
    *(type(None), bool, int, float, str, bytes, list, tuple, dict),
    *(datetime, date, time, Decimal, UUID, Duration),
)
# A value of another class is treated as the first of these that it is an instance of.
_KINDS_OF: Final[tuple[tuple[Any, type], ...]] = (
    (str, str),
    ((bytes, bytearray, memoryview), bytes),
    (datetime, datetime),
    (date, date),
    (time, time),
    (Decimal, Decimal),
    (UUID, UUID),
    (Duration, Duration),
    (Integral, int),
    (Real, float),
    (Mapping, dict),
    (Sequence, list),
)
_RANKS: Final[dict[str, dict[type, int]]] = {
    "null": {type(None): 0},
    "boolean": {bool: 0},
    "int": {int: 0},
    "long": {int: 0},
    "float": {float: 1, int: 3},
    "double": {float: 0, int: 2},
    "bytes": {bytes: 0},
    "string": {str: 0},
}


_LONGEST: Final = 200


class _Branch(NamedTuple):
    """fields: the names of a record's fields; None for another type."""

    tag: bytes
    name: str
    write: Writer
    fields: frozenset[str] | None


def union_writer(node: Union, writers: Sequence[Writer], shape_of: ShapeOf) -> Writer:
    branches = [
        _Branch(varint(index), type_name(branch), write, record_fields(branch))
        for index, (branch, write) in enumerate(zip(node.branches, writers, strict=True))
    ]
    by_class = {
        python: [branches[index] for index in indices] for python, indices in branches_by_class(node).items()
    }
    # Most values: of a class that one branch takes, and no tuple, which may name one.
    single = {
        python: (found[0].tag, found[0].write)
        for python, found in by_class.items()
        if len(found) == 1 and python is not tuple
    }
    none: list[_Branch] = []
    expected = " or ".join(branch.name for branch in branches) or "nothing (an empty union)"

    def write(value: Any) -> bytes:
        only = single.get(type(value))
        if only is not None:
            return only[0] + only[1](value)
        found = by_class.get(type(value))
        if found is None:
            of_object = branch_of(node.branches, type(value), shape_of)
            found = by_class.get(class_of(value), none) if of_object is None else [branches[of_object]]
        if type(value) is tuple and node.hints and len(value) == 2 and isinstance(value[0], str):
            named = [branch for branch in branches if branch.name == value[0]]
            if named:
                return named[0].tag + named[0].write(value[1])
            if not found:
                raise Fault(f"the union has no branch {value[0]!r}: it is {expected}")
        if len(found) == 1:
            return found[0].tag + found[0].write(value)
        if not found:
            raise mismatch(expected, value)
        return _best(found, value, expected)

    return write


def record_fields(node: Node) -> frozenset[str] | None:
    """The names of a record's fields; None of another type."""
    return frozenset(field.name for field in node.fields) if isinstance(node, Record) else None


def branches_by_class(node: Union) -> dict[type, tuple[int, ...]]:
    """For each Python class the indices of the branches that can take its values, best first.

    Look up a value's own class, then its `class_of`.
    """
    ranked: dict[type, list[tuple[int, int]]] = {python: [] for python in _CLASSES}
    for index, branch in enumerate(node.branches):
        for python, rank in _ranks(branch).items():
            ranked[python].append((rank, index))
    return {python: tuple(index for _, index in sorted(found)) for python, found in ranked.items()}


def _ranks(node: Node) -> dict[type, int]:
    """The Python classes that a branch takes, with their ranks."""
    match node:
        case Primitive() | Fixed():
            stored = _RANKS[node.kind if isinstance(node, Primitive) else "bytes"]
            convert = conversion(node)
            if convert is None:
                return stored
            text: dict[type, int] = {str: 1} if convert.from_text is not None else {}
            return {**text, **{python: rank + 1 for python, rank in stored.items()}, convert.python: 0}
        case Enum():
            return {str: 0 if node.members is None else 1}  # its values are members: as for objects
        case Array():
            return {list: 0, tuple: 0}
        case Record() if node.make is not None and not issubclass(node.make.cls, dict):
            return {dict: 1}  # its values are objects: a dict is meant for a map beside it
        case Map() | Record():
            return {dict: 0}
        case Union():
            return {}


def class_of(value: object) -> type:
    """The first of the known classes that the value is an instance of."""
    return next((python for kind, python in _KINDS_OF if isinstance(value, kind)), object)


def branch_of(branches: Sequence[Node], cls: type, shape_of: ShapeOf) -> int | None:
    """The branch for the objects of a class, or for the members of an enum; None for those of others.

    The record or enum that is joined to the class, or else has the class's name, or that of a base; where
    there is just one record, an object has no choice. Raises Fault if that leads to none, or to several.
    """
    if issubclass(cls, PythonEnum):
        return _enum_branch(branches, cls)
    if shape_of(cls) is None:
        return None
    records = {index: branch for index, branch in enumerate(branches) if isinstance(branch, Record)}
    if len(records) == 1:
        return next(iter(records))
    for base in cls.__mro__:
        joined = [index for index, record in records.items() if record.make and record.make.cls is base]
        if joined:
            return joined[0]
        shape = shape_of(base)
        for name in shape.names if shape is not None else ():
            found = [n for n, record in records.items() if name in {record.name, _last(record.name)}]
            if len(found) == 1:
                return found[0]
            if found:
                raise Fault(f"{name} is the name of several branches: give (full name, value)")
    expected = " or ".join(map(type_name, branches))
    raise Fault(f"expected {expected}, got an object of the class {cls.__name__}")


def _enum_branch(branches: Sequence[Node], cls: type[PythonEnum]) -> int | None:
    symbols = symbols_of(cls).keys()
    enums = [(index, branch) for index, branch in enumerate(branches) if isinstance(branch, Enum)]
    sharing = [(index, enum) for index, enum in enums if not symbols.isdisjoint(enum.symbols)]
    joined = [n for n, enum in sharing if enum.members and isinstance(enum.members[enum.symbols[0]], cls)]
    named = [index for index, enum in sharing if _last(enum.name) == cls.__name__]
    return next(iter([*joined, *named, *(index for index, _ in sharing)]), None)


def _last(full_name: str) -> str:
    return full_name.rpartition(".")[2]


def _best(found: Sequence[_Branch], value: Any, expected: str) -> bytes:
    exact = [b for b in found if b.fields is None or value.keys() == b.fields]
    rest = [b for b in found if b not in exact]
    rest.sort(key=lambda b: -len(value.keys() & (b.fields or ())))
    reasons = []
    for branch in [*exact, *rest]:
        try:
            return branch.tag + branch.write(value)
        except FAULTS as error:
            reason = str(as_fault(error))
            # A union within a union has reasons of its own, and so on: the text would double at each level.
            reasons.append(
                f"{branch.name}: {reason if len(reason) <= _LONGEST else reason[:_LONGEST] + '...'}"
            )
    raise Fault(f"expected {expected}, got {shown(value)}, which is none of them ({'; '.join(reasons)})")
