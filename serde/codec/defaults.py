"""A field's default, as written in the schema, into the bytes that stand for it.

As bytes it needs no conversion when a writer leaves the field out, and reading
the bytes gives a converted value that is new each time: no two records ever
share a list. Source: Avro 1.12 specification, "Schema Declaration", the table
of default values.
"""

from typing import Any

from serde.codec.binary import WRITERS, varint
from serde.codec.fault import FAULTS, Fault, as_fault, mismatch
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


def bytes_without(field: Field, *, strict: bool) -> bytes | None:
    """What stands for a field that a record leaves out: its default; None where it must not.

    strict: False has null stand for it, where it has no default and may be null. Raises Fault for a default
    that is no value of the type.
    """
    if field.default is not MISSING:
        return default_bytes(field.type, field.default)
    branches = field.type.branches if isinstance(field.type, Union) else [field.type]
    nulls = [
        n for n, branch in enumerate(branches) if isinstance(branch, Primitive) and branch.kind == "null"
    ]
    if strict or not nulls:
        return None
    return varint(nulls[0]) if isinstance(field.type, Union) else b""


def default_bytes(node: Node, value: Any) -> bytes:
    """The JSON default `value` in Avro's binary encoding.

    Raises Fault if it is no value of the type.
    """
    match node:
        case Primitive(kind="bytes"):
            raw = _code_points(value, "bytes")
            return varint(len(raw)) + raw
        case Primitive():
            return WRITERS[node.kind](value)
        case Fixed():
            raw = _code_points(value, node.name)
            if len(raw) != node.size:
                raise mismatch(f"{node.size} bytes", value)
            return raw
        case Enum():
            if value not in node.symbols:
                raise mismatch(f"a symbol of {node.name}", value)
            return varint(node.symbols.index(value))
        case Union():
            return _union(node, value)
        case _:
            return _container(node, value)


def _code_points(value: Any, expected: str) -> bytes:
    """bytes and fixed are strings in JSON whose code points 0 to 255 are the bytes."""
    if not isinstance(value, str):
        raise mismatch(f"{expected} as a string", value)
    return value.encode("latin-1")


def _union(node: Union, value: Any) -> bytes:
    # The first branch in Avro up to 1.11, any since: the first that takes it.
    for index, branch in enumerate(node.branches):
        try:
            return varint(index) + default_bytes(branch, value)
        except FAULTS:
            continue
    raise mismatch(f"one of {', '.join(map(type_name, node.branches))}", value)


def _container(node: Array | Map | Record, value: Any) -> bytes:
    if isinstance(node, Array):
        if not isinstance(value, list):
            raise mismatch("array", value)
        return _block(len(value), [default_bytes(node.items, item) for item in value])
    if not isinstance(value, dict):
        raise mismatch(type_name(node), value)
    if isinstance(node, Map):
        return _block(
            len(value),
            [WRITERS["string"](key) + default_bytes(node.values, item) for key, item in value.items()],
        )
    parts = []
    for field in node.fields:
        given = value.get(field.name, field.default)
        if given is MISSING:
            raise Fault(f"{node.name} needs the field {field.name!r}").under(f".{field.name}")
        try:
            parts.append(default_bytes(field.type, given))
        except FAULTS as error:
            raise as_fault(error).under(f".{field.name}") from None
    return b"".join(parts)


def _block(count: int, parts: list[bytes]) -> bytes:
    return varint(count) + b"".join(parts) + b"\0" if count else b"\0"
