"""Generated schemas and values, once for all who compare our codec with another's."""

import functools
import json
from collections.abc import Callable
from typing import Any, NamedTuple

from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st

from serde.codec import parse_schema
from serde.codec.logical import conversion
from tests.serde.generated import evolutions, schemas_with_many, schemas_with_values

CASES = 5000


class Case(NamedTuple):
    """A value written with one schema and read with the same or another.

    written: with the branches of unions named. expected: what reading gives.
    """

    writer: Any
    reader: Any
    written: Any
    expected: Any


@functools.cache
def cases() -> list[Case]:
    """`CASES` of them, much the same each time: of every type, half of them with another reader's schema."""
    found: list[Case] = []
    plain = schemas_with_values().map(lambda case: Case(case[0], case[0], *case[1:]))
    every = schemas_with_many(1).map(lambda case: Case(case[0], case[0], *case[1][0]))
    evolved = evolutions().map(lambda case: Case(*case))

    @seed(4)
    @settings(max_examples=CASES, database=None, suppress_health_check=list(HealthCheck), deadline=None)
    @given(st.one_of(plain, every, evolved, evolved))
    def collect(case: Case) -> None:
        found.append(case)

    collect()
    return found


def without_logical(schema: Any) -> Any:
    """The schema of the stored values."""
    return _walked(schema, lambda each: {key: part for key, part in each.items() if key != "logicalType"})


def _walked(schema: Any, change: Callable[[dict[str, Any]], dict[str, Any]]) -> Any:
    if isinstance(schema, list):
        return [_walked(branch, change) for branch in schema]
    if not isinstance(schema, dict):
        return schema
    inner = ("type", "items", "values", "fields")
    return {key: _walked(part, change) if key in inner else part for key, part in change(schema).items()}


def stored(schema: Any, value: Any, names: dict[str, Any] | None = None) -> Any:
    """A written value with each logical type as Avro stores it; the branches of unions stay named."""
    if names is None:
        names = {}
        _name_all(schema, names)
    if isinstance(schema, list):
        if value is None:
            return None
        kind, inner = value
        return kind, stored(next(branch for branch in schema if _kind(branch) == kind), inner, names)
    if isinstance(schema, str):
        return stored(names[schema], value, names) if schema in names else value
    if "logicalType" in schema:
        convert = conversion(parse_schema(json.dumps(schema)).root)
        assert convert is not None
        return convert.encode(value)
    match schema["type"]:
        case "array":
            return [stored(schema["items"], item, names) for item in value]
        case "map":
            return {key: stored(schema["values"], item, names) for key, item in value.items()}
        case "record":
            return {
                field["name"]: stored(field["type"], value[field["name"]], names)
                for field in schema["fields"]
            }
    return value


def _name_all(schema: Any, names: dict[str, Any]) -> None:
    """Put every named type that a schema defines into `names`."""
    if isinstance(schema, list):
        for branch in schema:
            _name_all(branch, names)
    elif isinstance(schema, dict):
        if "name" in schema:
            names[_kind(schema)] = schema
        inner = [field["type"] for field in schema.get("fields", ())]
        for part in (schema.get("items"), schema.get("values"), *inner):
            _name_all(part, names)


def _kind(schema: Any) -> str:
    if isinstance(schema, str):
        return schema
    if "name" in schema:
        namespace = schema.get("namespace")
        return f"{namespace}.{schema['name']}" if namespace else str(schema["name"])
    return str(schema["type"])


def define_first(writer: Any, reader: Any) -> Any:
    """The reader's schema with its fields in the order of the writer's, for those who want no name before it
    is defined.
    """
    if writer is reader:
        return reader
    order = {field["name"]: place for place, field in enumerate(writer["fields"])}

    def place(field: Any) -> int:
        return order.get(next(iter(field.get("aliases", [field["name"]]))), -1)

    return {**reader, "fields": sorted(reader["fields"], key=place)}
