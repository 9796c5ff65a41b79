"""Columns to messages in Python, row by row: what is there always, and what says why a row is refused."""

import struct
import sys
from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum
from typing import Any, Final, NoReturn, TypeAlias
from uuid import UUID

from serde.codec.binary import varint
from serde.codec.columns.buffers import Buffers
from serde.codec.columns.layout import Column, Kind
from serde.codec.columns.pairs import check_big_decimal
from serde.codec.fault import FAULTS, Fault, as_fault
from serde.codec.schema import Enum, Fixed, Primitive

WriteRow: TypeAlias = Callable[[int], bytes]
"""From a row's number to its bytes; raises Fault, or another of FAULTS."""

_INTERVAL: Final = struct.Struct("<iiq")
_DURATION: Final = struct.Struct("<III")
_DAYS: Final = {"time-millis": 86_400_000, "time-micros": 86_400_000_000}


class Form(IntEnum):
    """How a value is written, beyond its kind. The numbers are also those of the native codec."""

    PLAIN = 0
    CONSTANT = 1
    TIME = 2
    UUID_TEXT = 3
    DECIMAL = 4
    BIG_DECIMAL = 5
    DURATION = 6
    REST = 7


@dataclass(frozen=True, slots=True, eq=False)
class Writing:
    """How the values of a column are written.

    null, other: the numbers of the branches of a union with null; -1 where there is none.
    width: of a value in the column. size: of a decimal on a fixed, 0 on bytes; of a constant.
    below: a time is at least 0 and less. bound: a decimal's magnitude is less; 32 bytes, little-endian.
    count: of an enum's symbols. constant: what is written for every row, where there is no column.
    children: of a map its keys and its values.
    """

    kind: Kind
    form: Form = Form.PLAIN
    null: int = -1
    other: int = -1
    width: int = 0
    size: int = 0
    below: int = 0
    bound: bytes = bytes(32)
    count: int = 0
    constant: bytes = b""
    names: tuple[str, ...] = ()
    children: tuple["Writing", ...] = ()

    def data_size(self, rows: int) -> int:
        """The bytes that `data` must have for so many values."""
        match self.kind:
            case Kind.BOOLEAN:
                return (rows + 7) // 8
            case Kind.UNION:
                return rows
            case Kind.FIXED:
                return self.width * rows
            case Kind.INT | Kind.FLOAT | Kind.ENUM:
                return 4 * rows
            case Kind.LONG | Kind.DOUBLE:
                return 8 * rows
            case _:
                return 0

    def offsets_size(self, made: Buffers) -> int:
        """The bytes that `offsets` must have."""
        return 4 * (made.start + made.length + (self.kind is not Kind.UNION)) if made.length else 0


_KEYS: Final = Writing(Kind.STRING)


def writing(column: Column, made: Buffers, *, bare: bool = False) -> Writing:
    """How the column of a layout is written, with constants for what is missing in `made`.

    bare: the schema is just bytes: they are the whole body of a message, without their length.
    """
    if made.constant is not None:
        return Writing(column.kind, Form.CONSTANT, size=len(made.constant), constant=made.constant)
    inner = made.children[1:] if column.kind is Kind.MAP else made.children
    children = tuple(
        writing(child, each, bare=bare) for child, each in zip(column.children, inner, strict=True)
    )
    node, bound, size = column.node, bytes(32), 0
    if column.logical == "decimal" and isinstance(node, Primitive | Fixed):
        assert node.logical is not None
        bound = (10**node.logical.precision).to_bytes(32, "little")
        size = node.size if isinstance(node, Fixed) else 0
    return Writing(
        column.kind,
        Form.REST if bare and column.kind is Kind.BYTES and not column.logical else _form(column),
        column.null,
        column.other,
        column.width,
        size,
        _DAYS.get(column.logical, 0),
        bound,
        len(node.symbols) if isinstance(node, Enum) else 0,
        names=column.names,
        children=(_KEYS, *children) if column.kind is Kind.MAP else children,
    )


def _form(column: Column) -> Form:
    if column.logical == "uuid":
        return Form.UUID_TEXT if isinstance(column.node, Primitive) else Form.PLAIN
    forms = {"decimal": Form.DECIMAL, "big-decimal": Form.BIG_DECIMAL, "duration": Form.DURATION}
    return Form.TIME if column.logical in _DAYS else forms.get(column.logical, Form.PLAIN)


def compile_rows(how: Writing, made: Buffers) -> WriteRow:
    """What writes the rows of columns."""
    if how.form is Form.CONSTANT:
        return lambda _row: how.constant
    if how.kind is Kind.NULL:
        return lambda _row: b""
    write = _VALUES[how.kind](how, made)
    null = b"" if how.null < 0 else varint(how.null)
    other = b"" if how.null < 0 else varint(how.other)
    start = made.start
    valid = None if made.valid is None else memoryview(made.valid).cast("B")

    def write_row(row: int) -> bytes:
        at = row + start
        if valid is not None and not valid[at >> 3] >> (at & 7) & 1:
            if how.null < 0:
                raise Fault("expected a value, got null")
            return null
        return other + write(row)

    return write_row


def write_all(
    write: WriteRow, count: int, prefix: bytes, fail: Callable[[int, Fault], NoReturn]
) -> list[bytes]:
    """The messages of all rows."""
    return [write_one(write, row, prefix, fail) for row in range(count)]


def write_one(write: WriteRow, row: int, prefix: bytes, fail: Callable[[int, Fault], NoReturn]) -> bytes:
    """The message of one row."""
    try:
        return prefix + write(row)
    except FAULTS as error:
        fail(row, as_fault(error))


def _numbers(data: Any, code: str, count: int) -> "memoryview[int]":
    size = struct.calcsize(code)
    found: memoryview[int] = memoryview(data or b"").cast("B")[: count * size].cast(code)  # type: ignore[call-overload]
    return found


def _of(code: str, write: Callable[[Any], bytes]) -> Callable[[Writing, Buffers], WriteRow]:
    def compile_it(how: Writing, made: Buffers) -> WriteRow:
        start, values = made.start, _numbers(made.data, code, made.start + made.length)

        def write_number(row: int) -> bytes:
            value = values[row + start]
            if how.form is Form.TIME and not 0 <= value < how.below:
                raise Fault(f"the time of day {value} is not within a day")
            return write(value)

        return write_number

    return compile_it


def _reals(size: int) -> Callable[[Writing, Buffers], WriteRow]:
    """Copied, not computed with, which might change a NaN."""
    order = 1 if sys.byteorder == "little" else -1

    def compile_it(_how: Writing, made: Buffers) -> WriteRow:
        start, data = made.start, memoryview(made.data or b"").cast("B")
        return lambda row: bytes(data[(row + start) * size : (row + start + 1) * size][::order])

    return compile_it


def _boolean(_how: Writing, made: Buffers) -> WriteRow:
    start, bits = made.start, memoryview(made.data or b"").cast("B")
    return lambda row: b"\x01" if bits[(row + start) >> 3] >> ((row + start) & 7) & 1 else b"\x00"


def _enum(how: Writing, made: Buffers) -> WriteRow:
    start, values = made.start, _numbers(made.data, "i", made.start + made.length)

    def write(row: int) -> bytes:
        number = values[row + start]
        if not 0 <= number < how.count:
            raise Fault(f"the enum has {how.count} symbols, and symbol {number} is asked for")
        return varint(number)

    return write


def _span(how: Writing, made: Buffers) -> WriteRow:
    start = made.start
    offsets = _numbers(made.offsets, "i", made.start + made.length + 1)
    data = memoryview(made.data or b"").cast("B")

    def write(row: int) -> bytes:
        begin, end = offsets[row + start], offsets[row + start + 1]
        if not 0 <= begin <= end <= len(data):
            raise Fault("the column's offsets are wrong")
        raw = bytes(data[begin:end])
        if how.kind is Kind.STRING:
            raw.decode()
        if how.form is Form.BIG_DECIMAL:
            check_big_decimal(raw)
        return raw if how.form is Form.REST else varint(len(raw)) + raw

    return write


def _fixed(how: Writing, made: Buffers) -> WriteRow:
    start, width = made.start, how.width
    data = memoryview(made.data or b"").cast("B")

    def write(row: int) -> bytes:
        at = (row + start) * width
        raw = bytes(data[at : at + width])
        match how.form:
            case Form.UUID_TEXT:
                return b"\x48" + str(UUID(bytes=raw)).encode()
            case Form.DECIMAL:
                return _decimal(how, int.from_bytes(raw, "little", signed=True))
            case Form.DURATION:
                return _duration(raw)
        return raw

    return write


def _decimal(how: Writing, number: int) -> bytes:
    if abs(number) >= int.from_bytes(how.bound, "little"):
        raise Fault(f"the unscaled decimal {number} has more digits than the schema's precision")
    if how.size:
        return number.to_bytes(how.size, "big", signed=True)
    length = (max(number, ~number).bit_length() + 8) // 8
    return varint(length) + number.to_bytes(length, "big", signed=True)


def _duration(raw: bytes) -> bytes:
    months, days, nanos = _INTERVAL.unpack(raw)
    millis, rest = divmod(nanos, 1_000_000)
    if min(months, days, nanos) < 0 or rest or millis >> 32:
        raise Fault(
            f"{months} months, {days} days, {nanos} nanoseconds: a duration has whole milliseconds, at most"
            " 2**32 - 1, and nothing negative"
        )
    return _DURATION.pack(months, days, millis)


def _items(how: Writing, made: Buffers) -> WriteRow:
    start = made.start
    offsets = _numbers(made.offsets, "i", made.start + made.length + 1)
    writers = [compile_rows(*pair) for pair in zip(how.children, made.children, strict=True)]
    there = made.children[-1].length

    def write(row: int) -> bytes:
        begin, end = offsets[row + start], offsets[row + start + 1]
        if not 0 <= begin <= end <= there:
            raise Fault("the column's offsets are wrong")
        if begin == end:
            return b"\0"
        parts = [varint(end - begin)]
        for item in range(begin, end):
            try:
                parts += [write_item(item) for write_item in writers]
            except FAULTS as error:
                raise as_fault(error).under(f"[{item - begin}]") from None
        return b"".join(parts) + b"\0"

    return write


def _struct(how: Writing, made: Buffers) -> WriteRow:
    compiled = [compile_rows(*pair) for pair in zip(how.children, made.children, strict=True)]
    writers = list(zip(how.names, compiled, strict=True))

    def write(row: int) -> bytes:
        parts = []
        for name, write_field in writers:
            try:
                parts.append(write_field(row))
            except FAULTS as error:
                raise as_fault(error).under(f".{name}") from None
        return b"".join(parts)

    return write


def _union(how: Writing, made: Buffers) -> WriteRow:
    start, end = made.start, made.start + made.length
    types, offsets = _numbers(made.data, "b", end), _numbers(made.offsets, "i", end)
    writers = [compile_rows(*pair) for pair in zip(how.children, made.children, strict=True)]

    def write(row: int) -> bytes:
        number, at = types[row + start], offsets[row + start]
        if not 0 <= number < len(writers) or not 0 <= at < made.children[number].length:
            raise Fault(f"a union of {len(writers)} branches, and branch {number} is asked for")
        return varint(number) + writers[number](at)

    return write


_VALUES: Final[dict[Kind, Callable[[Writing, Buffers], WriteRow]]] = {
    Kind.BOOLEAN: _boolean,
    Kind.INT: _of("i", varint),
    Kind.LONG: _of("q", varint),
    Kind.FLOAT: _reals(4),
    Kind.DOUBLE: _reals(8),
    Kind.BYTES: _span,
    Kind.STRING: _span,
    Kind.FIXED: _fixed,
    Kind.ENUM: _enum,
    Kind.LIST: _items,
    Kind.MAP: _items,
    Kind.STRUCT: _struct,
    Kind.UNION: _union,
}
