"""Damaged messages to columns, and damaged columns to messages, through both codecs."""

import math
import random
from array import array
from collections.abc import Callable, Sequence
from typing import Any, NoReturn

from serde.codec import AvroSchema, Fault, pure
from serde.codec.columns import (
    Buffers,
    Column,
    compile_rows,
    is_wrapped,
    layout,
    write_all,
    write_one,
    writing,
)
from serde.codec.columns.layout import Kind
from serde.codec.columns.pure import Builder, compile_cells
from serde.codec.native import column_parts, columns, rows

BATCH = 8
_CODES = {Kind.INT: "i", Kind.ENUM: "i", Kind.LONG: "q", Kind.FLOAT: "f", Kind.DOUBLE: "d"}


class Batch:
    """A pair of schemas whose messages are read into columns by both codecs."""

    def __init__(self, writer: AvroSchema, reader: AvroSchema | None) -> None:
        """Raises InvalidSchema for one that columns cannot hold."""
        reader = reader or writer
        self.column = layout(reader)
        self.wrapped = is_wrapped(self.column)
        self.native = column_parts.compile_program(writer, reader)
        self.pure = compile_cells(writer, reader)
        # What the row writers write must fit what they are given: columns of the reader's schema.
        self.bare = pure.is_bytes(reader)
        self.rare = 0

    def read(self, messages: Sequence[bytes]) -> Buffers:
        """The columns, which both codecs must give, with the same faults."""
        given: list[tuple[Buffers, list[tuple[int, str]]]] = []
        for make, program in ((columns.Builder, self.native), (Builder, self.pure)):
            faults: list[tuple[int, str]] = []
            given.append((self._read(make, program, messages, faults), faults))
        (found, said), (wanted, should) = given
        assert said == should, (messages, said, should)
        assert shown(self.column, found) == shown(self.column, wanted), messages
        return found

    def _read(
        self, make: Any, program: Any, messages: Sequence[bytes], faults: list[tuple[int, str]]
    ) -> Buffers:
        def fail(index: int, _data: bytes, fault: Fault) -> None:
            faults.append((index, str(fault)))

        builder = make(self.column, wrapped=self.wrapped)
        builder.read(messages, None, {bytes(5): program}, _none, fail, nulls=False)
        made, rare = builder.finish()
        if rare:
            # Rows that only the pure codec took: all of them by it, then. That they are few is counted.
            self.rare += len(rare)
            builder = Builder(self.column, wrapped=self.wrapped)
            builder.read(messages, None, {bytes(5): self.pure}, _none, lambda *_: None, nulls=False)
            made, _ = builder.finish()
        assert isinstance(made, Buffers)
        return made

    def write(self, made: Buffers) -> None:
        """Write the rows, which both codecs must do alike."""
        how = writing(self.column, made, bare=self.bare)
        write = compile_rows(how, made)

        def fail(row: int, fault: Fault) -> NoReturn:
            raise fault.under(f"row {row}")

        def native() -> list[bytes]:
            return rows.Rows(how, made, b"", lambda row: write_one(write, row, b"", fail)).write()

        found, wanted = _outcome(native), _outcome(lambda: write_all(write, made.length, b"", fail))
        assert found == wanted, (found, wanted)


def _none(_index: int, _data: bytes | None) -> None:
    return None


def _outcome(function: Callable[[], Any]) -> tuple[str, Any]:
    try:
        return "gave", function()
    except Fault as fault:
        return "fault", str(fault)


def damaged_buffers(made: Buffers, dice: random.Random) -> Buffers:
    """The columns with some bytes of theirs changed, not how many there are."""
    changed: dict[str, Any] = {
        name: _damaged(bytes(buffer), dice)
        for name in ("valid", "data", "offsets")
        if (buffer := getattr(made, name)) is not None and dice.random() < 0.5
    }
    return made._replace(**changed, children=[damaged_buffers(child, dice) for child in made.children])


def _damaged(data: bytes, dice: random.Random) -> bytes:
    found = bytearray(data)
    for _ in range(dice.randint(0, 2) if found else 0):
        found[dice.randrange(len(found))] = dice.choice([0, 1, 0x7F, 0x80, 0xFF, dice.randrange(256)])
    return bytes(found)


def shown(column: Column, made: Buffers) -> Any:
    """The values of a column: as text, so that NaN equals itself."""
    return repr([_values(child, each) for child, each in zip(column.children, made.children, strict=True)])


def _values(column: Column, made: Buffers) -> list[Any]:
    valid = None if made.valid is None else bytes(made.valid)
    found = _stored(column, made)
    if valid is None:
        return found
    return [each if valid[n >> 3] >> (n & 7) & 1 else None for n, each in enumerate(found)]


def _stored(column: Column, made: Buffers) -> list[Any]:
    raw = b"" if made.data is None else bytes(made.data)
    offsets = array("i", b"" if made.offsets is None else bytes(made.offsets))
    match column.kind:
        case Kind.NULL:
            return [None] * made.length
        case Kind.BOOLEAN:
            return [bool(raw[n >> 3] >> (n & 7) & 1) for n in range(made.length)]
        case Kind.FIXED:
            return [raw[n * column.width : (n + 1) * column.width] for n in range(made.length)]
        case Kind.BYTES | Kind.STRING:
            return [raw[offsets[n] : offsets[n + 1]] for n in range(made.length)]
        case Kind.STRUCT:
            fields = [
                _values(child, each) for child, each in zip(column.children, made.children, strict=True)
            ]
            return [tuple(field[n] for field in fields) for n in range(made.length)]
        case Kind.LIST:
            items = _values(column.children[0], made.children[0])
            return [items[offsets[n] : offsets[n + 1]] for n in range(made.length)]
        case Kind.MAP:
            keys = _values(Column(Kind.STRING, column.node), made.children[0])
            pairs = list(zip(keys, _values(column.children[0], made.children[1]), strict=True))
            return [pairs[offsets[n] : offsets[n + 1]] for n in range(made.length)]
        case Kind.UNION:
            branches = [
                _values(child, each) for child, each in zip(column.children, made.children, strict=True)
            ]
            return [(number, branches[number][offsets[n]]) for n, number in enumerate(array("b", raw))]
        case kind:
            return [None if isinstance(n, float) and math.isnan(n) else n for n in array(_CODES[kind], raw)]
