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
"""

import math
import struct
from collections.abc import Iterable, Mapping, Sequence
from decimal import ROUND_CEILING, ROUND_FLOOR, Context, Decimal

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


def normalized(schema: Schema, references: Iterable[Schema] = ()) -> str:
    """The normalised text of `schema`. The top-level types of `references` are named in it.

    Raises SchemaFault where it would nest too deep to be read back.
    """
    return _NormalizingWriter(references).text(schema)


class _NormalizingWriter(Writer):
    def props(self, node: Schema | Field) -> Mapping[str, object]:
        if not node.props:
            return node.props
        leading = [] if isinstance(node, Field) else _logical_type(node)
        names = dict.fromkeys([*leading, *_sorted(node.props)])
        return {name: _ordered(node.props[name]) for name in names}

    def keyword(self, schema: Named) -> str:
        return schema.type

    def doc(self, schema: Named) -> str | None:
        return schema.doc or None

    def aliases(self, schema: Named) -> Sequence[Name]:
        return sorted(schema.aliases, key=lambda alias: _utf16(alias.full))

    def field_aliases(self, field: Field) -> list[str]:
        return _sorted(field.aliases)

    def default(self, field: Field) -> object:
        return _value(field.default, field.schema)


def _utf16(text: str) -> bytes:
    """What Java sorts strings by."""
    return text.encode("utf-16-be")


def _sorted(names: Iterable[str]) -> list[str]:
    return sorted(names, key=_utf16)


def _ordered(value: object) -> object:
    """A JSON value with the members of its objects sorted, at every depth."""
    if isinstance(value, list):
        return list(map(_ordered, value))
    if isinstance(value, dict):
        ordered = {}
        for name in _sorted(value):
            ordered[name] = _ordered(value[name])
        return ordered
    return value


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


def _value(value: object, schema: Schema | None) -> object:
    """The default `value` as Java prints what it read as of `schema`, or of its first fitting branch."""
    branches = schema.branches if isinstance(schema, Union) else [schema]
    for branch in branches:
        kind = branch.type if branch else ""
        match value:
            case dict() if kind != "null":
                members = {}
                for name in _sorted(value):
                    members[name] = _value(value[name], _member(branch, name))
                return members
            case list() if isinstance(branch, Array):
                elements = []
                for element in value:
                    elements.append(_value(element, branch.items))  # noqa: PERF401 - a frame less
                return elements
            case bool() | str() | None:
                return value
            case int() if kind in ("int", "long"):
                return value
            case int() | float() if kind in ("float", "double") and not _is_big(value):
                return float(value) if kind == "double" else _single(value)
    return _ordered(value)


def _member(schema: Schema | None, name: str) -> Schema | None:
    """The type of the member `name` of a default of `schema`; None if there is no telling."""
    match schema:
        case Map():
            return schema.values
        case Record() if name in schema.by_name:
            return schema.by_name[name].schema
    return None


def _single(value: float) -> float:
    """The number that the digits of ``Float.toString(value)`` stand for: the fewest that make this float."""
    single = _as_single(value)
    if single == 0 or not math.isfinite(single):
        return single
    exact = Decimal(single)
    for digits in range(2, 9):
        nearby = [
            Context(digits, rounding).create_decimal(exact) for rounding in (ROUND_FLOOR, ROUND_CEILING)
        ]
        fitting = [number for number in nearby if _as_single(float(number)) == single]
        if fitting:
            return float(min(fitting, key=lambda number: abs(number - exact)))
    return float(Context(9).create_decimal(exact))


def _as_single(value: float) -> float:
    try:
        single: float = struct.unpack("<f", struct.pack("<f", value))[0]
    except OverflowError:
        return math.copysign(math.inf, value)
    return single
