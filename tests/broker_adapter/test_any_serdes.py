"""Serializers plugged into every broker, and what becomes of records that cannot be deserialized."""

import itertools
from typing import Any

import pytest

from broker_adapter import Broker, TopicPartition
from broker_adapter.errors import InvalidConfig, SerdeFailed, UnknownTopic
from serde import AvroDeserializer, AvroSerializer, RegistryUnreachable
from serde.testing import registry as embedded_registry
from tests.broker_adapter.reading import read_all, take

SCHEMA = '{"type": "record", "name": "R", "fields": [{"name": "n", "type": "long"}]}'


def number(data: bytes | None, topic: str) -> int:
    """A deserializer of decimal text."""
    del topic
    return int(data or b"")


def send_with_bad(broker: Broker, topic: str) -> None:
    """Twenty records in partition 1; those at offsets 4, 5 and 19 are no numbers."""
    with broker.producer() as producer:
        for n in range(20):
            value = b"bad" if n in {4, 5, 19} else b"%d" % n
            producer.send(topic, value, key=b"k%d" % n, headers=[("n", b"%d" % n)], partition=1)


GOOD = [n for n in range(20) if n not in {4, 5, 19}]


def test_avro_goes_in_and_comes_out(any_broker: Broker, topic: str) -> None:
    with embedded_registry() as registry:
        with any_broker.producer(
            key_serializer=AvroSerializer(registry, '"string"', is_key=True),
            value_serializer=AvroSerializer(registry, SCHEMA),
        ) as producer:
            for n in range(100):
                producer.send(topic, {"n": n}, key=f"k{n % 5}")
            producer.send(topic, key="gone")
            with pytest.raises(SerdeFailed, match=f"value of a record for '{topic}'") as caught:
                producer.send(topic, {"n": "text"})
            assert (caught.value.topic, caught.value.partition, caught.value.offset) == (topic, None, None)
        records = read_all(
            any_broker,
            topic,
            key_deserializer=AvroDeserializer(registry),
            value_deserializer=AvroDeserializer(registry),
        )
    assert sorted(each.value["n"] for each in records if each.value) == list(range(100))
    assert [each.key for each in records if each.value is None] == ["gone"]


def test_a_schema_may_be_named_in_a_header(any_broker: Broker, topic: str) -> None:
    with embedded_registry() as registry:
        options: dict[str, Any] = {
            "key_serializer": AvroSerializer(registry, '"string"', is_key=True, framing="header"),
            "value_serializer": AvroSerializer(registry, SCHEMA, framing="header"),
        }
        mine = [("mine", b"1")]
        with any_broker.producer(**options) as producer:
            for n in range(10):
                producer.send(topic, {"n": n}, key=f"k{n}", headers=mine, partition=0)
        assert mine == [("mine", b"1")]
        raw = read_all(any_broker, topic)
        assert [[name for name, _ in each.headers] for each in raw] == [
            ["mine", "__key_schema_id", "__value_schema_id"]
        ] * 10
        assert raw[3].value == b"\x06"  # nothing in front of it
        assert raw[3].headers[0] == ("mine", b"1")
        records = read_all(
            any_broker,
            topic,
            key_deserializer=AvroDeserializer(registry, is_key=True),
            value_deserializer=AvroDeserializer(registry),
        )
    assert [(each.key, each.value["n"]) for each in records] == [(f"k{n}", n) for n in range(10)]


def test_a_bad_record_is_raised_with_its_place(any_broker: Broker, topic: str) -> None:
    send_with_bad(any_broker, topic)
    t1 = TopicPartition(topic, 1)
    with any_broker.consumer(topic, value_deserializer=number) as consumer:
        assert [each.value for each in take(consumer, 4)] == [0, 1, 2, 3]
        for _ in range(2):
            with pytest.raises(SerdeFailed, match=f"offset 4 of {topic}-1") as caught:
                take(consumer, 1)
            error = caught.value
            assert (error.topic, error.partition, error.offset) == (topic, 1, 4)
            assert isinstance(error.__cause__, ValueError)
            assert consumer.position(t1) == 4
        consumer.seek(t1, 6)
        assert [each.value for each in itertools.islice(consumer, 13)] == GOOD[4:]
        with pytest.raises(SerdeFailed, match="offset 19"):
            next(iter(consumer))
        with pytest.raises(SerdeFailed, match="offset 19"):
            next(consumer.batches())
        assert consumer.position(t1) == 19


def test_bad_records_are_skipped(any_broker: Broker, topic: str, caplog: pytest.LogCaptureFixture) -> None:
    send_with_bad(any_broker, topic)
    with any_broker.consumer(
        topic, value_deserializer=number, on_error="skip", idle_timeout=1.0, group=f"g-{topic}"
    ) as consumer:
        assert [each.value for each in take(consumer, 3)] == [0, 1, 2]
        assert [each.value for each in itertools.islice(consumer, 1)] == [3]
        assert [n for batch in consumer.batches() for n in [each.value for each in batch]] == GOOD[4:]
        assert consumer.lag() == {TopicPartition(topic, n): 0 for n in range(4)}
    assert f"offset 5 of {topic}-1" in caplog.text


def test_bad_records_go_to_a_dead_letter_topic(any_broker: Broker, topic: str) -> None:
    send_with_bad(any_broker, topic)
    dead = f"{topic}-dead"
    any_broker.admin.create_topic(dead)
    with any_broker.consumer(topic, value_deserializer=number, on_error=f"dead-letter:{dead}") as consumer:
        assert [each.value for each in take(consumer, 17)] == GOOD
        assert consumer.poll(1) == []
        assert consumer.lag()[TopicPartition(topic, 1)] == 0
    original = {each.offset: each for each in read_all(any_broker, topic)}
    letters = read_all(any_broker, dead)
    assert [each.key for each in letters] == [b"k4", b"k5", b"k19"]
    for letter, offset in zip(letters, [4, 5, 19], strict=True):
        assert letter.value == b"bad"
        assert letter.timestamp == original[offset].timestamp
        assert letter.headers == (
            ("n", b"%d" % offset),
            ("fivebyte.error.topic", topic.encode()),
            ("fivebyte.error.partition", b"1"),
            ("fivebyte.error.offset", b"%d" % offset),
            ("fivebyte.error.class", b"builtins.ValueError"),
            ("fivebyte.error.message", b"invalid literal for int() with base 10: b'bad'"),
        )


def test_nothing_is_passed_over_that_could_not_be_put_away(any_broker: Broker, topic: str) -> None:
    send_with_bad(any_broker, topic)
    with any_broker.consumer(topic, value_deserializer=number, on_error="dead-letter:nope") as consumer:
        assert [each.value for each in take(consumer, 4)] == [0, 1, 2, 3]
        for _ in range(2):
            with pytest.raises(UnknownTopic, match="nope"):
                take(consumer, 1)
            assert consumer.position(TopicPartition(topic, 1)) == 4


@pytest.mark.parametrize("on_error", ["", "ignore", "dead-letter", "dead-letter:"])
def test_what_to_do_that_nobody_knows(any_broker: Broker, on_error: str) -> None:
    with pytest.raises(InvalidConfig, match="dead-letter:TOPIC"):
        any_broker.consumer(on_error=on_error, value_deserializer=number)


@pytest.mark.parametrize("on_error", ["skip", "dead-letter:nope"])
def test_nothing_is_passed_over_because_the_registry_is_away(
    any_broker: Broker, topic: str, on_error: str
) -> None:
    away = True

    def reads(data: bytes | None, topic: str) -> int:
        if away and data == b"7":
            raise RegistryUnreachable(["http://one"], "refused")
        return number(data, topic)

    with any_broker.producer() as producer:
        for n in range(10):
            producer.send(topic, b"%d" % n, partition=1)
    with any_broker.consumer(topic, value_deserializer=reads, on_error=on_error) as consumer:
        assert [each.value for each in take(consumer, 7)] == list(range(7))
        for _ in range(2):
            with pytest.raises(SerdeFailed, match="no schema registry at http://one: refused"):
                take(consumer, 1)
            assert consumer.position(TopicPartition(topic, 1)) == 7
        away = False
        assert [each.value for each in take(consumer, 3)] == [7, 8, 9]


def test_a_guid_goes_in_a_header_and_is_found_there(any_broker: Broker, topic: str) -> None:
    given = [("trace", b"1")]
    with embedded_registry() as registry:
        key = AvroSerializer(registry, '"string"', is_key=True, framing="header")
        value = AvroSerializer(registry, SCHEMA, framing="header")
        with any_broker.producer(key_serializer=key, value_serializer=value) as producer:
            producer.send(topic, {"n": 1}, key="k", headers=given)
        assert given == [("trace", b"1")]
        (raw,) = read_all(any_broker, topic)
        assert (raw.key, raw.value) == (b"\x02k", b"\x02")
        assert [name for name, _ in raw.headers] == ["trace", "__key_schema_id", "__value_schema_id"]
        (record,) = read_all(
            any_broker,
            topic,
            key_deserializer=AvroDeserializer(registry, is_key=True),
            value_deserializer=AvroDeserializer(registry),
        )
        assert (record.key, record.value) == ("k", {"n": 1})
