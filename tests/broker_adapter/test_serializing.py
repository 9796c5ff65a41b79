"""Serializers before a producer, deserializers behind a consumer."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from broker_adapter import (
    DeserializingConsumer,
    Record,
    SerializingProducer,
    TopicPartition,
    bytes_or_none,
)
from broker_adapter.errors import SerdeFailed
from broker_adapter.filelog.broker import FileBroker

T0, T1 = TopicPartition("t", 0), TopicPartition("t", 1)


def to_bytes(data: int, topic: str) -> bytes:
    """A number as text, after the topic's name."""
    return f"{topic}:{data + 0}".encode()


def to_number(data: bytes | None, topic: str) -> int:
    """The number in what `to_bytes` made."""
    assert data is not None
    name, _, number = data.partition(b":")
    assert name.decode() == topic
    return int(number)


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[FileBroker]:
    with FileBroker(tmp_path) as broker:
        broker.admin.create_topic("t", 2)
        yield broker


def test_objects_go_in_and_come_out(broker: FileBroker) -> None:
    with SerializingProducer(broker.producer(), to_bytes, bytes_or_none) as producer:
        for n in range(20):
            producer.send("t", b"v" if n % 2 else None, key=n, headers=[("n", b"%d" % n)], timestamp=n)
        producer.flush()
        assert producer.send("t", b"v", key=20, partition=1).result().partition == 1
    with DeserializingConsumer(broker.consumer("t", group="g"), to_number, bytes_or_none) as consumer:
        records = consumer.poll()
        assert sorted(record.key for record in records) == list(range(21))
        by_key: dict[int, Record[int, bytes | None]] = {record.key: record for record in records}
        assert by_key[3].value == b"v"
        assert by_key[4].value is None
        assert by_key[7].headers == (("n", b"7"),)
        assert by_key[7].timestamp == 7
        assert consumer.assignment() == {T0, T1}
        consumer.commit()
        assert consumer.committed(T0) == consumer.position(T0) == consumer.watermarks(T0)[1]
        assert consumer.offset_for_timestamp(T0, 2**60) is None


def test_what_cannot_be_serialized_is_not_sent(broker: FileBroker) -> None:
    with SerializingProducer(broker.producer(), bytes_or_none, to_bytes) as producer:
        with pytest.raises(SerdeFailed, match="the value of a record for 't' cannot be serialized") as caught:
            producer.send("t", "text")  # type: ignore[arg-type]  # wrong on purpose
        assert isinstance(caught.value.__cause__, TypeError)
    keyed = SerializingProducer(broker.producer(), to_bytes, bytes_or_none)
    with keyed, pytest.raises(SerdeFailed, match="the key"):
        keyed.send("t", b"v", key="text")  # type: ignore[arg-type]  # wrong on purpose
    with broker.consumer("t") as consumer:
        assert consumer.poll() == []


def send_with_one_bad(broker: FileBroker) -> None:
    """Ten records in partition 0, of which offset 4 cannot be deserialized."""
    with broker.producer() as producer:
        for n in range(10):
            producer.send("t", b"t:?" if n == 4 else b"t:%d" % n, partition=0)


def test_a_bad_record_is_named_and_the_position_stays_before_it(broker: FileBroker) -> None:
    send_with_one_bad(broker)
    with DeserializingConsumer(broker.consumer("t"), bytes_or_none, to_number) as consumer:
        assert [record.value for record in consumer.poll()] == [0, 1, 2, 3]
        for _ in range(2):
            with pytest.raises(SerdeFailed, match="the value of the record at offset 4 of t-0") as caught:
                consumer.poll()
            assert isinstance(caught.value.__cause__, ValueError)
            assert consumer.position(T0) == 4
        consumer.seek(T0, 5)
        assert [record.value for record in consumer.poll()] == [5, 6, 7, 8, 9]


def test_a_bad_record_in_an_iteration(broker: FileBroker) -> None:
    send_with_one_bad(broker)
    found: list[int] = []
    with DeserializingConsumer(broker.consumer(idle_timeout=0), bytes_or_none, to_number) as consumer:
        consumer.assign([T0])
        with pytest.raises(SerdeFailed, match="offset 4"):
            found += (record.value for record in consumer)
        assert consumer.position(T0) == 4
        consumer.seek(T0, 5)
        found += (record.value for record in consumer)
    assert found == [0, 1, 2, 3, 5, 6, 7, 8, 9]


def test_a_broker_plugs_them_in(broker: FileBroker) -> None:
    with broker.producer(key_serializer=to_bytes) as producer:
        producer.send("t", b"v", key=1, partition=0)
        producer.send("t", b"no key", partition=0)
    with broker.producer(value_serializer=to_bytes) as producer:
        producer.send("t", 2, key=b"k", partition=0)
        producer.send("t", key=b"tombstone", partition=0)
    with broker.consumer("t", value_deserializer=lambda data, topic: (data, topic)) as consumer:
        found = [(record.key, record.value) for record in consumer.poll()]
    assert found == [
        (b"t:1", (b"v", "t")),
        (None, (b"no key", "t")),
        (b"k", (b"t:2", "t")),
        (b"tombstone", (None, "t")),
    ]
    with broker.consumer("t", key_deserializer=lambda data, topic: len(data or topic)) as consumer:
        assert [record.key for record in consumer.poll()] == [3, 1, 1, 9]


def test_bytes_or_none_changes_nothing() -> None:
    assert bytes_or_none(b"x", "t") == b"x"
    assert bytes_or_none(None, "t") is None
