"""Many messages at a time, by the serializers' faces: to values, to Arrow, and back."""

import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pytest

from serde import (
    AsyncAvroDeserializer,
    AsyncAvroSerializer,
    AsyncRegistryClient,
    AvroDeserializer,
    AvroSerializer,
    DeserializationError,
    FramingError,
    InvalidSchema,
    RegistryClient,
    SchemaNotFound,
    SerializationError,
)
from serde.arrow import arrow_schema
from serde.testing import registry
from tests.serde.columns import rows_of
from tests.serde.faces import run
from tests.serde.test_corpus import alerts, read_file, same
from tests.support.server import running_registry

pytestmark = pytest.mark.usefixtures("each_codec")

OLD: dict[str, Any] = {
    "type": "record",
    "name": "Order",
    "fields": [{"name": "id", "type": "int"}, {"name": "note", "type": ["null", "string"], "default": None}],
}
NEW: dict[str, Any] = {
    **OLD,
    "fields": [
        {"name": "id", "type": "long"},
        OLD["fields"][1],
        {"name": "price", "type": "double", "default": 1.5},
    ],
}
ROWS: list[dict[str, Any]] = [{"id": 1, "note": None}, {"id": 2, "note": "x"}, {"id": 3, "note": ""}]


@pytest.fixture
def client() -> Iterator[RegistryClient]:
    with registry() as client:
        client.set_config("NONE")
        yield client


def both(client: RegistryClient) -> tuple[AvroSerializer, AvroSerializer]:
    """Serializers of the old and of the new schema, ids 1 and 2."""
    old, new = AvroSerializer(client, json.dumps(OLD)), AvroSerializer(client, json.dumps(NEW))
    assert (old.schema_for("orders").id, new.schema_for("orders").id) == (1, 2)
    return old, new


def test_many_are_what_they_are_one_by_one(client: RegistryClient) -> None:
    old, new = both(client)
    values = [*ROWS, None, {"id": 4}]
    messages = old.serialize_many(values, "orders")
    assert messages == [old(value, "orders") for value in values]
    mixed = [*messages, new({"id": 5, "price": 2.0}, "orders"), *messages]
    for reader in (None, json.dumps(NEW)):
        deserializer = AvroDeserializer(client, reader)
        assert deserializer.deserialize_many(iter(mixed), "orders") == [deserializer(m) for m in mixed]
    with_class = AvroDeserializer(client, from_dict=lambda value: tuple(value.items()))
    assert with_class.deserialize_many([messages[0], None]) == [(("id", 1), ("note", None)), None]
    from_class = AvroSerializer(client, json.dumps(OLD), to_dict=lambda value: {"id": value})
    assert from_class.serialize_many([1, None], "orders") == [from_class(1, "orders"), None]
    buffers: list[bytearray | memoryview] = [bytearray(messages[0] or b""), memoryview(messages[1] or b"")]
    assert AvroDeserializer(client).deserialize_many(buffers) == ROWS[:2]


def test_an_error_says_which_of_many(client: RegistryClient) -> None:
    old, _ = both(client)
    with pytest.raises(
        SerializationError, match=r"^value 2, subject 'orders-value', schema 1: id: "
    ) as failed:
        old.serialize_many([*ROWS[:2], {"id": "3"}], "orders")
    assert failed.value.index == 2
    good = old(ROWS[0], "orders")
    assert good is not None
    bad = [good, good[:-1], None, b"\x05", good, b"\0\0\0\1\1" + good[5:], good + b"x"]
    deserializer = AvroDeserializer(client)
    with pytest.raises(
        DeserializationError, match=r"^message 1, topic 'orders', schema 1: note: "
    ) as refused:
        deserializer.deserialize_many(bad, "orders")
    assert (refused.value.index, refused.value.data) == (1, bad[1])
    errors: list[tuple[int, DeserializationError]] = []

    def put_aside(index: int, error: DeserializationError) -> str:
        errors.append((index, error))
        return "bad"

    assert deserializer.deserialize_many(bad, "orders", on_error=put_aside) == [
        *(ROWS[0], "bad", None, "bad", ROWS[0], "bad", "bad")
    ]
    assert [index for index, _ in errors] == [1, 3, 5, 6]
    assert all(error.data == bad[index] and error.index == index for index, error in errors)
    assert isinstance(errors[1][1], FramingError)
    assert isinstance(errors[2][1].__cause__, SchemaNotFound)
    by_value = [(index, str(error)) for index, error in errors]
    errors.clear()
    batch = deserializer.to_arrow(bad, "orders", nulls="drop", on_error=put_aside)
    assert rows_of(batch) == [ROWS[0], ROWS[0]]
    assert [(index, str(error)) for index, error in errors] == by_value
    assert all(error.data == bad[index] for index, error in errors)
    assert isinstance(errors[2][1].__cause__, SchemaNotFound)
    with pytest.raises(
        DeserializationError, match=r"^message 1, topic 'orders', schema 1: note: "
    ) as refused:
        deserializer.to_arrow(bad[:3], "orders", nulls="drop")
    assert refused.value.data == bad[1]


def test_messages_of_two_schemas_are_a_batch_of_the_readers(client: RegistryClient) -> None:
    old, new = both(client)
    messages = [*old.serialize_many(ROWS, "orders"), *new.serialize_many([{"id": 1 << 40}], "orders")]
    deserializer = AvroDeserializer(client, json.dumps(NEW))
    batch = deserializer.to_arrow(messages)
    assert batch.schema == arrow_schema(json.dumps(NEW))
    assert rows_of(batch) == deserializer.deserialize_many(messages)
    assert new.from_arrow(batch, "orders") == new.serialize_many(rows_of(batch), "orders")
    assert new.from_arrow(pa.Table.from_batches([batch, batch[1:2]]), "orders")[4:] == [
        new({**ROWS[1], "price": 1.5}, "orders")
    ]
    newest = AvroDeserializer(client, use_latest=True)
    assert newest.to_arrow(messages, "orders") == batch
    with pytest.raises(ValueError, match="more than one schema"):
        AvroDeserializer(client).to_arrow(messages)
    assert rows_of(AvroDeserializer(client).to_arrow(messages[:3])) == ROWS
    assert deserializer.to_arrow([]).num_rows == 0
    reads = AvroDeserializer(client)
    with pytest.raises(ValueError, match="give the deserializer a reader_schema"):
        reads.to_arrow([None], nulls="keep")
    # Without a reader's schema, too, what is wrong with a message is the message's fault.
    for bad, reason in (
        (b"not Avro", "message 0: the message starts with the byte 0x6e"),
        (None, "message 0: a null message"),
        (b"\0\0\0\0\x63\x02", "message 0, schema 99: the registry at .* has no schema with this id"),
    ):
        with pytest.raises(DeserializationError, match=f"^{reason}"):
            reads.to_arrow([bad])
    with pytest.raises(FramingError, match=r"^message 1: the message starts with the byte 0x6e"):
        reads.to_arrow([None, b"not Avro"], nulls="drop")
    kept: list[int] = []
    with pytest.raises(ValueError, match="give the deserializer a reader_schema"):
        reads.to_arrow([b"not Avro"], on_error=lambda index, _: kept.append(index))


def test_a_null_message_is_an_error_a_row_or_nothing(client: RegistryClient) -> None:
    old, _ = both(client)
    messages = [None, *old.serialize_many(ROWS, "orders"), None]
    deserializer = AvroDeserializer(client, json.dumps(OLD))
    with pytest.raises(DeserializationError, match=r"^message 0: a null message"):
        deserializer.to_arrow(messages)
    assert rows_of(deserializer.to_arrow(messages, nulls="drop")) == ROWS
    kept = deserializer.to_arrow(messages, nulls="keep")
    kept.validate(full=True)
    assert all(field.nullable for field in kept.schema)
    assert rows_of(kept) == [{"id": None, "note": None}, *ROWS, {"id": None, "note": None}]
    assert rows_of(deserializer.to_arrow([None], nulls="keep")) == [{"id": None, "note": None}]
    with pytest.raises(ValueError, match="nulls is"):
        deserializer.to_arrow(messages, nulls="ignore")  # type: ignore[arg-type]
    with pytest.raises(SerializationError, match=r"^value 0, .*: id: expected a value, got null") as failed:
        old.from_arrow(kept, "orders")
    assert failed.value.index == 0


def test_guids_in_headers_say_the_schema_of_many(client: RegistryClient) -> None:
    old = AvroSerializer(client, json.dumps(OLD), framing="header")
    headers: list[list[tuple[str, bytes | None]]] = [[("a", b"b")], [], [("__value_schema_id", b"?")]]
    bodies = old.serialize_many(ROWS, "orders", headers)
    assert [len(each) for each in headers] == [2, 1, 1]
    deserializer = AvroDeserializer(client)
    assert deserializer.deserialize_many(bodies, None, headers) == ROWS
    batch = deserializer.to_arrow(bodies, None, headers)
    assert rows_of(batch) == ROWS
    more: list[dict[str, bytes]] = [{}, {}, {}]
    assert old.from_arrow(batch, "orders", more) == bodies
    assert more == [dict(headers[1])] * 3
    prefixed = AvroSerializer(client, json.dumps(OLD)).serialize_many(ROWS, "orders")
    reader = AvroDeserializer(client, json.dumps(OLD))
    assert rows_of(reader.to_arrow([*bodies, *prefixed], None, [*headers, None, [], {}])) == ROWS * 2
    # A GUID in front of a message is read, too.
    fronted = [headers[1][0][1] + body for body in bodies]  # type: ignore[operator]
    assert rows_of(deserializer.to_arrow(fronted)) == deserializer.deserialize_many(fronted) == ROWS
    with pytest.raises(FramingError, match=r"^message 1: the header __value_schema_id"):
        deserializer.to_arrow(bodies, None, [headers[0], [("__value_schema_id", b"?")], headers[2]])
    with pytest.raises(ValueError, match="3 messages and the headers of 2"):
        deserializer.to_arrow(bodies, None, headers[:2])
    with pytest.raises(TypeError, match="sets a header"):
        old.serialize_many(ROWS, "orders")


def test_what_is_not_strict_is_not_in_bulk_either(client: RegistryClient) -> None:
    both(client)
    loose = AvroSerializer(
        client, json.dumps({**OLD, "fields": [{"name": "a", "type": ["null", "int"]}]}), strict=False
    )
    batch = pa.record_batch({"b": [1]})
    assert loose.from_arrow(batch, "loose") == loose.serialize_many([{"b": 1}], "loose")
    long = [message + b"xx" for message in loose.from_arrow(batch, "loose")]
    assert AvroDeserializer(client, strict=False).to_arrow(long).to_pylist() == [{"a": None}]
    with pytest.raises(DeserializationError, match="2 bytes are left"):
        AvroDeserializer(client).to_arrow(long)


@dataclass
class Order:
    id: int
    note: str | None = None


def test_a_class_is_for_values_and_not_for_columns(client: RegistryClient) -> None:
    serializer, deserializer = AvroSerializer(client, Order), AvroDeserializer(client, Order)
    orders = [Order(1), Order(2, "x")]
    messages = serializer.serialize_many(orders, "orders")
    assert deserializer.deserialize_many(messages) == orders
    batch = deserializer.to_arrow(messages)
    assert batch.to_pylist() == [{"id": 1, "note": None}, {"id": 2, "note": "x"}]
    assert serializer.from_arrow(batch, "orders") == messages


def test_asyncio_has_the_same() -> None:
    async def scenario(url: str) -> None:
        async with AsyncRegistryClient(url) as client:
            serializer = AsyncAvroSerializer(client, json.dumps(OLD))
            deserializer = AsyncAvroDeserializer(client, json.dumps(NEW))
            messages = await serializer.serialize_many(ROWS, "orders")
            assert await deserializer.deserialize_many(messages) == [{**row, "price": 1.5} for row in ROWS]
            batch = await deserializer.to_arrow(messages)
            assert rows_of(batch) == [{**row, "price": 1.5} for row in ROWS]
            again = await serializer.from_arrow(batch.select(["id", "note"]), "orders")
            assert again == messages

    with running_registry("memory:") as server:
        run(scenario(server.url))


def test_a_recursive_schema_is_refused(client: RegistryClient) -> None:
    node = {"type": "record", "name": "Node", "fields": [{"name": "next", "type": ["null", "Node"]}]}
    serializer = AvroSerializer(client, json.dumps(node))
    message = serializer({"next": {"next": None}}, "nodes")
    with pytest.raises(InvalidSchema, match="Node holds itself"):
        AvroDeserializer(client).to_arrow([message])
    # A reader that does not ask for what is recursive has columns.
    flat = {**node, "fields": [{"name": "label", "type": "string", "default": ""}]}
    assert AvroDeserializer(client, json.dumps(flat)).to_arrow([message]).to_pylist() == [{"label": ""}]
    with pytest.raises(InvalidSchema, match="Node holds itself"):
        serializer.from_arrow(pa.record_batch({"next": [None]}), "nodes")


@pytest.mark.parametrize("pattern", ["ztf/alerts/*.avro", "lsst/**/sample_data/*.avro"])
def test_real_alerts_to_arrow_and_back(client: RegistryClient, pattern: str) -> None:
    for path in alerts(pattern):
        schema, records = read_file(path)
        serializer = AvroSerializer(client, json.dumps(schema))
        messages = serializer.serialize_many(records, "alerts")
        batch = AvroDeserializer(client).to_arrow(messages)
        batch.validate(full=True)
        assert serializer.from_arrow(batch, "alerts") == messages
        assert all(map(same, rows_of(batch), records))


def test_without_pyarrow_the_extra_is_named() -> None:
    program = (
        "import sys\nsys.modules['pyarrow'] = None\n"
        "from serde import AvroDeserializer, RegistryClient, MissingExtra\n"
        "client = RegistryClient('http://127.0.0.1:9')\n"
        "reader = AvroDeserializer(client, '\"int\"')\n"
        "try:\n    reader.to_arrow([])\nexcept MissingExtra as error:\n    print(error)\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert "pip install 'fivebyte[arrow]'" in done.stdout
    assert done.stdout.count("\n") == 1
