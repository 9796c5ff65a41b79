"""Logical types: Python's dates, times, decimals and UUIDs to and from the values Avro stores.

Writing takes the Python type or the stored value as it is; reading gives the
Python type. A logical type that is not in the table (duration, nanoseconds, a
future one) is read and written as its stored value, as the specification says.
A number that Python's type cannot hold (the year 10000) is a fault, never a
wrong value.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import MAX_EMAX, MAX_PREC, MIN_EMIN, Context, Decimal
from typing import Any, Final, TypeAlias
from uuid import UUID

from serde.codec.fault import Fault, shown
from serde.codec.schema import Fixed, Logical, Node, Primitive

Convert: TypeAlias = Callable[[Any], Any]

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_LOCAL_EPOCH: Final = datetime(1970, 1, 1)
_EPOCH_DAY: Final = date(1970, 1, 1).toordinal()
# Exact: no number is ever rounded, whatever its precision.
_EXACT: Final = Context(prec=MAX_PREC, Emax=MAX_EMAX, Emin=MIN_EMIN)


@dataclass(frozen=True, slots=True)
class Conversion:
    """How one logical type is written and read.

    python: the Python type that reading gives.
    encode: a value of that type to the stored value.
    decode: the stored value to a value of that type.
    family: conversions of one family stand for the same thing in different units.
    from_text: a string given by the user to the stored value; None if strings are not taken.
    """

    python: type
    encode: Convert
    decode: Convert
    family: str
    from_text: Convert | None = None


def conversion(node: Node) -> Conversion | None:
    """The conversion of a node's logical type; None if it has none that is known."""
    if not isinstance(node, Primitive | Fixed) or node.logical is None:
        return None
    kind = node.kind if isinstance(node, Primitive) else "fixed"
    if node.logical.name == "decimal":
        return _decimal(node.logical, node.size if isinstance(node, Fixed) else None)
    return _TABLE.get((kind, node.logical.name))


def _decimal(logical: Logical, size: int | None) -> Conversion:
    """bytes or fixed: the unscaled number, two's complement, big-endian."""
    precision, scale, limit = logical.precision, logical.scale, 10**logical.precision

    def encode(value: Decimal) -> bytes:
        sign, digits, exponent = value.as_tuple()
        if not isinstance(exponent, int):
            raise Fault(f"expected a decimal, got {value}")
        if max(exponent, 0) > precision:
            raise Fault(f"the decimal {value} has more than {precision} digits")
        unscaled = int("".join(map(str, digits)))
        shift = exponent + scale
        if shift >= 0:
            unscaled *= int(10**shift)
        elif -shift > len(digits) and unscaled:
            raise Fault(f"the decimal {value} has more than {scale} digits after the point")
        else:
            unscaled, lost = divmod(unscaled, 10 ** min(-shift, len(digits)))
            if lost:
                raise Fault(f"the decimal {value} has more than {scale} digits after the point")
        if unscaled >= limit:
            raise Fault(f"the decimal {value} has more than {precision} digits at scale {scale}")
        if sign:
            unscaled = -unscaled
        # One bit for the sign; -128 needs one byte though its magnitude has eight bits.
        length = size if size is not None else (max(unscaled, ~unscaled).bit_length() + 8) // 8
        return unscaled.to_bytes(length, "big", signed=True)

    def decode(raw: bytes) -> Decimal:
        return Decimal(int.from_bytes(raw, "big", signed=True)).scaleb(-scale, _EXACT)

    return Conversion(Decimal, encode, decode, "decimal")


def _since(epoch: datetime, value: datetime, unit: int) -> int:
    """Whole units of `unit` microseconds from `epoch` to `value`, rounded down."""
    delta = value - epoch
    return ((delta.days * 86_400 + delta.seconds) * 1_000_000 + delta.microseconds) // unit


def _timestamp(unit: int) -> Conversion:
    def encode(value: datetime) -> int:
        # A datetime without a zone is local time, as everywhere in Python's datetime.
        return _since(_EPOCH, value if value.tzinfo else value.astimezone(UTC), unit)

    def decode(raw: int) -> datetime:
        return _EPOCH + timedelta(microseconds=raw * unit)

    return Conversion(datetime, encode, decode, "timestamp")


def _local_timestamp(unit: int) -> Conversion:
    def encode(value: datetime) -> int:
        return _since(_LOCAL_EPOCH, value.replace(tzinfo=None), unit)

    def decode(raw: int) -> datetime:
        return _LOCAL_EPOCH + timedelta(microseconds=raw * unit)

    return Conversion(datetime, encode, decode, "local-timestamp")


def _time(unit: int) -> Conversion:
    def encode(value: time) -> int:
        seconds = (value.hour * 60 + value.minute) * 60 + value.second
        return (seconds * 1_000_000 + value.microsecond) // unit

    def decode(raw: int) -> time:
        if raw < 0:
            raise Fault(f"the time of day {raw} is before midnight")
        seconds, micros = divmod(raw * unit, 1_000_000)
        minutes, seconds = divmod(seconds, 60)
        return time(minutes // 60, minutes % 60, seconds, micros)

    return Conversion(time, encode, decode, "time")


def _encode_date(value: date) -> int:
    if isinstance(value, datetime):
        raise Fault(f"expected a date, got {shown(value)}, whose time of day would be lost")
    return value.toordinal() - _EPOCH_DAY


def _decode_date(raw: int) -> date:
    return date.fromordinal(raw + _EPOCH_DAY)


def _date_from_text(text: str) -> int:
    try:
        return _encode_date(date.fromisoformat(text))
    except ValueError:
        raise Fault(f"expected a date, or one as YYYY-MM-DD, got {shown(text)}") from None


def _uuid_from_text(text: str) -> str:
    try:
        UUID(text)
    except ValueError:
        raise Fault(f"expected a UUID, got {shown(text)}") from None
    return text


_TABLE: Final = {
    ("int", "date"): Conversion(date, _encode_date, _decode_date, "date", _date_from_text),
    ("int", "time-millis"): _time(1000),
    ("long", "time-micros"): _time(1),
    ("long", "timestamp-millis"): _timestamp(1000),
    ("long", "timestamp-micros"): _timestamp(1),
    ("long", "local-timestamp-millis"): _local_timestamp(1000),
    ("long", "local-timestamp-micros"): _local_timestamp(1),
    ("string", "uuid"): Conversion(UUID, str, UUID, "uuid", _uuid_from_text),
}
