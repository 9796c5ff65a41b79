"""JSON to the values a serializer takes, and what a deserializer gives back to JSON.

JSON has no bytes, dates or decimals. Bytes are written as Avro's own JSON
has them, a string of the characters U+0000 to U+00FF; dates and times as ISO
8601, decimals and UUIDs as strings. A value of a union is written bare, or as
``{"branch": value}`` where the bare one would be taken for another branch.
"""

import json
from base64 import b64encode
from datetime import date, datetime, time
from decimal import Decimal, InvalidOperation
from typing import Any
from uuid import UUID

from serde.codec.logical import conversion
from serde.codec.schema import Array, Enum, Fixed, Map, Node, Primitive, Record, Union, type_name

_PARSERS: dict[type, Any] = {
    datetime: datetime.fromisoformat,
    date: date.fromisoformat,
    time: time.fromisoformat,
    Decimal: Decimal,
}


class NotOfSchema(ValueError):
    """A JSON value that cannot stand for a value of the schema; the message says where and why."""


def from_json(node: Node, value: Any, path: str = "") -> Any:
    """The value of schema `node` that JSON `value` stands for.

    What has no counterpart in JSON is converted; everything else is left to the serializer to check.

    Raises NotOfSchema.
    """
    match node:
        case Record() if isinstance(value, dict):
            types = {field.name: field.type for field in node.fields}
            return {
                name: from_json(types[name], item, f"{path}.{name}" if path else name)
                if name in types
                else item
                for name, item in value.items()
            }
        case Array() if isinstance(value, list):
            return [from_json(node.items, item, f"{path}[{index}]") for index, item in enumerate(value)]
        case Map() if isinstance(value, dict):
            return {key: from_json(node.values, item, f"{path}[{key!r}]") for key, item in value.items()}
        case Union():
            return _of_union(node, value, path)
        case Primitive() | Fixed() if isinstance(value, str):
            return _of_text(node, value, path)
    return value


def _of_text(node: Primitive | Fixed, text: str, path: str) -> Any:
    logical = conversion(node)
    try:
        if logical is not None and logical.python in _PARSERS:
            return _PARSERS[logical.python](text)
        if isinstance(node, Fixed) or node.kind == "bytes":
            return text.encode("latin-1")
    except (ValueError, InvalidOperation):
        wanted = "bytes (characters up to U+00FF)" if logical is None else logical.python.__name__
        raise NotOfSchema(f"{path or 'the value'}: expected {wanted} as a string, got {text!r}") from None
    return text


def _of_union(node: Union, value: Any, path: str) -> Any:
    if isinstance(value, dict) and len(value) == 1:
        ((name, inner),) = value.items()
        for branch in node.branches:
            if type_name(branch) == name:
                return (name, from_json(branch, inner, path))
    for branch in node.branches:
        if _fits(branch, value):
            return from_json(branch, value, path)
    return value


def _fits(node: Node, value: Any) -> bool:
    """Whether a JSON value is of the kind that stands for a value of `node`."""
    match node:
        case Record():
            return isinstance(value, dict) and value.keys() <= {field.name for field in node.fields}
        case Map():
            return isinstance(value, dict)
        case Array():
            return isinstance(value, list)
        case Enum():
            return value in node.symbols
        case Fixed():
            return isinstance(value, str) and (conversion(node) is not None or len(value) == node.size)
        case Primitive():
            return _fits_primitive(node.kind, value) or (
                isinstance(value, str) and conversion(node) is not None
            )
        case Union():
            return any(_fits(branch, value) for branch in node.branches)


def _fits_primitive(kind: str, value: Any) -> bool:
    match kind:
        case "null":
            return value is None
        case "boolean":
            return isinstance(value, bool)
        case "int" | "long":
            return isinstance(value, int) and not isinstance(value, bool)
        case "float" | "double":
            return isinstance(value, int | float) and not isinstance(value, bool)
        case _:
            return isinstance(value, str)


def to_json(value: Any) -> str:
    """One line of JSON for what a deserializer gave."""
    return json.dumps(value, ensure_ascii=False, default=_default)


def key_to_json(key: bytes | None) -> str | None:
    """A record's key as text: UTF-8, or ``base64:`` and the bytes where it is none."""
    if key is None:
        return None
    try:
        return key.decode()
    except UnicodeDecodeError:
        return "base64:" + b64encode(key).decode()


def _default(value: Any) -> Any:
    match value:
        case bytes():
            return value.decode("latin-1")
        case datetime() | date() | time():
            return value.isoformat()
        case Decimal() | UUID():
            return str(value)
    raise TypeError(f"no JSON for a {type(value).__name__}")
