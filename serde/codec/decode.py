"""A writer's schema, and a reader's, compiled into a function that reads.

Resolution (promotions, aliases, defaults, enum symbols, skipped fields) is
decided here, once; at run time a field costs one call whether or not the
schemas differ. Where two types cannot be resolved the fault is raised when a
value of them is met, as in Java: an empty array of them is still read.
Source: Avro 1.12 specification, "Schema Resolution".
"""

from collections.abc import Callable, Sequence
from typing import Any, Final

from serde.codec.binary import READERS, Reader, read_long, read_string
from serde.codec.defaults import default_bytes
from serde.codec.fault import FAULTS, Fault, as_fault
from serde.codec.logical import Convert, conversion
from serde.codec.match import best_branch, promotion, same_name
from serde.codec.schema import (
    MISSING,
    Array,
    Enum,
    Field,
    Fixed,
    Map,
    Node,
    Primitive,
    Record,
    Union,
    type_name,
)

MAX_EMPTY_ITEMS: Final = 1 << 20


class Rationed(bytes):
    """A message whose arrays may hold items of no size: nulls, empty records.

    Its length does not bound how many they are, so it is given a number to share among all its arrays.
    """

    left: int = MAX_EMPTY_ITEMS

    def take(self, count: int) -> None:
        self.left -= count
        if self.left < 0:
            raise Fault(f"arrays of more than {MAX_EMPTY_ITEMS} items that take no bytes")


class Readers:
    """Makes the readers of one pair of schemas; a pair of named types has one, however often it is met."""

    def __init__(self) -> None:
        self._made: dict[tuple[int, int, bool], Reader] = {}
        self._sizes: dict[int, int] = {}
        # Whether messages must be Rationed.
        self.rationed = False

    def reader(self, writer: Node, reader: Node, *, logical: bool = True) -> Reader:
        """logical: give the Python types of logical types; not where the value is thrown away."""
        key = (id(writer), id(reader), logical)
        made = self._made.get(key)
        if made is None:
            # In place before its parts are made: a type may hold itself.
            self._made[key] = self._later(key)
            made = self._made[key] = self._make(writer, reader, logical)
        return made

    def _later(self, key: tuple[int, int, bool]) -> Reader:
        def read(data: bytes, pos: int) -> tuple[Any, int]:
            return self._made[key](data, pos)

        return read

    def _make(self, writer: Node, reader: Node, logical: bool) -> Reader:
        if isinstance(writer, Union):
            return _union(
                [
                    self.reader(branch, branch if writer is reader else reader, logical=logical)
                    for branch in writer.branches
                ]
            )
        if isinstance(reader, Union):
            branch = best_branch(writer, reader)
            return self.reader(writer, branch, logical=logical) if branch else _unresolvable(writer, reader)
        match writer, reader:
            case Array(), Array():
                items = self.reader(writer.items, reader.items, logical=logical)
                size = self._size(writer.items)
                self.rationed = self.rationed or not size
                return _array(items, size)
            case Map(), Map():
                return _map(self.reader(writer.values, reader.values, logical=logical))
            case Record(), Record() if same_name(writer, reader):
                return self._record(writer, reader, logical)
            case Enum(), Enum() if same_name(writer, reader):
                return _enum(writer, reader)
            case Fixed(), Fixed() if same_name(writer, reader) and writer.size == reader.size:
                return _converted(_fixed(writer.size), _conversion(writer, reader) if logical else None)
            case Primitive(), Primitive():
                return self._primitive(writer, reader, logical)
            case _:
                return _unresolvable(writer, reader)

    def _primitive(self, writer: Primitive, reader: Primitive, logical: bool) -> Reader:
        read = READERS[writer.kind]
        if writer.kind != reader.kind:
            promote = promotion(writer.kind, reader.kind)
            if promote is None:
                return _unresolvable(writer, reader)
            read = _converted(read, promote)
        return _converted(read, _conversion(writer, reader) if logical else None)

    def _record(self, writer: Record, reader: Record, logical: bool) -> Reader:
        taken = _pair_fields(writer, reader)
        steps: list[tuple[str, bool, Reader]] = []
        for field in writer.fields:
            target = taken.get(field.name)
            if target is None:
                steps.append((field.name, False, self.reader(field.type, field.type, logical=False)))
            else:
                steps.append((target.name, True, self.reader(field.type, target.type, logical=logical)))
        paired = {field.name for field in taken.values()}
        missing = [field for field in reader.fields if field.name not in paired]
        without = [field.name for field in missing if field.default is MISSING]
        if without:
            return _failing(
                f"the reader's {reader.name} needs {', '.join(map(repr, without))},"
                f" which the writer's does not have and for which there is no default"
            )
        if not missing and len(taken) == len(writer.fields):
            return _plain_record([(name, read) for name, _, read in steps])
        return _resolved_record(steps, [(f.name, self._default(f, logical)) for f in missing])

    def _default(self, field: Field, logical: bool) -> Callable[[], Any]:
        """A function that gives the default, converted, and new each time where it could be changed."""
        try:
            encoded = default_bytes(field.type, field.default)
        except FAULTS as error:
            reason = str(as_fault(error))

            def broken() -> Any:
                raise Fault(f"the default of {field.name!r} is no value of its type: {reason}")

            return broken
        read = self.reader(field.type, field.type, logical=logical)
        return lambda: read(encoded, 0)[0]

    def _size(self, node: Node) -> int:
        """The fewest bytes that a value takes."""
        match node:
            case Primitive():
                return {"null": 0, "float": 4, "double": 8}.get(node.kind, 1)
            case Fixed():
                return node.size
            case Record():
                if id(node) not in self._sizes:
                    self._sizes[id(node)] = 0  # while it is being added up
                    self._sizes[id(node)] = sum(self._size(field.type) for field in node.fields)
                return self._sizes[id(node)]
            case _:
                return 1


def _conversion(writer: Node, reader: Node) -> Convert | None:
    """What turns the stored value into the Python type that the reader's logical type asks for."""
    wanted = conversion(reader)
    if wanted is None:
        return None
    stored = conversion(writer)
    # Milliseconds read as microseconds would be another time: the writer's unit is the true one.
    return stored.decode if stored is not None and stored.family == wanted.family else wanted.decode


def _pair_fields(writer: Record, reader: Record) -> dict[str, Field]:
    """The writer's field names and the reader's field that takes each: by name or alias."""
    if writer is reader:
        return {field.name: field for field in reader.fields}
    names = {field.name for field in writer.fields}
    taken = {field.name: field for field in reader.fields if field.name in names}
    for field in reader.fields:
        if field.name not in names:
            alias = next((alias for alias in field.aliases if alias in names and alias not in taken), None)
            if alias is not None:
                taken[alias] = field
    return taken


def _plain_record(steps: Sequence[tuple[str, Reader]]) -> Reader:
    def read(data: bytes, pos: int) -> tuple[dict[str, Any], int]:
        record = {}
        name = ""
        try:
            for name, read_field in steps:
                record[name], pos = read_field(data, pos)
        except FAULTS as error:
            raise as_fault(error).under(f".{name}") from None
        return record, pos

    return read


def _resolved_record(
    steps: Sequence[tuple[str, bool, Reader]], defaults: Sequence[tuple[str, Callable[[], Any]]]
) -> Reader:
    """steps: each of the writer's fields: its name, whether the reader wants it, how to read it."""

    def read(data: bytes, pos: int) -> tuple[dict[str, Any], int]:
        record = {}
        name = ""
        try:
            for name, wanted, read_field in steps:
                value, pos = read_field(data, pos)
                if wanted:
                    record[name] = value
            for name, make in defaults:
                record[name] = make()
        except FAULTS as error:
            raise as_fault(error).under(f".{name}") from None
        return record, pos

    return read


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
            count, pos = _block(data, pos)
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
                raise as_fault(error).under(f"[{len(items)}]") from None

    return read


def _map(read_value: Reader) -> Reader:
    def read(data: bytes, pos: int) -> tuple[dict[str, Any], int]:
        entries: dict[str, Any] = {}
        while True:
            count, pos = _block(data, pos)
            if not count:
                return entries, pos
            if count > len(data) - pos:
                raise Fault(f"a map of {count} entries, which the message is too short for")
            for _ in range(count):
                key, pos = read_string(data, pos)
                try:
                    entries[key], pos = read_value(data, pos)
                except FAULTS as error:
                    raise as_fault(error).under(f"[{key!r}]") from None

    return read


def _block(data: bytes, pos: int) -> tuple[int, int]:
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


def _enum(writer: Enum, reader: Enum) -> Reader:
    known = frozenset(reader.symbols)
    values = [symbol if symbol in known else reader.default for symbol in writer.symbols]

    def read(data: bytes, pos: int) -> tuple[str, int]:
        index, pos = read_long(data, pos)
        if not 0 <= index < len(values):
            raise Fault(f"{writer.name} has {len(values)} symbols, and symbol {index} is asked for")
        value = values[index]
        if value is None:
            raise Fault(f"the reader's {reader.name} has no symbol {writer.symbols[index]!r} and no default")
        return value, pos

    return read


def _converted(read: Reader, convert: Convert | None) -> Reader:
    if convert is None:
        return read
    change = convert

    def read_converted(data: bytes, pos: int) -> tuple[Any, int]:
        value, pos = read(data, pos)
        return change(value), pos

    return read_converted


def _unresolvable(writer: Node, reader: Node) -> Reader:
    return _failing(f"written as {type_name(writer)}, which the reader's {_options(reader)} cannot take")


def _options(node: Node) -> str:
    if isinstance(node, Union):
        return f"union of {', '.join(map(type_name, node.branches))}"
    return type_name(node)


def _failing(reason: str) -> Reader:
    def read(_data: bytes, _pos: int) -> tuple[Any, int]:
        raise Fault(reason)

    return read
