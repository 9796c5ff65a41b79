"""What both codecs decide alike when a pair of schemas becomes something that reads.

Resolution (promotions, aliases, defaults, enum symbols, skipped fields) is
decided here, once; at run time a field costs the same whether or not the
schemas differ. Where two types cannot be resolved the fault is raised when a
value of them is met, as in Java: an empty array of them is still read.
`Readers` asks a codec for its parts: the pure one (`decode`) answers with
closures, the native one with nodes in C.
Source: Avro 1.12 specification, "Schema Resolution".
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import Any, Final, Generic, NamedTuple, TypeVar

from serde.codec.defaults import default_bytes
from serde.codec.fault import FAULTS, as_fault
from serde.codec.logical import Conversion, Convert, conversion
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

R = TypeVar("R")

MAX_EMPTY_ITEMS: Final = 1 << 20
"""How many items that take no bytes the arrays of one message may hold: its length does not bound them."""


class Step(NamedTuple, Generic[R]):
    """One of the writer's fields: the reader's name for it, whether the reader wants it, how to read it."""

    name: str
    wanted: bool
    read: R


class Default(NamedTuple, Generic[R]):
    """A field that only the reader has: how to read the bytes of its default."""

    field: Field
    encoded: bytes
    read: R


class Readers(ABC, Generic[R]):
    """Makes the readers of one pair of schemas; a pair of named types has one, however often it is met."""

    def __init__(self, *, named_records: bool = False) -> None:
        self._named_records = named_records
        self._made: dict[tuple[int, int, bool], R] = {}
        self._sizes: dict[int, int] = {}

    def reader(self, writer: Node, reader: Node, *, logical: bool = True) -> R:
        """logical: give the Python types of logical types; not where the value is thrown away."""
        key = (id(writer), id(reader), logical)
        made = self._made.get(key)
        if made is None:
            if isinstance(writer, Record):
                # In place before its fields are made: they may hold the record itself.
                self._made[key] = self.forward(lambda: self._made[key])
            made = self._made[key] = self._make(writer, reader, logical)
        return made

    def _make(self, writer: Node, reader: Node, logical: bool) -> R:
        if isinstance(writer, Union):
            return self.union(
                [
                    self._named_branch(branch, branch if writer is reader else reader, logical)
                    for branch in writer.branches
                ]
            )
        if isinstance(reader, Union):
            branch = best_branch(writer, reader)
            return self.reader(writer, branch, logical=logical) if branch else self._refuse(writer, reader)
        match writer, reader:
            case Array(), Array():
                items = self.reader(writer.items, reader.items, logical=logical)
                return self._made_by(reader.make, self.array(items, self._size(writer.items)))
            case Map(), Map():
                return self.map(self.reader(writer.values, reader.values, logical=logical))
            case Record(), Record() if same_name(writer, reader):
                return self._record(writer, reader, logical)
            case Enum(), Enum() if same_name(writer, reader):
                known = frozenset(reader.symbols)
                values = [symbol if symbol in known else reader.default for symbol in writer.symbols]
                return self.enum(writer, reader, [_member(reader, value) for value in values])
            case Fixed(), Fixed() if same_name(writer, reader) and writer.size == reader.size:
                return self._converted(self.fixed(writer.size), writer, reader, logical)
            case Primitive(), Primitive():
                return self._primitive(writer, reader, logical)
            case _:
                return self._refuse(writer, reader)

    def _named_branch(self, writer: Node, reader: Node, logical: bool) -> R:
        read = self.reader(writer, reader, logical=logical)
        if not self._named_records or not isinstance(writer, Record):
            return read
        target = best_branch(writer, reader) if isinstance(reader, Union) else reader
        name = target.name if isinstance(target, Record) else writer.name
        return self.promoted(read, lambda record: (name, record))

    def _primitive(self, writer: Primitive, reader: Primitive, logical: bool) -> R:
        read = self.primitive(writer.kind)
        if writer.kind != reader.kind:
            promote = promotion(writer.kind, reader.kind)
            if promote is None:
                return self._refuse(writer, reader)
            read = self.promoted(read, promote)
        return self._made_by(reader.make, self._converted(read, writer, reader, logical))

    def _made_by(self, make: Convert | None, read: R) -> R:
        return read if make is None else self.made(read, make)

    def _converted(self, read: R, writer: Node, reader: Node, logical: bool) -> R:
        wanted = conversion(reader) if logical else None
        if wanted is None:
            return read
        stored = conversion(writer)
        # Milliseconds read as microseconds would be another time: the writer's unit is the true one.
        true = stored if stored is not None and stored.family == wanted.family else wanted
        return self.converted(read, true)

    def _record(self, writer: Record, reader: Record, logical: bool) -> R:
        taken = _pair_fields(writer, reader)
        steps: list[Step[R]] = []
        for field in writer.fields:
            target = taken.get(field.name)
            if target is None:
                steps.append(Step(field.name, False, self.reader(field.type, field.type, logical=False)))
            else:
                steps.append(Step(target.name, True, self.reader(field.type, target.type, logical=logical)))
        paired = {field.name for field in taken.values()}
        missing = [field for field in reader.fields if field.name not in paired]
        without = [field.name for field in missing if field.default is MISSING]
        if without:
            return self.failing(
                f"the reader's {reader.name} needs {', '.join(map(repr, without))},"
                f" which the writer's does not have and for which there is no default"
            )
        return self.record(reader, steps, [self._default(field, logical) for field in missing])

    def _default(self, field: Field, logical: bool) -> Default[R]:
        try:
            encoded = default_bytes(field.type, field.default)
        except FAULTS as error:
            reason = f"the default of {field.name!r} is no value of its type: {as_fault(error)}"
            return Default(field, b"", self.failing(reason))
        return Default(field, encoded, self.reader(field.type, field.type, logical=logical))

    def _refuse(self, writer: Node, reader: Node) -> R:
        wanted = type_name(reader)
        if isinstance(reader, Union):
            wanted = f"union of {', '.join(map(type_name, reader.branches))}"
        return self.failing(f"written as {type_name(writer)}, which the reader's {wanted} cannot take")

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

    @abstractmethod
    def primitive(self, kind: str) -> R:
        """A value of a primitive type."""

    @abstractmethod
    def promoted(self, read: R, promote: Convert) -> R:
        """What `read` gives, as the reader's primitive type."""

    @abstractmethod
    def converted(self, read: R, convert: Conversion) -> R:
        """What `read` gives, as the Python type of a logical type."""

    @abstractmethod
    def fixed(self, size: int) -> R:
        """`size` bytes."""

    def made(self, read: R, make: Convert) -> R:
        """What `read` gives, through a function of a class's, which may refuse it with any exception.

        A codec that makes no objects leaves it as it is.
        """
        return read

    @abstractmethod
    def enum(self, writer: Enum, reader: Enum, values: Sequence[Any]) -> R:
        """values: what the reader gets for each of the writer's symbols; None where it takes none."""

    @abstractmethod
    def array(self, items: R, size: int) -> R:
        """size: the fewest bytes that an item takes."""

    @abstractmethod
    def map(self, values: R) -> R:
        """Strings with values."""

    @abstractmethod
    def union(self, branches: Sequence[R]) -> R:
        """The number of a branch, and its value."""

    @abstractmethod
    def record(self, reader: Record, steps: Sequence[Step[R]], defaults: Sequence[Default[R]]) -> R:
        """A dict of what is wanted, or what `reader.make` makes of it."""

    @abstractmethod
    def failing(self, reason: str) -> R:
        """Refuses every value with `reason`."""

    @abstractmethod
    def forward(self, find: Callable[[], R]) -> R:
        """Stands for the reader that `find` gives once all are made."""


def _member(node: Enum, symbol: str | None) -> Any:
    return symbol if symbol is None or node.members is None else node.members[symbol]


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
