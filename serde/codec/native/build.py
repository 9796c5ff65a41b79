"""A schema, or a pair of them, into a tree of nodes in C."""

from collections.abc import Callable, Sequence
from typing import Any

import serde.codec.native.decode as decode  # so that the ImportError names what is missing
import serde.codec.native.encode as encode
import serde.codec.native.logical as logical
from serde.codec.binary import varint
from serde.codec.defaults import bytes_without
from serde.codec.fault import FAULTS
from serde.codec.logical import Conversion, Convert
from serde.codec.match import unchanged
from serde.codec.readers import Default, Readers, Step
from serde.codec.schema import Enum, Field, Fixed, Node, Primitive, Record, Union, type_name
from serde.codec.union import branches_by_class, record_fields
from serde.codec.writers import Writers

_WRITERS: dict[str, encode.Writer] = {
    "null": encode.Null(),
    "boolean": encode.Boolean(),
    "int": encode.Int(),
    "long": encode.Long(),
    "float": encode.Float(),
    "double": encode.Double(),
    "bytes": encode.Bytes(),
    "string": encode.String(),
}
_READERS: dict[str, decode.Reader] = {
    "null": decode.Null(),
    "boolean": decode.Boolean(),
    "int": decode.Int(),
    "long": decode.Long(),
    "float": decode.Float(),
    "double": decode.Double(),
    "bytes": decode.Bytes(),
    "string": decode.String(),
}


class WriterNodes(Writers[encode.Writer]):
    """Each node as a `Writer`; call `settle` when all are made."""

    def __init__(self, *, strict: bool = True) -> None:
        super().__init__()
        self._strict = strict
        self._forwards: list[encode.Forward] = []

    def settle(self) -> None:
        for forward in self._forwards:
            forward.settle()

    def primitive(self, kind: str) -> encode.Writer:
        return _WRITERS[kind]

    def fixed(self, node: Fixed) -> encode.Writer:
        return encode.Fixed(node.size)

    def enum(self, node: Enum) -> encode.Writer:
        return encode.Enum({symbol: varint(index) for index, symbol in enumerate(node.symbols)})

    def array(self, item: encode.Writer) -> encode.Writer:
        return encode.Array(item)

    def map(self, value: encode.Writer) -> encode.Writer:
        return encode.Map(value)

    def union(self, node: Union, branches: Sequence[encode.Writer]) -> encode.Writer:
        return encode.Union(
            tuple(map(type_name, node.branches)),
            tuple(branches),
            branches_by_class(node),
            tuple(map(record_fields, node.branches)),
        )

    def record(self, node: Record, fields: Sequence[tuple[Field, encode.Writer]]) -> encode.Writer:
        return encode.Record(
            node.name,
            tuple(field.name for field, _ in fields),
            tuple(write for _, write in fields),
            tuple(self._default(field) for field, _ in fields),
            self._strict,
        )

    def converted(self, write: encode.Writer, convert: Conversion) -> encode.Writer:
        given = (write, convert.python, convert.encode, convert.from_text)
        unit = convert.unit // 1000
        match convert.family:
            case "date":
                return logical.DateWriter(*given)
            case "time":
                return logical.TimeWriter(*given, unit)
            case "timestamp" | "local-timestamp" if unit:
                return logical.TimestampWriter(*given, unit, convert.family == "local-timestamp")
            case "uuid":
                return logical.UuidWriter(*given, isinstance(write, encode.String))
            case "decimal" if convert.logical is not None:
                digits = (convert.logical.precision, convert.logical.scale)
                if max(*digits, convert.size or 1) < 1 << 30 and convert.size != 0:
                    return logical.DecimalWriter(*given, *digits, convert.size or 0)
        return encode.Converted(*given)

    def forward(self, find: Callable[[], encode.Writer]) -> encode.Writer:
        forward = encode.Forward(find)
        self._forwards.append(forward)
        return forward

    def _default(self, field: Field) -> bytes | None:
        try:
            return bytes_without(field, strict=self._strict)
        except FAULTS:
            return None


class ReaderNodes(Readers[decode.Reader]):
    """Each pair of nodes as a `Reader`; call `settle` when all are made."""

    def __init__(self, *, named_records: bool = False) -> None:
        super().__init__(named_records=named_records)
        self._forwards: list[decode.Forward] = []

    def settle(self) -> None:
        for forward in self._forwards:
            forward.settle()

    def primitive(self, kind: str) -> decode.Reader:
        return _READERS[kind]

    def promoted(self, read: decode.Reader, promote: Convert) -> decode.Reader:
        if promote is unchanged:
            return read
        return decode.Converted(read, promote)

    def converted(self, read: decode.Reader, convert: Conversion) -> decode.Reader:
        unit = convert.unit // 1000
        if isinstance(read, decode.Number):
            match convert.family:
                case "date":
                    return logical.DateReader(read, convert.decode)
                case "time":
                    return logical.TimeReader(read, convert.decode, unit)
                case "timestamp" | "local-timestamp" if unit:
                    return logical.TimestampReader(
                        read, convert.decode, unit, convert.family == "local-timestamp"
                    )
        if isinstance(read, decode.Span):
            match convert.family:
                case "uuid":
                    return logical.UuidReader(read, convert.decode, isinstance(read, decode.String))
                case "decimal" if convert.logical is not None and convert.logical.scale < 1 << 30:
                    return logical.DecimalReader(read, convert.decode, convert.logical.scale)
        return decode.Converted(read, convert.decode)

    def fixed(self, size: int) -> decode.Reader:
        return decode.Fixed(size)

    def enum(self, writer: Enum, reader: Enum, values: Sequence[str | None]) -> decode.Reader:
        return decode.Enum(tuple(values))

    def array(self, items: decode.Reader, size: int) -> decode.Reader:
        return decode.Array(items, size)

    def map(self, values: decode.Reader) -> decode.Reader:
        return decode.Map(values)

    def union(self, branches: Sequence[decode.Reader]) -> decode.Reader:
        return decode.Union(tuple(branches))

    def record(
        self,
        reader: Record,
        steps: Sequence[Step[decode.Reader]],
        defaults: Sequence[Default[decode.Reader]],
    ) -> decode.Reader:
        given: dict[str, Any] = {step.name: None for step in steps if step.wanted}
        fresh = []
        for field, encoded, read in defaults:
            given[field.name] = None
            if _is_plain(field.type, encoded):
                try:
                    given[field.name] = decode.read_all(read, encoded)
                    continue
                except FAULTS:
                    pass  # refused in each record, then
            fresh.append((field.name, encoded, read))
        return decode.Record(
            tuple(step.name if step.wanted else None for step in steps),
            tuple(step.read for step in steps),
            given,
            tuple(fresh),
        )

    def failing(self, reason: str) -> decode.Reader:
        return decode.Reader()

    def forward(self, find: Callable[[], decode.Reader]) -> decode.Reader:
        forward = decode.Forward(find)
        self._forwards.append(forward)
        return forward


def _is_plain(node: Node, encoded: bytes) -> bool:
    """Whether the value is of a class that cannot be changed: it may be in many records at once."""
    if isinstance(node, Union):
        # Up to 64 branches have a number of one byte.
        node = node.branches[encoded[0] >> 1] if encoded and encoded[0] < 0x80 else node
    return isinstance(node, Primitive | Enum | Fixed)
