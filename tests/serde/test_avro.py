"""Serializer and deserializer against the real registry in the process."""

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import httpx2
import pytest

from serde import (
    AvroDeserializer,
    AvroSerializer,
    DeserializationError,
    FramingError,
    Incompatible,
    InvalidSchema,
    Reference,
    RegistryClient,
    RegistryUnreachable,
    SchemaNotFound,
    SerdeError,
    SerializationError,
    record_name_strategy,
    topic_record_name_strategy,
)
from serde.codec import LOGICAL_TYPES
from serde.framing import prefix
from serde.testing import registry
from tests.serde.servers import Scripted, answer, error

INT_RECORD = '{"type": "record", "name": "shop.R", "fields": [{"name": "a", "type": "int"}]}'


@pytest.fixture
def client() -> Iterator[RegistryClient]:
    with registry() as made:
        yield made


def message(schema_id: int, body: str = "") -> bytes:
    return bytes.fromhex(f"00{schema_id:08x}{body}")


@pytest.mark.parametrize(
    ("schema", "value", "body"),
    [
        (INT_RECORD, {"a": 1}, "02"),
        (INT_RECORD, {"a": 75}, "9601"),
        ('"string"', "abc", "06616263"),
        ('"bytes"', b"\x01\x02\x03", "010203"),
        ('{"type": "bytes"}', b"\x01\x02\x03", "010203"),
        ('"bytes"', b"", ""),
        ('["null", "bytes"]', b"\x01", "020201"),
        ('"boolean"', True, "01"),
        ('"int"', -1, "01"),
        ('{"type": "array", "items": "int"}', [1], "020200"),
        ('{"type": "record", "name": "Empty", "fields": []}', {}, ""),
    ],
)
def test_messages_are_those_of_the_wire_format(
    client: RegistryClient, schema: str, value: Any, body: str
) -> None:
    client.register("other", '{"type": "fixed", "name": "F", "size": 9}')
    made = AvroSerializer(client, schema)(value, "orders")
    assert made == message(2, body)
    assert AvroDeserializer(client)(made, "orders") == value


def test_five_bytes_are_a_whole_message_of_null(client: RegistryClient) -> None:
    found = client.register("t-value", '"null"')
    assert AvroDeserializer(client)(message(found.id)) is None


def test_none_is_a_tombstone_both_ways_and_asks_nothing() -> None:
    server = Scripted(error(500, 500))
    with server.client() as client:
        assert AvroSerializer(client, INT_RECORD)(None, "orders") is None
        assert AvroDeserializer(client)(None, "orders") is None
    assert server.requests == []


def test_a_decimal_as_the_whole_schema_is_bare_too(client: RegistryClient) -> None:
    schema = '{"type": "bytes", "logicalType": "decimal", "precision": 4, "scale": 2}'
    made = AvroSerializer(client, schema)(b"\x01", "t")
    assert made == message(1, "01")
    value = AvroDeserializer(client)(made)
    assert AvroSerializer(client, schema)(value, "t") == made
    assert str(value) == "0.01"


def test_keys_and_values_have_their_own_subjects(client: RegistryClient) -> None:
    AvroSerializer(client, '"string"', is_key=True)("k", "orders")
    AvroSerializer(client, INT_RECORD)({"a": 1}, "orders")
    assert client.subjects() == ["orders-key", "orders-value"]


def test_other_strategies(client: RegistryClient) -> None:
    AvroSerializer(client, INT_RECORD, subject_strategy=record_name_strategy)({"a": 1}, "orders")
    AvroSerializer(client, INT_RECORD, subject_strategy=topic_record_name_strategy)({"a": 1}, "orders")
    AvroSerializer(client, INT_RECORD, subject_strategy=lambda t, k, n: f"{t}|{k}|{n}")({"a": 1}, "orders")
    assert client.subjects() == ["orders-shop.R", "orders|False|shop.R", "shop.R"]
    unnamed = AvroSerializer(client, '"int"', subject_strategy=record_name_strategy)
    with pytest.raises(SerializationError, match="needs a schema that has a name"):
        unnamed(1, "orders")


def test_one_serializer_for_topics_with_other_ids_stamps_each_topics_own() -> None:
    ids = {"a-value": 7, "b-value": 9}

    def register(request: httpx2.Request) -> httpx2.Response:
        subject = request.url.path.split("/")[2]
        return answer(200, {"id": ids[subject], "version": 1, "schema": '"int"'})

    with Scripted(register).client() as client:
        serializer = AvroSerializer(client, '"int"')
        made = [serializer(1, topic) for topic in ("a", "b", "a", "b", "a")]
    assert [(each or b"")[:5] for each in made] == [prefix(number) for number in (7, 9, 7, 9, 7)]


def test_after_the_first_message_nothing_is_asked(client: RegistryClient) -> None:
    serializer, deserializer = AvroSerializer(client, INT_RECORD), AvroDeserializer(client)
    made = serializer({"a": 1}, "orders")
    assert deserializer(made) == {"a": 1}
    client.close()
    assert serializer({"a": 2}, "orders") == message(1, "04")
    assert deserializer(message(1, "06")) == {"a": 3}


def test_without_auto_register_the_schema_must_be_there(client: RegistryClient) -> None:
    serializer = AvroSerializer(client, INT_RECORD, auto_register=False)
    with pytest.raises(SerializationError) as caught:
        serializer({"a": 1}, "orders")
    assert "subject 'orders-value': the schema is not registered" in str(caught.value)
    assert "auto_register=True" in str(caught.value)
    assert client.subjects() == []
    client.register("orders-value", INT_RECORD)
    assert serializer({"a": 1}, "orders") == message(1, "02")


def test_without_a_schema_or_with_use_latest_the_newest_version_is_written(client: RegistryClient) -> None:
    for use_latest in (False, True):
        with pytest.raises(SerializationError, match="the subject has no schema yet"):
            AvroSerializer(client, use_latest=use_latest)({"a": 1}, "orders")
    client.register("orders-value", INT_RECORD)
    newest = client.register(
        "orders-value",
        '{"type": "record", "name": "shop.R", "fields": [{"name": "a", "type": "long"}]}',
    )
    for use_latest in (False, True):
        assert AvroSerializer(client, use_latest=use_latest)({"a": 1}, "orders") == message(newest.id, "02")


def test_options_that_exclude_each_other_are_refused(client: RegistryClient) -> None:
    with pytest.raises(ValueError, match="give use_latest or schema_id, not both"):
        AvroSerializer(client, INT_RECORD, use_latest=True, schema_id=1)
    with pytest.raises(ValueError, match="give reader_schema or use_latest, not both"):
        AvroDeserializer(client, INT_RECORD, use_latest=True)


def test_a_schema_that_is_none_is_refused_at_once(client: RegistryClient) -> None:
    with pytest.raises(InvalidSchema, match="is not JSON"):
        AvroSerializer(client, "record")
    with pytest.raises(InvalidSchema, match='unknown type "strin"'):
        AvroDeserializer(client, '"strin"')


def test_an_incompatible_schema_is_refused_by_the_registry(client: RegistryClient) -> None:
    client.register("orders-value", '"string"')
    with pytest.raises(Incompatible):
        AvroSerializer(client, INT_RECORD)({"a": 1}, "orders")


def test_a_value_that_does_not_fit_names_subject_schema_and_path(client: RegistryClient) -> None:
    with pytest.raises(SerializationError) as caught:
        AvroSerializer(client, INT_RECORD)({"a": "x"}, "orders")
    found = caught.value
    assert str(found) == "subject 'orders-value', schema 1: a: expected int, got 'x'"
    assert (found.path, found.topic, found.subject, found.schema_id) == ("a", "orders", "orders-value", 1)


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        ("", "a: the message ends inside this value"),
        ("80", "a: the message ends inside this value"),
        ("0200", "1 bytes are left after the value"),
    ],
)
def test_a_broken_message_is_kept(client: RegistryClient, body: str, problem: str) -> None:
    client.register("t-value", INT_RECORD)
    with pytest.raises(DeserializationError) as caught:
        AvroDeserializer(client)(message(1, body), "t")
    found = caught.value
    assert problem in str(found)
    assert str(found).startswith("topic 't', schema 1: ")
    assert (found.data, found.topic, found.schema_id) == (message(1, body), "t", 1)


def test_a_message_of_another_format_is_kept(client: RegistryClient) -> None:
    deserializer = AvroDeserializer(client, is_key=True)
    for data in (b"", b"\x00", b"plain text", b"\x01\x00\x00\x00\x01\x02"):
        with pytest.raises(FramingError) as caught:
            deserializer(data, "t")
        assert str(caught.value).startswith("topic 't', key: ")
        assert (caught.value.data, caught.value.is_key) == (data, True)


def test_an_unknown_id_is_the_messages_fault(client: RegistryClient) -> None:
    with pytest.raises(DeserializationError) as caught:
        AvroDeserializer(client)(message(99), "t")
    assert "topic 't', schema 99: the registry at http://registry.test has no schema" in str(caught.value)
    assert isinstance(caught.value.__cause__, SchemaNotFound)
    assert caught.value.data == message(99)


@pytest.mark.parametrize("fault", [httpx2.ConnectError("refused"), error(500, 50001), error(401, 401)])
def test_a_registry_that_fails_is_not_the_messages_fault(fault: Any) -> None:
    with Scripted(fault).client(retries=0) as client, pytest.raises(SerdeError) as caught:
        AvroDeserializer(client)(message(1, "02"))
    assert not isinstance(caught.value, DeserializationError)
    assert isinstance(caught.value, RegistryUnreachable) == isinstance(fault, Exception)


@pytest.mark.parametrize(
    ("schema", "problem"),
    [
        ({"schemaType": "JSON", "schema": "{}"}, "it is JSON, not AVRO"),
        ({"schema": '{"type": "nonsense"}'}, 'unknown type "nonsense"'),
    ],
)
def test_a_writers_schema_that_cannot_be_used(schema: Any, problem: str) -> None:
    with Scripted(answer(200, schema)).client() as client, pytest.raises(DeserializationError) as caught:
        AvroDeserializer(client)(message(1, "02"))
    assert problem in str(caught.value)


def test_a_subject_of_another_language_is_refused() -> None:
    latest = {"id": 1, "version": 1, "subject": "t-value", "schemaType": "PROTOBUF", "schema": "x"}
    with (
        Scripted(answer(200, latest)).client() as client,
        pytest.raises(SerializationError, match="the schema is PROTOBUF, not AVRO"),
    ):
        AvroSerializer(client)({}, "t")


def test_a_reader_schema_gives_every_version_in_its_shape(client: RegistryClient) -> None:
    first = AvroSerializer(client, INT_RECORD)({"a": 1}, "t")
    newer = {
        "type": "record",
        "name": "shop.R",
        "fields": [
            {"name": "a", "type": "long"},
            {"name": "image", "type": "bytes", "default": "\u00ff"},
            {"name": "tags", "type": {"type": "array", "items": "string"}, "default": ["new"]},
        ],
    }
    text = json.dumps(newer)
    second = AvroSerializer(client, text)({"a": 1 << 40, "image": b"", "tags": []}, "t")
    deserializer = AvroDeserializer(client, text)
    assert deserializer(first) == {"a": 1, "image": b"\xff", "tags": ["new"]}
    assert deserializer(second) == {"a": 1 << 40, "image": b"", "tags": []}
    deserializer(first)["tags"].append("changed")
    assert deserializer(first) == {"a": 1, "image": b"\xff", "tags": ["new"]}


def test_a_message_the_reader_cannot_take_says_why(client: RegistryClient) -> None:
    made = AvroSerializer(client, INT_RECORD)({"a": 1}, "t")
    reader = '{"type": "record", "name": "shop.R", "fields": [{"name": "b", "type": "int"}]}'
    with pytest.raises(DeserializationError, match=r"the reader's shop\.R needs 'b'") as caught:
        AvroDeserializer(client, reader)(made, "t")
    assert caught.value.data == made


def test_a_message_is_readable_after_its_schema_and_what_it_refers_to_are_deleted() -> None:
    with registry() as client:
        client.register("base", '{"type": "fixed", "name": "n.F", "size": 1}')
        text = '{"type": "record", "name": "n.R", "fields": [{"name": "f", "type": "n.F"}]}'
        client.register("t-value", text, references=[Reference("n.F", "base", 1)])
        client.delete_subject("t-value")
        client.delete_subject("base")
        assert AvroDeserializer(client)(message(2, "78")) == {"f": b"x"}


def test_references_with_a_diamond(client: RegistryClient) -> None:
    def record(name: str, **fields: str) -> str:
        made = [{"name": field, "type": kind} for field, kind in fields.items()]
        return json.dumps({"type": "record", "name": f"n.{name}", "fields": made})

    base = Reference("n.Base", "base", client.register("base", record("Base", v="int")).version)
    client.register("left", record("Left", b="n.Base"), references=[base])
    client.register("right", record("Right", b="n.Base"), references=[base])
    uses = [Reference("n.Left", "left", 1), Reference("n.Right", "right", 1)]
    top = record("Top", left="n.Left", right="Right")
    value = {"left": {"b": {"v": 1}}, "right": {"b": {"v": 2}}}

    serializer = AvroSerializer(client, top, references=uses, subject_strategy=record_name_strategy)
    made = serializer(value, "t")
    assert made is not None
    assert made[5:].hex() == "0204"
    assert client.versions("n.Top") == [1]
    assert serializer.schema_for("t").references == tuple(uses)
    assert AvroDeserializer(client)(made) == value
    assert AvroDeserializer(client, top, references=uses)(made) == value


def test_values_of_the_users_own_classes(client: RegistryClient) -> None:
    @dataclass
    class Order:
        a: int

    serializer = AvroSerializer(client, INT_RECORD, to_dict=asdict)
    deserializer = AvroDeserializer(client, from_dict=lambda found: Order(**found))
    made = serializer(Order(5), "t")
    assert deserializer(made) == Order(5)
    assert serializer(None, "t") is None
    assert deserializer(None) is None


def test_buffers_are_messages_too(client: RegistryClient) -> None:
    made = AvroSerializer(client, INT_RECORD)({"a": 1}, "t") or b""
    deserializer = AvroDeserializer(client)
    assert deserializer(bytearray(made)) == deserializer(memoryview(made)) == {"a": 1}


def test_arguments_of_another_type_are_refused(client: RegistryClient) -> None:
    with pytest.raises(TypeError, match="a message is bytes, not str"):
        AvroDeserializer(client)("text")  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="the topic is a string, not int"):
        AvroSerializer(client, INT_RECORD)({"a": 1}, 5)  # type: ignore[arg-type]


def test_a_logical_type_may_be_left_as_it_is_stored() -> None:
    fields = [
        {"name": "at", "type": {"type": "long", "logicalType": "timestamp-millis"}},
        {"name": "key", "type": {"type": "string", "logicalType": "uuid"}},
    ]
    schema = json.dumps({"type": "record", "name": "R", "fields": fields})
    key = "12345678-1234-5678-1234-567812345678"
    stored = {"at": 1000, "key": key}
    with registry() as client:
        message = AvroSerializer(client, schema)(stored, "t")
        assert AvroDeserializer(client)(message) == {
            "at": datetime(1970, 1, 1, 0, 0, 1, tzinfo=UTC),
            "key": UUID(key),
        }
        raw = AvroDeserializer(client, raw_logical_types=["uuid"])
        assert raw(message) == {"at": datetime(1970, 1, 1, 0, 0, 1, tzinfo=UTC), "key": key}
        assert AvroDeserializer(client, schema, raw_logical_types=LOGICAL_TYPES)(message) == stored
        strict = AvroSerializer(client, schema, raw_logical_types=LOGICAL_TYPES)
        assert strict(stored, "t") == message
        with pytest.raises(SerializationError, match="expected string, got UUID"):
            strict({"at": 1000, "key": UUID(key)}, "t")
        for kind in (AvroSerializer, AvroDeserializer):
            with pytest.raises(ValueError, match="no logical type: guid; there are big-decimal, date, "):
                kind(client, schema, raw_logical_types=["guid"])
