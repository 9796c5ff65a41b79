"""The text that ``normalize=true`` registers (reference, 4.3), as Confluent's AvroSchema.normalize makes it.

Confluent prints full names and every ``order``, and sorts; then it parses that
text, and stores what Java's ``Schema.toString()`` makes of it. So the text is
canonical like any other, and this is left of it:

* attributes that the specification does not know are sorted by name, and so are the members of their
  values and of defaults, all the way down; arrays stay as they are. A logical type of Avro's that fits its
  type comes before them, a decimal's precision and scale (unless 0) with it
* aliases are sorted, by their full names
* the default of a float or double is printed as one: 1 becomes 1.0, and a float keeps the digits it needs
* an empty doc of a record, enum or fixed goes, and an error becomes a record

Two things that Confluent does to a schema are left undone, because they change what it means: it moves a type
without a namespace into that of the type around it, and it drops a default that it cannot convert.

This is read from the source of Confluent's client library, not seen at a running registry.
"""

import math
import struct
from collections.abc import Iterable, Mapping, Sequence
from functools import partial

from registry.languages.avro.canonical import Writer
from registry.languages.avro.schema import (
    Array,
    Field,
    Fixed,
    Map,
    Name,
    Named,
    Record,
    Schema,
    Union,
)

_BACKING = {
    "date": {"int"},
    "time-millis": {"int"},
    "time-micros": {"long"},
    "timestamp-millis": {"long"},
    "timestamp-micros": {"long"},
    "timestamp-nanos": {"long"},
    "local-timestamp-millis": {"long"},
    "local-timestamp-micros": {"long"},
    "local-timestamp-nanos": {"long"},
    "uuid": {"string", "fixed"},
    "duration": {"fixed"},
    "decimal": {"bytes", "fixed"},
    "big-decimal": {"bytes"},
}
"""Java Avro 1.12's logical types, and the types each may stand on."""

_SIZES = {"uuid": 16, "duration": 12}
_JAVA_ATTRIBUTES = ("avro.java.string", "java-class", "java-key-class", "java-element-class")
_MAX_PRECISION = 2**31 - 1
_LEAST_NORMAL = 2.0**-126


def normalized(schema: Schema, references: Iterable[Schema] = ()) -> str:
    """The normalised text of `schema`. The top-level types of `references` are named in it.

    Raises SchemaFault where it would nest too deep to be read back.
    """
    return _NormalizingWriter(references).text(schema)


class _NormalizingWriter(Writer):
    def __init__(self, references: Iterable[Schema]) -> None:
        super().__init__(references)
        self._takers: dict[int, dict[type, Schema]] = {}

    def props(self, node: Schema | Field) -> Mapping[str, object]:
        if not node.props:
            return node.props
        leading = [] if isinstance(node, Field) else _logical_type(node)
        names = dict.fromkeys([*leading, *_sorted(node.props)])
        return {name: self._value(node.props[name], None) for name in names}

    def keyword(self, schema: Named) -> str:
        return schema.type

    def doc(self, schema: Named) -> str | None:
        return schema.doc or None

    def aliases(self, schema: Named) -> Sequence[Name]:
        return sorted(schema.aliases, key=lambda alias: _utf16(alias.full))

    def field_aliases(self, field: Field) -> list[str]:
        return _sorted(field.aliases)

    def default(self, field: Field) -> object:
        return self._value(field.default, field.schema)

    def _value(self, value: object, schema: Schema | None) -> object:
        """A JSON value as Java prints what it read as of `schema`: members sorted, at every depth."""
        # One frame of Python's stack a level, as in Writer.schema: so no comprehensions.
        taker = self._taker(schema, type(value)) if isinstance(schema, Union) else schema
        match value:
            case dict():
                members = {}
                for name in _sorted(value):
                    members[name] = self._value(value[name], _member(taker, name))
                return members
            case list():
                items = taker.items if isinstance(taker, Array) else None
                return list(map(partial(self._value, schema=items), value))
            case bool():
                return value
            case int() | float() if taker and taker.type in ("float", "double") and not _is_big(value):
                return float(value) if taker.type == "double" else _single(value)
        return value

    def _taker(self, union: Union, kind: type) -> Schema | None:
        """The branch as of which Java reads a value: the first that is not null, for an object."""
        takers = self._takers.get(id(union))
        if takers is None:
            takers = self._takers[id(union)] = {}
            for branch in union.branches:
                for taken in _kinds(branch):
                    takers.setdefault(taken, branch)
        return takers.get(kind)


def _kinds(branch: Schema) -> Iterable[type]:
    match branch.type:
        case "null":
            return ()
        case "array":
            return (list, dict)
        case "int" | "long":
            return (int, dict)
        case "float" | "double":
            return (int, float, dict)
    return (dict,)


def _utf16(text: str) -> bytes:
    """What Java sorts strings by."""
    return text.encode("utf-16-be")


def _sorted(names: Iterable[str]) -> list[str]:
    return sorted(names, key=_utf16)


def _logical_type(schema: Schema) -> list[str]:
    """The attributes that make the logical type of `schema`, if Java would take it for one."""
    name = schema.props.get("logicalType")
    if not isinstance(name, str) or schema.type not in _BACKING.get(name, ()):
        return []
    if any(isinstance(schema.props.get(attribute), str) for attribute in _JAVA_ATTRIBUTES):
        return []
    if name == "decimal":
        return _decimal(schema)
    if isinstance(schema, Fixed) and schema.size != _SIZES[name]:
        return []
    return ["logicalType"]


def _decimal(schema: Schema) -> list[str]:
    precision, scale = schema.props.get("precision"), schema.props.get("scale", 0)
    if not isinstance(precision, int) or not isinstance(scale, int):
        return []
    if isinstance(precision, bool) or isinstance(scale, bool):
        return []
    digits = (
        math.floor(math.log10(2) * (8 * schema.size - 1)) if isinstance(schema, Fixed) else _MAX_PRECISION
    )
    if not (0 < precision <= digits and 0 <= scale <= precision):
        return []
    return ["logicalType", "precision", "scale"] if scale else ["logicalType", "precision"]


def _is_big(value: float) -> bool:
    """Whether it is an integer that Java has no default of: it stays as it is."""
    return isinstance(value, int) and not -(2**63) <= value < 2**63


def _member(schema: Schema | None, name: str) -> Schema | None:
    """The type of the member `name` of a default of `schema`; None if there is no telling."""
    match schema:
        case Map():
            return schema.values
        case Record() if name in schema.by_name:
            return schema.by_name[name].schema
    return None


def _single(value: float) -> float:
    """The number that ``Float.toString`` of Java 19 and later prints: the fewest digits that make this float.

    For three powers of two (2^-96, 2^87, 2^90) Java does with one digit less.
    """
    single = _as_single(value)
    if single == 0 or not math.isfinite(single):
        return single
    # Six digits tell any two normal floats apart: where six do, `format` leaves zeros for those not needed.
    for digits in range(6 if abs(single) >= _LEAST_NORMAL else 2, 9):
        printed = float(format(single, f".{digits - 1}e"))
        if _as_single(printed) == single:
            return printed
    return float(format(single, ".8e"))


def _as_single(value: float) -> float:
    try:
        single: float = struct.unpack("<f", struct.pack("<f", value))[0]
    except OverflowError:
        return math.copysign(math.inf, value)
    return single
