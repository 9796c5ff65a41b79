"""A pair of schemas into a tree of parts in C that fill columns."""

from collections.abc import Callable, Sequence
from typing import Any

from serde.codec.columns.pairs import Digits, Pairs, Scaling
from serde.codec.columns.pure import compile_cells
from serde.codec.logical import Convert
from serde.codec.native import once
from serde.codec.native.columns import Part, Program
from serde.codec.pure import Decode, is_bytes
from serde.codec.readers import Default, Step
from serde.codec.schema import TOO_DEEP, AvroSchema, Enum, Record
from serde.errors import InvalidSchema

_PRIMITIVES = {
    "null": "NULLS",
    "boolean": "BOOLEAN",
    "int": "INT",
    "long": "LONG",
    "float": "FLOAT",
    "double": "DOUBLE",
    "bytes": "SPAN",
    "string": "TEXT",
}
_KEY = Part("TEXT")


class Parts(Pairs[Part]):
    """Each pair of nodes as a `Part`; call `settle` when all are made.

    bare: bytes are the whole rest of a message.
    """

    def __init__(self, *, bare: bool = False) -> None:
        super().__init__()
        self._bare = bare
        self._forwards: list[tuple[Part, Callable[[], Part]]] = []

    def settle(self) -> None:
        for part, find in self._forwards:
            part.settle(find())

    def primitive(self, kind: str) -> Part:
        return Part("REST" if self._bare and kind == "bytes" else _PRIMITIVES[kind])

    def promoted(self, read: Part, promote: Convert) -> Part:
        # A column has one number type: what is read is put there as that. But text has to be text.
        return Part("PURE" if self._bare else "TEXT") if promote is bytes.decode else read

    def converted(self, read: Part, convert: Any) -> Part:
        raise NotImplementedError  # `Pairs` asks for what follows instead

    def fixed(self, size: int) -> Part:
        return Part("FIXED", size=size)

    def symbols(self, writer: Enum, reader: Enum, places: Sequence[int]) -> Part:
        return Part("ENUM", places=places)

    def branch(self, read: Part, number: int) -> Part:
        return Part("BRANCH", (read,), size=number)

    def scaled(self, read: Part, scaling: Scaling) -> Part:
        if scaling == Scaling(1, 1, 0):
            return read
        return Part("SCALED", (read,), scaling=scaling)

    def decimal(self, read: Part, digits: Digits) -> Part:
        return Part("DECIMAL", (read,), bound=(10**digits.precision).to_bytes(32, "little"))

    def big_decimal(self, read: Part) -> Part:
        return Part("BIG_DECIMAL", (read,))

    def uuid_text(self, read: Part) -> Part:
        return Part("UUID_TEXT", (read,))

    def duration(self, read: Part) -> Part:
        return Part("DURATION", (read,))

    def decoded(self, read: Part, convert: Convert) -> Part:
        return Part()

    def array(self, items: Part, size: int) -> Part:
        return Part("ARRAY", (items,), size=size)

    def map(self, values: Part) -> Part:
        return Part("MAP", (_KEY, values), size=1)

    def union(self, branches: Sequence[Part]) -> Part:
        return Part("UNION", tuple(branches))

    def record(self, reader: Record, steps: Sequence[Step[Part]], defaults: Sequence[Default[Part]]) -> Part:
        places = {field.name: place for place, field in enumerate(reader.fields)}
        parts = [step.read for step in steps]
        found = [places[step.name] if step.wanted else -1 for step in steps]
        for field, encoded, read in defaults:
            parts.append(Part("CONSTANT", (read,), size=len(encoded), data=encoded))
            found.append(places[field.name])
        return Part("RECORD", tuple(parts), places=found)

    def failing(self, reason: str) -> Part:
        return Part()

    def forward(self, find: Callable[[], Part]) -> Part:
        part = Part("FORWARD")
        self._forwards.append((part, find))
        return part


def compile_program(writer: AvroSchema, reader: AvroSchema, *, strict: bool = True) -> Program:
    """See `serde.codec.columns.compile_program`."""

    def make_pure() -> Decode:
        return compile_cells(writer, reader, strict=strict)

    parts = Parts(bare=is_bytes(writer))
    try:
        root = parts.reader(writer.root, reader.root)
    except RecursionError:
        raise InvalidSchema(TOO_DEEP) from None
    parts.settle()
    return Program(root, once(make_pure), strict)
