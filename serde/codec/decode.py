"""A pair of schemas compiled into a function that reads, in Python.

Each pair of nodes becomes a closure ``read(data, position) -> (value, next
position)``; what it does was decided when it was made (`readers`).
"""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from serde.codec.binary import READERS, Reader, read_long, read_string
from serde.codec.fault import FAULTS, Fault, as_fault
from serde.codec.logical import Conversion, Convert
from serde.codec.objects import Make
from serde.codec.readers import MAX_EMPTY_ITEMS, Default, Readers, Step
from serde.codec.schema import Enum, Record


class Rationed(bytes):
    """A message whose arrays may hold items of no size: nulls, empty records.

    Its length does not bound how many they are, so it is given a number to share among all its arrays.
    """

    left: int = MAX_EMPTY_ITEMS

    def take(self, count: int) -> None:
        self.left -= count
        if self.left < 0:
            raise Fault(f"arrays of more than {MAX_EMPTY_ITEMS} items that take no bytes")


class Closures(Readers[Reader]):
    """Each pair of nodes as a closure.

    rationed: whether messages must be `Rationed`.
    """

    def __init__(self, *, named_records: bool = False) -> None:
        super().__init__(named_records=named_records)
        self.rationed = False

    def primitive(self, kind: str) -> Reader:
        return READERS[kind]

    def promoted(self, read: Reader, promote: Convert) -> Reader:
        return converted(read, promote)

    def converted(self, read: Reader, convert: Conversion) -> Reader:
        return converted(read, convert.decode)

    def fixed(self, size: int) -> Reader:
        return _fixed(size)

    def enum(self, writer: Enum, reader: Enum, values: Sequence[Any]) -> Reader:
        return _enum(writer, reader, values)

    def array(self, items: Reader, size: int) -> Reader:
        self.rationed = self.rationed or not size
        return _array(items, size)

    def map(self, values: Reader) -> Reader:
        return _map(values)

    def union(self, branches: Sequence[Reader]) -> Reader:
        return _union(branches)

    def made(self, read: Reader, make: Convert) -> Reader:
        return converted(read, partial(_make, make))

    def record(
        self, reader: Record, steps: Sequence[Step[Reader]], defaults: Sequence[Default[Reader]]
    ) -> Reader:
        if reader.make is not None:
            return _object(steps, defaults, reader.make)
        if not defaults and all(step.wanted for step in steps):
            return _plain_record([(step.name, step.read) for step in steps])
        return _resolved_record(steps, defaults)

    def failing(self, reason: str) -> Reader:
        def read(_data: bytes, _pos: int) -> tuple[Any, int]:
            raise Fault(reason)

        return read

    def forward(self, find: Callable[[], Reader]) -> Reader:
        def read(data: bytes, pos: int) -> tuple[Any, int]:
            return find()(data, pos)

        return read


def _plain_record(steps: Sequence[tuple[str, Reader]]) -> Reader:
    def read(data: bytes, pos: int) -> tuple[dict[str, Any], int]:
        record = {}
        name = ""
        try:
            for name, read_field in steps:
                record[name], pos = read_field(data, pos)
        except FAULTS as error:
            raise as_fault(error).under(f".{name}") from error.__cause__
        return record, pos

    return read


def _resolved_record(steps: Sequence[Step[Reader]], defaults: Sequence[Default[Reader]]) -> Reader:
    # Read anew for each record: two never share a list.
    added = [(default.field.name, default.encoded, default.read) for default in defaults]

    def read(data: bytes, pos: int) -> tuple[dict[str, Any], int]:
        record = {}
        name = ""
        try:
            for name, wanted, read_field in steps:
                value, pos = read_field(data, pos)
                if wanted:
                    record[name] = value
            for name, encoded, read_default in added:
                record[name], _ = read_default(encoded, 0)
        except FAULTS as error:
            raise as_fault(error).under(f".{name}") from error.__cause__
        return record, pos

    return read


def _object(steps: Sequence[Step[Reader]], defaults: Sequence[Default[Reader]], make: Make) -> Reader:
    """An object in place of a dict."""
    keyed = [
        (step.name, make.keys[step.name] if step.wanted else "", step.wanted, step.read) for step in steps
    ]
    added = [(d.field.name, make.keys[d.field.name], d.encoded, d.read) for d in defaults]
    build = make.build

    def read(data: bytes, pos: int) -> tuple[Any, int]:
        record = {}
        name = ""
        try:
            for name, key, wanted, read_field in keyed:  # noqa: B007 - the fault's step
                value, pos = read_field(data, pos)
                if wanted:
                    record[key] = value
            for name, key, encoded, read_default in added:  # noqa: B007
                record[key], _ = read_default(encoded, 0)
        except FAULTS as error:
            raise as_fault(error).under(f".{name}") from error.__cause__
        return record if build is None else _make(build, record), pos

    return read


def _make(make: Convert, value: Any) -> Any:
    try:
        return make(value)
    except (Fault, RecursionError, MemoryError):
        raise
    except Exception as error:
        raise Fault(f"its class refuses it: {type(error).__name__}: {error}") from error


def _union(branches: Sequence[Reader]) -> Reader:
    # The usual index is one byte: 2 * n, by zig-zag.
    by_byte = {2 * n: read for n, read in enumerate(branches[:64])}

    def read(data: bytes, pos: int) -> tuple[Any, int]:
        found = by_byte.get(data[pos])
        if found is not None:
            return found(data, pos + 1)
        index, pos = read_long(data, pos)
        if not 0 <= index < len(branches):
            raise Fault(f"a union of {len(branches)} branches, and branch {index} is asked for")
        return branches[index](data, pos)

    return read


def _array(read_item: Reader, size: int) -> Reader:
    def read(data: bytes, pos: int) -> tuple[list[Any], int]:
        items: list[Any] = []
        append = items.append
        while True:
            count, pos = block(data, pos)
            if not count:
                return items, pos
            if count * size > len(data) - pos:
                raise Fault(f"an array of {len(items) + count} items, which the message is too short for")
            if not size and isinstance(data, Rationed):
                data.take(count)
            try:
                for _ in range(count):
                    item, pos = read_item(data, pos)
                    append(item)
            except FAULTS as error:
                raise as_fault(error).under(f"[{len(items)}]") from error.__cause__

    return read


def _map(read_value: Reader) -> Reader:
    def read(data: bytes, pos: int) -> tuple[dict[str, Any], int]:
        entries: dict[str, Any] = {}
        while True:
            count, pos = block(data, pos)
            if not count:
                return entries, pos
            if count > len(data) - pos:
                raise Fault(f"a map of {count} entries, which the message is too short for")
            for _ in range(count):
                key, pos = read_string(data, pos)
                try:
                    entries[key], pos = read_value(data, pos)
                except FAULTS as error:
                    raise as_fault(error).under(f"[{key!r}]") from error.__cause__

    return read


def block(data: bytes, pos: int) -> tuple[int, int]:
    """The number of items in the next block; a negative count is followed by the block's length."""
    count, pos = read_long(data, pos)
    if count < 0:
        _, pos = read_long(data, pos)
        return -count, pos
    return count, pos


def _fixed(size: int) -> Reader:
    def read(data: bytes, pos: int) -> tuple[bytes, int]:
        end = pos + size
        if end > len(data):
            raise Fault(f"the message ends inside this value: {size} bytes, {len(data) - pos} are left")
        return data[pos:end], end

    return read


def _enum(writer: Enum, reader: Enum, values: Sequence[Any]) -> Reader:
    def read(data: bytes, pos: int) -> tuple[Any, int]:
        index, pos = read_long(data, pos)
        if not 0 <= index < len(values):
            raise Fault(f"{writer.name} has {len(values)} symbols, and symbol {index} is asked for")
        value = values[index]
        if value is None:
            raise Fault(f"the reader's {reader.name} has no symbol {writer.symbols[index]!r} and no default")
        return value, pos

    return read


def converted(read: Reader, change: Convert) -> Reader:
    """A reader of what `change` makes of each value."""

    def read_converted(data: bytes, pos: int) -> tuple[Any, int]:
        value, pos = read(data, pos)
        return change(value), pos

    return read_converted
