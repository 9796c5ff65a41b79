"""Messages of confluent-kafka's serializer read by ours, and ours by its deserializer, over one registry."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from confluent_kafka.schema_registry import SchemaRegistryClient
from confluent_kafka.schema_registry.avro import AvroDeserializer as TheirDeserializer
from confluent_kafka.schema_registry.avro import AvroSerializer as TheirSerializer
from confluent_kafka.serialization import MessageField, SerializationContext

from serde import AvroDeserializer, AvroSerializer, Reference, RegistryClient
from tests.support.server import running_registry

ORDER = {
    "type": "record",
    "name": "shop.Order",
    "fields": [
        {"name": "id", "type": "long"},
        {"name": "note", "type": ["null", "string"], "default": None},
        {"name": "at", "type": {"type": "long", "logicalType": "timestamp-millis"}},
        {
            "name": "total",
            "type": {"type": "bytes", "logicalType": "decimal", "precision": 9, "scale": 2},
        },
        {"name": "tags", "type": {"type": "map", "values": {"type": "array", "items": "string"}}},
        {"name": "state", "type": {"type": "enum", "name": "State", "symbols": ["NEW", "DONE"]}},
    ],
}
VALUE = {
    "id": 1 << 50,
    "note": "né",
    "at": datetime(2024, 2, 29, 1, 2, 3, 4000, tzinfo=UTC),
    "total": Decimal("-12.34"),
    "tags": {"k": ["a", ""], "": []},
    "state": "DONE",
}
CASES = [
    (json.dumps(ORDER), VALUE),
    ('"string"', "abc"),
    ('"bytes"', b"\x01\x02\x03"),
    ('"int"', -5),
    ('"boolean"', True),
]


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with running_registry() as server:
        yield server.url


@pytest.fixture
def ours(url: str) -> Iterator[RegistryClient]:
    with RegistryClient(url) as client:
        yield client


@pytest.fixture
def theirs(url: str) -> Iterator[Any]:
    with SchemaRegistryClient({"url": url}) as client:
        yield client


def topic(number: int) -> str:
    return f"case {number}/é"


def value_of(name: str) -> SerializationContext:
    return SerializationContext(name, MessageField.VALUE)


@pytest.mark.parametrize("number", range(len(CASES)))
def test_both_write_the_same_and_read_each_other(number: int, ours: RegistryClient, theirs: Any) -> None:
    schema, value = CASES[number]
    context = value_of(topic(number))
    their_message = TheirSerializer(theirs, schema)(value, context)
    our_message = AvroSerializer(ours, schema)(value, topic(number))
    assert our_message == their_message
    assert AvroDeserializer(ours)(their_message, topic(number)) == value
    assert TheirDeserializer(theirs)(our_message, context) == value


def test_references_registered_by_us_are_used_by_them(ours: RegistryClient, theirs: Any) -> None:
    ours.register("state", '{"type": "enum", "name": "ref.State", "symbols": ["NEW", "DONE"]}')
    schema = '{"type": "record", "name": "ref.R", "fields": [{"name": "s", "type": "ref.State"}]}'
    serializer = AvroSerializer(ours, schema, references=[Reference("ref.State", "state", 1)])
    made = serializer({"s": "DONE"}, "with references")
    assert TheirDeserializer(theirs)(made, value_of("with references")) == {"s": "DONE"}


def test_five_bytes_are_written_by_both_and_read_by_us(ours: RegistryClient, theirs: Any) -> None:
    # Theirs writes the message of an empty record and refuses to read it; Java reads it.
    schema = '{"type": "record", "name": "Empty", "fields": []}'
    made = TheirSerializer(theirs, schema)({}, value_of("empty"))
    assert made == AvroSerializer(ours, schema)({}, "empty")
    assert len(made) == 5
    assert AvroDeserializer(ours)(made, "empty") == {}
