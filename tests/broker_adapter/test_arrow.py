"""A consumer's records in bulk: deserialized many at a time, and as Arrow batches."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from broker_adapter import ArrowConsumer, Broker, RawRecord, TopicPartition, connect
from broker_adapter.errors import SerdeFailed
from serde import AvroDeserializer, AvroSerializer, DeserializationError, RegistryClient
from serde.testing import registry

SCHEMA = json.dumps({"type": "record", "name": "R", "fields": [{"name": "n", "type": "int"}]})
T0 = TopicPartition("t", 0)


class Counting(AvroDeserializer):
    """Counts how it is called."""

    one = many = 0

    def __call__(self, *given: Any, **more: Any) -> Any:
        self.one += 1
        return super().__call__(*given, **more)

    def deserialize_many(self, *given: Any, **more: Any) -> list[Any]:
        self.many += 1
        return super().deserialize_many(*given, **more)


@pytest.fixture
def client() -> Iterator[RegistryClient]:
    with registry() as client:
        yield client


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Broker]:
    with connect(f"file:{tmp_path}") as broker:
        broker.admin.create_topic("t", partitions=1)
        broker.admin.create_topic("u", partitions=1)
        yield broker


def fill(broker: Broker, client: RegistryClient, bad: int | None = None) -> None:
    """Ten records with the numbers of their offsets; number 7 is null, and `bad` is truncated."""
    serializer = AvroSerializer(client, SCHEMA)
    with broker.producer() as producer:
        for n in range(10):
            value = None if n == 7 else serializer({"n": n}, "t")
            value = value[:-1] if n == bad and value else value
            producer.send("t", value, key=b"%d" % n, timestamp=n)


def test_a_poll_is_deserialized_at_once(broker: Broker, client: RegistryClient) -> None:
    fill(broker, client)
    deserializer = Counting(client)
    with broker.consumer(["t", "u"], value_deserializer=deserializer) as consumer:
        found = [record.value and record.value["n"] for record in consumer.poll()]
    assert found == [None if n == 7 else n for n in range(10)]
    assert (deserializer.one, deserializer.many) == (0, 1)


def test_a_bad_record_of_many_stays_before_the_position(broker: Broker, client: RegistryClient) -> None:
    fill(broker, client, bad=4)
    deserializer = Counting(client)
    with broker.consumer("t", value_deserializer=deserializer) as consumer:
        assert [record.value["n"] for record in consumer.poll()] == [0, 1, 2, 3]
        with pytest.raises(SerdeFailed, match="offset 4 of t-0") as caught:
            consumer.poll()
        assert isinstance(caught.value.__cause__, DeserializationError)
        assert consumer.position(T0) == 4
        consumer.seek(T0, 5)
        assert [record.offset for record in consumer.poll()] == [5, 6, 7, 8, 9]
    with broker.consumer("t", value_deserializer=deserializer, on_error="dead-letter:u") as consumer:
        assert [record.offset for record in consumer.poll()] == [0, 1, 2, 3, 5, 6, 7, 8, 9]
    with broker.consumer("u") as consumer:
        assert [record.key for record in consumer.poll()] == [b"4"]


def test_a_poll_as_a_batch_says_where_each_row_was(broker: Broker, client: RegistryClient) -> None:
    fill(broker, client)
    with broker.consumer(["t", "u"]) as consumer:
        batch = ArrowConsumer(consumer, AvroDeserializer(client, SCHEMA)).poll()
        assert batch is not None
        batch.validate(full=True)
        assert batch.to_pylist() == [
            {
                "_topic": "t",
                "_partition": 0,
                "_offset": n,
                "_timestamp": datetime.fromtimestamp(n / 1000, UTC),
                "_key": b"%d" % n,
                "n": None if n == 7 else n,
            }
            for n in range(10)
        ]
        assert consumer.position(T0) == 10
        assert ArrowConsumer(consumer, AvroDeserializer(client, SCHEMA)).poll() is None
    with broker.producer() as producer:
        producer.send("u", AvroSerializer(client, SCHEMA)({"n": 10}, "u"))
    with broker.consumer(["t", "u"], idle_timeout=0) as consumer:
        arrow = ArrowConsumer(consumer, AvroDeserializer(client, SCHEMA), nulls="drop")
        rows = [row for batch in arrow.batches(max_records=4) for row in batch.to_pylist()]
    assert sorted((row["_topic"], row["n"]) for row in rows) == [
        *(("t", n) for n in range(10) if n != 7),
        ("u", 10),
    ]
    with broker.consumer(["t", "u"]) as consumer:
        plain = ArrowConsumer(consumer, AvroDeserializer(client, SCHEMA), places=False, nulls="drop").poll()
        assert plain is not None
        assert plain.schema.names == ["n"]
        assert sorted(plain["n"].to_pylist()) == [n for n in range(11) if n != 7]


def test_a_bad_record_of_a_batch_is_raised_or_handled(broker: Broker, client: RegistryClient) -> None:
    fill(broker, client, bad=4)
    with broker.consumer("t") as consumer:
        arrow = ArrowConsumer(consumer, AvroDeserializer(client, SCHEMA))
        for _ in range(2):
            with pytest.raises(SerdeFailed, match="the value of the record at offset 4 of t-0"):
                arrow.poll()
            assert consumer.position(T0) == 0
        handled: list[tuple[RawRecord, SerdeFailed]] = []
        lenient = ArrowConsumer(
            consumer,
            AvroDeserializer(client, SCHEMA),
            nulls="drop",
            on_error=lambda record, error: handled.append((record, error)),
        )
        batch = lenient.poll()
        assert batch is not None
        assert batch["_offset"].to_pylist() == [0, 1, 2, 3, 5, 6, 8, 9]
        ((record, error),) = handled
        assert (record.offset, error.offset) == (4, 4)
        assert isinstance(error.__cause__, DeserializationError)
        assert error.__cause__.data == record.value
        strict = ArrowConsumer(consumer, AvroDeserializer(client, SCHEMA), nulls="refuse")
        consumer.seek(T0, 5)
        with pytest.raises(SerdeFailed, match="offset 7"):
            strict.poll()
        assert consumer.position(T0) == 5


def test_a_field_with_the_name_of_a_place_is_refused(broker: Broker, client: RegistryClient) -> None:
    schema = json.dumps({"type": "record", "name": "R", "fields": [{"name": "_offset", "type": "int"}]})
    with broker.producer() as producer:
        producer.send("t", AvroSerializer(client, schema)({"_offset": 1}, "t"))
    with broker.consumer("t") as consumer:
        with pytest.raises(ValueError, match="give places=False"):
            ArrowConsumer(consumer, AvroDeserializer(client)).poll()
        assert consumer.position(T0) == 0


def test_guids_in_headers_are_read_in_bulk(broker: Broker, client: RegistryClient) -> None:
    serializer = AvroSerializer(client, SCHEMA, framing="header")
    with broker.producer(value_serializer=serializer) as producer:
        for n in range(3):
            producer.send("t", {"n": n}, headers=[("other", b"x")] if n else [])
    deserializer = Counting(client)
    with broker.consumer("t", value_deserializer=deserializer) as consumer:
        assert [record.value["n"] for record in consumer.poll()] == [0, 1, 2]
    assert (deserializer.one, deserializer.many) == (0, 1)
    with broker.consumer("t") as consumer:
        batch = ArrowConsumer(consumer, AvroDeserializer(client)).poll()
        assert batch is not None
        assert batch["n"].to_pylist() == [0, 1, 2]
