"""Messages to columns in Python: what is there always, and what says why a message is refused.

Each message is read into cells: numbers as Avro stores them, the bytes that
stand in a column for what has a width, a tuple (branch, cell) of a union, the
number of an enum's symbol. Then the cells of a type are laid side by side.
"""

import struct
from array import array
from collections.abc import Callable, Mapping, Sequence
from itertools import accumulate
from typing import Any, Final, TypeAlias
from uuid import UUID

from serde.codec.binary import Reader, as_message, read_string
from serde.codec.columns.buffers import Buffers
from serde.codec.columns.layout import Column, Kind
from serde.codec.columns.pairs import Digits, Pairs, Scaling, check_big_decimal
from serde.codec.decode import Closures, block, converted
from serde.codec.fault import FAULTS, Fault, as_fault, shown
from serde.codec.pure import Decode, decoding, is_bytes, without_length
from serde.codec.schema import TOO_DEEP, AvroSchema, Enum
from serde.errors import InvalidSchema

Cell: TypeAlias = Any
EMPTY: Final = object()
"""The cell of a value within one that is null: something has to stand there."""
MOST: Final = (1 << 31) - 1
"""As many bytes, or items, as offsets of 32 bits can count."""

_DURATION: Final = struct.Struct("<III")
_INTERVAL: Final = struct.Struct("<iiq")


class Cells(Pairs[Reader], Closures):
    """Closures that read cells."""

    def map(self, values: Reader) -> Reader:
        return _entries(values)

    def symbols(self, writer: Enum, reader: Enum, places: Sequence[int]) -> Reader:
        names = [reader.symbols[place] if place >= 0 else None for place in places]
        read_symbol = Closures.enum(self, writer, reader, names)
        numbers = {symbol: number for number, symbol in enumerate(reader.symbols)}
        return converted(read_symbol, numbers.__getitem__)

    def branch(self, read: Reader, number: int) -> Reader:
        return converted(read, lambda cell: (number, cell))

    def scaled(self, read: Reader, scaling: Scaling) -> Reader:
        return converted(read, scaling)

    def decimal(self, read: Reader, digits: Digits) -> Reader:
        return converted(read, digits)

    def big_decimal(self, read: Reader) -> Reader:
        return converted(read, check_big_decimal)

    def uuid_text(self, read: Reader) -> Reader:
        return converted(read, _uuid)

    def duration(self, read: Reader) -> Reader:
        return converted(read, _interval)

    def decoded(self, read: Reader, convert: Callable[[Any], Any]) -> Reader:
        return converted(read, convert)


def _uuid(text: str) -> bytes:
    try:
        return UUID(text).bytes
    except ValueError:
        raise Fault(f"expected a UUID, got {shown(text)}") from None


def _interval(raw: bytes) -> bytes:
    months, days, millis = _DURATION.unpack(raw)
    if max(months, days) >= 1 << 31:
        raise Fault(f"a duration of {months} months and {days} days: Arrow's have 31 bits for each")
    return _INTERVAL.pack(months, days, millis * 1_000_000)


def _entries(read_value: Reader) -> Reader:
    """A map as pairs: a column keeps a key that is there twice, as the message does."""

    def read(data: bytes, pos: int) -> tuple[list[tuple[str, Cell]], int]:
        entries: list[tuple[str, Cell]] = []
        while True:
            count, pos = block(data, pos)
            if not count:
                return entries, pos
            if count > len(data) - pos:
                raise Fault(f"a map of {count} entries, which the message is too short for")
            for _ in range(count):
                key, pos = read_string(data, pos)
                try:
                    cell, pos = read_value(data, pos)
                except FAULTS as error:
                    raise as_fault(error).under(f"[{key!r}]") from None
                entries.append((key, cell))

    return read


def compile_cells(writer: AvroSchema, reader: AvroSchema, *, strict: bool = True) -> Decode:
    """``read(message, start)``, which gives the cell of a whole message; it raises Fault."""
    closures = Cells()
    try:
        read = closures.reader(writer.root, reader.root)
    except RecursionError:
        raise InvalidSchema(TOO_DEEP) from None
    if is_bytes(writer):
        read = without_length(read)
    return decoding(read, rationed=closures.rationed, strict=strict)


class Builder:
    """Gathers the rows of one batch. Not for use by two threads.

    wrapped: whether a row is the only cell of the root, for a schema that is no record.
    most: see `MOST`.
    """

    def __init__(self, column: Column, *, wrapped: bool, most: int = MOST) -> None:
        self._column = column
        self._wrapped = wrapped
        self._most = most
        self._rows: list[Cell] = []

    def read(
        self,
        values: Sequence[bytes | None],
        keys: Sequence[bytes | None] | None,
        programs: Mapping[bytes, Decode],
        find: Callable[[int, bytes | None], Decode | None],
        fail: Callable[[int, bytes, Fault], None],
        *,
        nulls: bool,
    ) -> None:
        """See `serde.codec.columns.Builder`."""
        known = dict(programs)
        for index, data in enumerate(values):
            if data is None and nulls:
                self._rows.append(None)
                continue
            key, start = message_key(data, keys[index] if keys is not None else None)
            read = known.get(key)
            if read is None:
                read = find(index, data)
                if read is None:
                    continue
                known[key] = read
            assert data is not None
            try:
                cell = read(data, start)
            except Fault as fault:
                fail(index, data, fault)
                continue
            self._rows.append((cell,) if self._wrapped else cell)

    def finish(self) -> tuple[Buffers, dict[int, Cell]]:
        """The columns of the rows."""
        return lay_out(self._column, self._rows, self._wrapped, self._most), {}


def frames_of(messages: list[bytes | None], keys: Sequence[bytes | None] | None) -> dict[bytes, int]:
    """See `serde.codec.columns.frames_of`."""
    found: dict[bytes, int] = {}
    for index, data in enumerate(messages):
        if data is None:
            continue
        if type(data) is not bytes:
            data = messages[index] = as_message(data)
        found.setdefault(message_key(data, keys[index] if keys is not None else None)[0], index)
    return found


def message_key(data: bytes | None, given: bytes | None) -> tuple[bytes, int]:
    """The bytes that say which schema a message has, and where its body begins."""
    if given is not None:
        return given, 0
    size = 17 if data and data[0] == 1 else 5
    return (data or b"")[:size], size


def lay_out(column: Column, rows: Sequence[Cell], wrapped: bool, most: int = MOST) -> Buffers:
    """The columns of rows: a row is the cell of a record, None for a row of nulls."""
    children = []
    for place, (name, child) in enumerate(zip(column.names, column.children, strict=True)):
        key = place if wrapped else name
        children.append(_fill(child, [None if row is None else row[key] for row in rows], most))
    return Buffers(len(rows), children=children)


def _fill(column: Column, cells: list[Cell], most: int) -> Buffers:
    kind = column.kind
    if kind is Kind.NULL:
        return Buffers(len(cells), len(cells))
    if kind is Kind.UNION:
        return _union(column, cells, most)
    valid, nulls = None, 0
    if column.nullable:
        there = [cell is not None and cell is not EMPTY for cell in cells]
        nulls = len(cells) - sum(there)
        valid = _bits(there)
    made = Buffers(len(cells), nulls, valid=valid)
    cells = [EMPTY if cell is None else cell for cell in cells]
    if kind in _FORMATS:
        return made._replace(data=array(_FORMATS[kind], [0 if cell is EMPTY else cell for cell in cells]))
    match kind:
        case Kind.BOOLEAN:
            return made._replace(data=_bits([cell is True for cell in cells]))
        case Kind.FIXED:
            return made._replace(data=b"".join(bytes(column.width) if c is EMPTY else c for c in cells))
        case Kind.STRUCT:
            children = [
                _fill(child, [EMPTY if cell is EMPTY else cell[name] for cell in cells], most)
                for name, child in zip(column.names, column.children, strict=True)
            ]
            return made._replace(children=children)
        case Kind.STRING | Kind.BYTES:
            parts = [_encoded(cell) for cell in cells]
            return made._replace(offsets=_offsets(parts, most), data=b"".join(parts))
        case _:
            lists = [() if cell is EMPTY else cell for cell in cells]
            items = [item for each in lists for item in each]
            offsets = _offsets(lists, most)
            return made._replace(offsets=offsets, children=_items(column, items, most))


def _items(column: Column, items: list[Cell], most: int) -> list[Buffers]:
    (child,) = column.children
    if column.kind is Kind.LIST:
        return [_fill(child, items, most)]
    keys = [key.encode() for key, _ in items]
    key_column = Buffers(len(items), offsets=_offsets(keys, most), data=b"".join(keys))
    return [key_column, _fill(child, [item for _, item in items], most)]


def _union(column: Column, cells: list[Cell], most: int) -> Buffers:
    types, offsets = array("b"), array("i")
    children: list[list[Cell]] = [[] for _ in column.children]
    for cell in cells:
        if cell is EMPTY:
            number, inner = 0, EMPTY
        elif cell is None:
            number, inner = null_child(column), None
        else:
            number, inner = cell
        types.append(number)
        offsets.append(len(children[number]))
        children[number].append(inner)
    made = [_fill(child, each, most) for child, each in zip(column.children, children, strict=True)]
    return Buffers(len(cells), data=types, offsets=offsets, children=made)


def null_child(column: Column) -> int:
    """The branch of a union that holds the null of a row of nulls."""
    kinds = [child.kind for child in column.children]
    return kinds.index(Kind.NULL) if Kind.NULL in kinds else 0


_FORMATS: Final = {
    Kind.INT: "i",
    Kind.ENUM: "i",
    Kind.LONG: "q",
    Kind.FLOAT: "f",
    Kind.DOUBLE: "d",
}


def _encoded(cell: Cell) -> bytes:
    if cell is EMPTY:
        return b""
    return cell.encode() if isinstance(cell, str) else bytes(cell)


def _offsets(parts: Sequence[Any], most: int) -> "array[int]":
    found = [0, *accumulate(map(len, parts))]
    if found[-1] > most:
        raise too_large()
    return array("i", found)


def _bits(flags: Sequence[bool]) -> bytes:
    number = int("".join("1" if flag else "0" for flag in reversed(flags)) or "0", 2)
    return number.to_bytes((len(flags) + 7) // 8, "little")


def too_large() -> ValueError:
    """What is wrong where offsets of 32 bits do not suffice."""
    return ValueError(
        "a column of these messages would have more than 2 GiB, or 2**31 items: give fewer at a time"
    )
