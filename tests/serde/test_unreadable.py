"""Whether a schema reads all that another wrote: the verdict of the registry, which is Java's."""

import json
from typing import Any

import pytest

from registry.languages.avro.compatibility import compare
from registry.languages.avro.parser import parse
from registry.languages.language import SchemaFault
from serde.codec import parse_schema
from serde.codec.compatibility import why_unreadable
from serde.errors import InvalidSchema
from tests.support.avro_generator import AvroGenerator


def reasons(writer: Any, reader: Any) -> tuple[str, ...]:
    return why_unreadable(parse_schema(json.dumps(writer)), parse_schema(json.dumps(reader)))


def record(*fields: dict[str, Any], name: str = "R") -> dict[str, Any]:
    return {"type": "record", "name": name, "fields": list(fields)}


@pytest.mark.parametrize(
    ("writer", "reader", "words"),
    [
        ("int", "string", "written as int, which the reader's string cannot take"),
        (["int", "string"], "long", "written as string, which the reader's long cannot take"),
        (record(), record({"name": "a", "type": "int"}), "the reader's R needs 'a'"),
        (
            {"type": "enum", "name": "E", "symbols": ["A", "B", "C"]},
            {"type": "enum", "name": "E", "symbols": ["B"]},
            "the reader's E has no 'A', 'C' and no default",
        ),
        ({"type": "array", "items": "string"}, {"type": "array", "items": "int"}, "written as string"),
    ],
)
def test_the_reason_is_told(writer: Any, reader: Any, words: str) -> None:
    (reason,) = reasons(writer, reader)
    assert words in reason


def test_a_record_that_holds_itself() -> None:
    node = record({"name": "next", "type": ["null", "R"]}, {"name": "v", "type": "int"})
    other = record({"name": "next", "type": ["null", "R"]}, {"name": "v", "type": "string"})
    assert reasons(node, node) == ()
    assert reasons(node, other) == ("written as int, which the reader's string cannot take",)


def claims_twice(schema: Any) -> bool:
    """Whether two fields of a record in it have a name or an alias together."""
    if isinstance(schema, list):
        return any(map(claims_twice, schema))
    if not isinstance(schema, dict):
        return False
    names = [
        name
        for field in schema.get("fields") or ()
        if isinstance(field, dict)
        for name in {field.get("name"), *field.get("aliases", ())}
    ]
    return len(set(names)) < len(names) or any(map(claims_twice, schema.values()))


def test_the_verdict_is_the_registrys() -> None:
    generator = AvroGenerator(7)
    verdicts = {True: 0, False: 0}
    for _ in range(1500):
        writer = generator.schema()
        reader = generator.changed(writer)
        try:
            ours = not reasons(writer, reader)
            theirs = not compare(parse(json.dumps(reader))[0], parse(json.dumps(writer))[0])
        except (InvalidSchema, SchemaFault):
            continue  # the change broke it
        if claims_twice(reader):
            continue  # two fields of the reader's take one of the writer's: Java compares with both
        assert ours == theirs, (writer, reader, reasons(writer, reader))
        verdicts[ours] += 1
    assert min(verdicts.values()) > 100, verdicts
