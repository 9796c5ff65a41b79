"""A schema compiled into a function that checks and writes in one pass.

Each node becomes a closure ``write(value) -> bytes``. What a value must be is
decided when the closure is made; at run time a well-formed record costs one
call a field. Faults carry the reason; each container adds its step of the path.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from enum import Enum as PythonEnum
from typing import Any, Final

from serde.codec.binary import WRITERS, Writer, as_bytes, varint, write_string
from serde.codec.defaults import bytes_without
from serde.codec.fault import FAULTS, Fault, as_fault, mismatch, nearest, shown
from serde.codec.logical import Conversion
from serde.codec.objects import Shape, ShapeOf, no_shape, symbol_of
from serde.codec.schema import MISSING, Enum, Field, Fixed, Record, Union
from serde.codec.union import union_writer
from serde.codec.writers import Writers

# A record may carry its type's full name under this key, as in fastavro, to choose a union's branch.
TYPE_KEY: Final = "-type"


class Closures(Writers[Writer]):
    """Each node as a closure. strict: see `serde.codec.compile_encoder`."""

    def __init__(self, shape_of: ShapeOf = no_shape, *, strict: bool = True) -> None:
        super().__init__(shape_of)
        self._strict = strict

    def primitive(self, kind: str) -> Writer:
        return WRITERS[kind]

    def fixed(self, node: Fixed) -> Writer:
        return _fixed(node)

    def enum(self, node: Enum) -> Writer:
        return _enum(node)

    def array(self, item: Writer) -> Writer:
        return _array(item)

    def map(self, value: Writer) -> Writer:
        return _map(value)

    def union(self, node: Union, branches: Sequence[Writer]) -> Writer:
        return union_writer(node, branches, self.shape_of)

    def record(self, node: Record, fields: Sequence[tuple[Field, Writer]]) -> Writer:
        named = [(field.name, write) for field, write in fields]
        return _record(node, named, self.shape_of, strict=self._strict)

    def converted(self, write: Writer, convert: Conversion) -> Writer:
        return _converted(write, convert)

    def forward(self, find: Callable[[], Writer]) -> Writer:
        def write(value: Any) -> bytes:
            return find()(value)

        return write


def _fixed(node: Fixed) -> Writer:
    size, expected = node.size, f"{node.size} bytes for {node.name}"

    def write(value: Any) -> bytes:
        raw = value if type(value) is bytes else as_bytes(value, expected)
        if len(raw) != size:
            raise Fault(f"expected {expected}, got {len(raw)}")
        return raw

    return write


def _enum(node: Enum) -> Writer:
    symbols = {symbol: varint(index) for index, symbol in enumerate(node.symbols)}

    def write(value: Any) -> bytes:
        if type(value) is not str and isinstance(value, PythonEnum):
            value = symbol_of(value)
        found = symbols.get(value) if isinstance(value, str) else None
        if found is None:
            raise mismatch(f"a symbol of {node.name}{nearest(value, node.symbols)}", value)
        return found

    return write


def _converted(write: Writer, convert: Conversion) -> Writer:
    """A writer that also takes the Python type of a logical type."""
    python, encode, from_text = convert.python, convert.encode, convert.from_text

    def write_logical(value: Any) -> bytes:
        if isinstance(value, python):
            return write(encode(value))
        if from_text is not None and isinstance(value, str):
            return write(from_text(value))
        try:
            return write(value)
        except Fault as fault:
            raise Fault(fault.reason.replace(", got ", f" or {python.__name__}, got ", 1)) from None

    return write_logical


def _array(write_item: Writer) -> Writer:
    def write(value: Any) -> bytes:
        if type(value) is not list and not is_array(value):
            raise mismatch("array", value)
        count = len(value)
        if not count:
            return b"\0"
        parts = [varint(count)]
        try:
            for item in value:
                parts.append(write_item(item))  # noqa: PERF401 - the fault's index is the length reached
        except FAULTS as error:
            raise as_fault(error).under(f"[{len(parts) - 1}]") from None
        if len(parts) != count + 1:
            raise Fault("the array changed while it was written")
        parts.append(b"\0")
        return b"".join(parts)

    return write


def is_array(value: object) -> bool:
    return isinstance(value, Sequence) and not isinstance(value, str | bytes | bytearray | memoryview)


def _map(write_value: Writer) -> Writer:
    def write(value: Any) -> bytes:
        if type(value) is not dict and not isinstance(value, Mapping):
            raise mismatch("map", value)
        # A copy: another thread may change it.
        entries = list(value.items())
        if not entries:
            return b"\0"
        parts = [varint(len(entries))]
        for key, item in entries:
            try:
                parts.append(write_string(key))
                parts.append(write_value(item))
            except FAULTS as error:
                raise as_fault(error).under(f"[{shown(key)}]") from None
        parts.append(b"\0")
        return b"".join(parts)

    return write


def _record(node: Record, writers: list[tuple[str, Writer]], shape_of: ShapeOf, *, strict: bool) -> Writer:
    count = len(writers)
    write_loosely = _loose_record(node, writers, shape_of, strict=strict)
    join = b"".join

    def write(value: Any) -> bytes:
        if type(value) is not dict or len(value) != count:
            return write_loosely(value)
        parts: list[bytes] = []
        append = parts.append
        name = ""
        try:
            for name, write_field in writers:
                append(write_field(value[name]))
        except KeyError:
            # No writer raises KeyError: the field is missing.
            return write_loosely(value)
        except FAULTS as error:
            raise as_fault(error).under(f".{name}") from None
        return join(parts)

    return write


def _loose_record(
    node: Record, writers: list[tuple[str, Writer]], shape_of: ShapeOf, *, strict: bool
) -> Writer:
    """For what is no dict with just the record's fields: an object, another mapping, defaults, faults."""
    names = dict(writers)
    defaults = {field.name: _default_writer(field, strict=strict) for field in node.fields}

    def write(value: Any) -> bytes:
        shape = shape_of(type(value)) if type(value) is not dict else None
        if shape is not None:
            value = _fields(value, shape, None if strict else names)
        if not isinstance(value, Mapping):
            raise mismatch(f"{node.name}{_wanted(value)}", value)
        if TYPE_KEY not in names and value.get(TYPE_KEY, node.name) != node.name:
            raise Fault(f"expected {node.name}, got a record of type {shown(value[TYPE_KEY])}")
        for key in value if strict else ():
            if key not in names and key != TYPE_KEY:
                raise Fault(f"{node.name} has no field {shown(key)}{nearest(key, names)}")
        parts = []
        for name, write_field in writers:
            try:
                given = value.get(name, MISSING)
                parts.append(defaults[name](node.name) if given is MISSING else write_field(given))
            except FAULTS as error:
                raise as_fault(error).under(f".{name}") from None
        return b"".join(parts)

    return write


def _wanted(value: object) -> str:
    """What a record may be, for somebody who gives an object of a class that says nothing of its fields."""
    kind = type(value)
    if kind.__module__ == "builtins" or isinstance(value, tuple):
        return ""
    return " (a dict, or an object of a dataclass, pydantic model or attrs class)"


def _fields(value: object, shape: Shape, wanted: Collection[str] | None) -> dict[str, Any]:
    """The fields of an object, as a dict. wanted: those of the record; None: all, and others are an error."""
    fields = {}
    for name, attribute in shape.attributes.items():
        if wanted is not None and name not in wanted:
            continue
        fields[name] = getattr(value, attribute, MISSING)
        if fields[name] is MISSING:
            raise Fault(f"{type(value).__name__} has no value for it").under(f".{name}")
    return fields


def _default_writer(field: Field, *, strict: bool) -> Callable[[str], bytes]:
    """What to write for a field that the record leaves out."""

    def none(record: str) -> bytes:
        raise Fault(f"missing: {record} gives it no default")

    try:
        encoded = bytes_without(field, strict=strict)
    except FAULTS as error:
        reason = str(as_fault(error))

        def broken(record: str) -> bytes:
            raise Fault(f"missing, and the default that {record} gives it is no value of its type: {reason}")

        return broken
    return none if encoded is None else lambda _record: encoded
