"""Logical types: Python's dates, times, decimals and UUIDs to and from the values Avro stores.

Writing takes the Python type or the stored value as it is; reading gives the
Python type. A logical type that is not known, or stands on a type it is not
for, is read and written as its stored value, as the specification says. A
number that Python's type cannot hold (the year 10000) is a fault, never a
wrong value. Source: Avro 1.12 specification, "Logical Types".
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, time
from decimal import Decimal
from functools import partial
from typing import Any, Final, TypeAlias
from uuid import UUID

from serde.codec import decimals, times
from serde.codec.fault import Fault, shown
from serde.codec.schema import Fixed, Logical, Node, Primitive
from serde.codec.values import Duration

Convert: TypeAlias = Callable[[Any], Any]

_MILLI, _MICRO, _NANO = 1_000_000, 1000, 1


@dataclass(frozen=True, slots=True)
class Conversion:
    """How one logical type is written and read.

    python: the Python type that reading gives.
    encode: a value of that type to the stored value.
    decode: the stored value to a value of that type.
    family: conversions of one family stand for the same thing in different units.
    from_text: a string given by the user to the stored value; None if strings are not taken.
    unit: of a time, in nanoseconds.
    logical, size: of a decimal; size is None for bytes.
    """

    python: type
    encode: Convert
    decode: Convert
    family: str
    from_text: Convert | None = None
    unit: int = 0
    logical: Logical | None = None
    size: int | None = None


def conversion(node: Node) -> Conversion | None:
    """The conversion of a node's logical type; None if it has none that is known."""
    if not isinstance(node, Primitive | Fixed) or node.logical is None:
        return None
    kind, size = (node.kind, None) if isinstance(node, Primitive) else (f"fixed {node.size}", node.size)
    if node.logical.name == "decimal":
        return _decimal(node.logical, size)
    return _TABLE.get((kind, node.logical.name))


def _decimal(logical: Logical, size: int | None) -> Conversion:
    precision, scale = logical.precision, logical.scale
    return Conversion(
        Decimal,
        partial(decimals.decimal_to_bytes, precision=precision, scale=scale, size=size),
        partial(decimals.decimal_from_bytes, scale=scale),
        "decimal",
        logical=logical,
        size=size,
    )


def _timestamp(unit: int) -> Conversion:
    return Conversion(
        datetime,
        partial(times.timestamp_to_number, unit=unit),
        partial(times.timestamp_from_number, unit=unit),
        "timestamp",
        unit=unit,
    )


def _local_timestamp(unit: int) -> Conversion:
    return Conversion(
        datetime,
        partial(times.local_timestamp_to_number, unit=unit),
        partial(times.local_timestamp_from_number, unit=unit),
        "local-timestamp",
        unit=unit,
    )


def _time(unit: int) -> Conversion:
    return Conversion(
        time,
        partial(times.time_to_number, unit=unit),
        partial(times.time_from_number, unit=unit),
        "time",
        unit=unit,
    )


def _uuid_from_text(text: str) -> str:
    made = str(_uuid(text))
    # Python reads more forms than others do; those are written in the one that all read.
    return text if text.lower() == made else made


def _uuid_to_bytes(value: UUID) -> bytes:
    return value.bytes


def _uuid_from_bytes(raw: bytes) -> UUID:
    return UUID(bytes=raw)


def _uuid_bytes_from_text(text: str) -> bytes:
    return _uuid(text).bytes


def _uuid(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise Fault(f"expected a UUID, got {shown(text)}") from None


_TABLE: Final = {
    ("int", "date"): Conversion(
        date, times.date_to_number, times.date_from_number, "date", times.date_from_text
    ),
    ("int", "time-millis"): _time(_MILLI),
    ("long", "time-micros"): _time(_MICRO),
    ("long", "timestamp-millis"): _timestamp(_MILLI),
    ("long", "timestamp-micros"): _timestamp(_MICRO),
    ("long", "timestamp-nanos"): _timestamp(_NANO),
    ("long", "local-timestamp-millis"): _local_timestamp(_MILLI),
    ("long", "local-timestamp-micros"): _local_timestamp(_MICRO),
    ("long", "local-timestamp-nanos"): _local_timestamp(_NANO),
    ("string", "uuid"): Conversion(UUID, str, UUID, "uuid", _uuid_from_text),
    ("fixed 16", "uuid"): Conversion(UUID, _uuid_to_bytes, _uuid_from_bytes, "uuid", _uuid_bytes_from_text),
    ("fixed 12", "duration"): Conversion(
        Duration, times.duration_to_bytes, times.duration_from_bytes, "duration"
    ),
    ("bytes", "big-decimal"): Conversion(
        Decimal, decimals.big_decimal_to_bytes, decimals.big_decimal_from_bytes, "decimal"
    ),
}

LOGICAL_TYPES: Final = frozenset({"decimal", *(name for _, name in _TABLE)})
"""The names of all that are known."""
