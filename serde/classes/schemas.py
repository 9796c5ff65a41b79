"""The schema text of a class, with its defaults in it."""

import json
import math
from collections.abc import Iterator
from typing import Any

from serde.classes.bind import bind
from serde.classes.derive import Derivation, Given, Place
from serde.classes.kinds import is_object_class
from serde.classes.shapes import shape_of
from serde.codec.decode import Closures as Readers
from serde.codec.encode import Closures as Writers
from serde.codec.fault import FAULTS, as_fault
from serde.codec.logical import LOGICAL_TYPES
from serde.codec.schema import Array, Map, Node, Record, Union, parse_schema
from serde.errors import InvalidClass, InvalidSchema


def schema_of(hint: Any) -> str:
    """The Avro schema of a class: a dataclass, a pydantic model, an attrs class, a TypedDict or an enum.

        schema_of(Order)

    hint: it may also be another type hint: ``list[Order]``, ``Annotated[int, AvroType("int")]``.

    What each type becomes is in docs/classes.md. The text is the same each time. Raises InvalidClass
    for what has no Avro type, with the path: ``Order.lines[].price``.
    """
    if is_object_class(type(hint)):
        raise InvalidClass(f"give the class {type(hint).__name__}, not an object of it")
    try:
        hash(hint)
    except TypeError:
        raise InvalidClass(f"a class is wanted, not a {type(hint).__name__}") from None
    derivation = Derivation()
    try:
        schema = derivation.schema(hint, Place(""))
        if derivation.defaults:
            _set_defaults(json.dumps(schema), derivation.defaults)
        text = json.dumps(schema, ensure_ascii=False)
        parsed = parse_schema(text)
    except InvalidSchema as error:
        # Only what the user gave as a schema is not known to be one.
        raise InvalidClass(f"an AvroType is no Avro schema: {error}", getattr(hint, "__name__", "")) from None
    # A hint that is not for the AvroType beside it is found here.
    bind(parsed, hint)
    return text


def _set_defaults(text: str, defaults: list[Given]) -> None:
    """Give fields their defaults, as JSON.

    text: the schema without them. What the codec writes for a value, read without logical types, is what
    the specification wants a default to be.
    """
    plain = {record.name: record for record in records(parse_schema(text).root)}
    stored = {record.name: record for record in records(parse_schema(text, raw=LOGICAL_TYPES).root)}
    writers, readers = Writers(shape_of), Readers()
    for given in defaults:
        node, raw = (_field_type(found[given.record], given.field["name"]) for found in (plain, stored))
        try:
            encoded = writers.writer(node)(given.value)
        except FAULTS as error:
            raise given.place.error(f"the default is not of its type: {as_fault(error)}") from None
        if isinstance(node, Union) and encoded[0]:
            raise given.place.error(f"the default {given.value!r} is not of the first type of the union")
        value, _ = readers.reader(raw, raw)(encoded, 0)
        given.field["default"] = _json(value, given)


def records(node: Node, met: set[int] | None = None) -> Iterator[Record]:
    """All records in a schema."""
    met = set() if met is None else met
    if isinstance(node, Array):
        yield from records(node.items, met)
    elif isinstance(node, Map):
        yield from records(node.values, met)
    elif isinstance(node, Union):
        for branch in node.branches:
            yield from records(branch, met)
    elif isinstance(node, Record) and id(node) not in met:
        met.add(id(node))
        yield node
        for field in node.fields:
            yield from records(field.type, met)


def _field_type(record: Record, name: str) -> Node:
    return next(field.type for field in record.fields if field.name == name)


def _json(value: Any, given: Given) -> Any:
    if isinstance(value, bytes):
        return value.decode("latin-1")
    if isinstance(value, float) and not math.isfinite(value):
        raise given.place.error(f"a schema cannot have the default {value}")
    if isinstance(value, list):
        return [_json(item, given) for item in value]
    if isinstance(value, dict):
        return {key: _json(item, given) for key, item in value.items()}
    return value
