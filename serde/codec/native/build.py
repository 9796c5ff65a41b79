"""A schema, or a pair of them, into a tree of nodes in C."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import serde.codec.native.decode as decode  # so that the ImportError names what is missing
import serde.codec.native.encode as encode
import serde.codec.native.logical as logical
from serde.codec.binary import varint
from serde.codec.defaults import bytes_without
from serde.codec.fault import FAULTS
from serde.codec.logical import Conversion, Convert
from serde.codec.match import unchanged
from serde.codec.objects import ShapeOf
from serde.codec.readers import Default, Readers, Step
from serde.codec.schema import Enum, Field, Fixed, Node, Primitive, Record, Union, type_name
from serde.codec.union import branch_of, branches_by_class, record_fields
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

    def __init__(self, shape_of: ShapeOf, *, strict: bool = True) -> None:
        super().__init__(shape_of)
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
            node.hints,
            partial(branch_of, node.branches, shape_of=self.shape_of),
        )

    def record(self, node: Record, fields: Sequence[tuple[Field, encode.Writer]]) -> encode.Writer:
        return encode.Record(
            node.name,
            tuple(field.name for field, _ in fields),
            tuple(write for _, write in fields),
            tuple(self._default(field) for field, _ in fields),
            self._strict,
            partial(_attributes, [field.name for field, _ in fields], self.shape_of, strict=self._strict),
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

    def made(self, read: decode.Reader, make: Convert) -> decode.Reader:
        return decode.Converted(read, make)

    def enum(self, writer: Enum, reader: Enum, values: Sequence[Any]) -> decode.Reader:
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
        make = reader.make
        keys = make.keys if make is not None else _Same()
        names = tuple(keys[step.name] if step.wanted else None for step in steps)
        reads = tuple(step.read for step in steps)
        constants: dict[str, Any] = {}
        fresh = []
        for field, encoded, read in defaults:
            key = keys[field.name]
            if _is_plain(field.type, encoded):
                try:
                    constants[key] = decode.read_all(read, encoded)
                    continue
                except FAULTS:
                    pass  # refused in each record, then
            fresh.append((key, encoded, read))
        if make is not None and make.direct is not None:
            direct = make.direct
            constants.update(direct.constants)
            added = (tuple(constants.items()), tuple(fresh), tuple(direct.factories))
            return decode.Instance(make.cls, names, reads, *added, direct.after)
        wanted = [*filter(None, names), *(keys[default.field.name] for default in defaults)]
        given = {key: constants.get(key) for key in wanted}
        read_dict = decode.Record(names, reads, given, tuple(fresh))
        return read_dict if make is None or make.build is None else decode.Converted(read_dict, make.build)

    def failing(self, reason: str) -> decode.Reader:
        return decode.Reader()

    def forward(self, find: Callable[[], decode.Reader]) -> decode.Reader:
        forward = decode.Forward(find)
        self._forwards.append(forward)
        return forward


class _Same(dict[str, str]):
    """Each name for itself: the keys of a dict that is no object's."""

    def __missing__(self, name: str) -> str:
        return name


def _attributes(
    names: Sequence[str], shape_of: ShapeOf, cls: type, *, strict: bool
) -> tuple[str | None, ...] | None:
    shape = shape_of(cls)
    if shape is None or (strict and not shape.attributes.keys() <= set(names)):
        return None
    return tuple(map(shape.attributes.get, names))


def _is_plain(node: Node, encoded: bytes) -> bool:
    """Whether the value is of a class that cannot be changed: it may be in many records at once."""
    if isinstance(node, Union):
        # Up to 64 branches have a number of one byte.
        node = node.branches[encoded[0] >> 1] if encoded and encoded[0] < 0x80 else node
    return isinstance(node, Primitive | Enum | Fixed)
