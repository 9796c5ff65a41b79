"""What every broker's producer does."""

import threading
import time
from collections.abc import Callable
from zlib import crc32

import pytest

from broker_adapter import Acknowledgement, Broker, Delivery, Durability
from broker_adapter.errors import (
    BrokerError,
    Closed,
    DeliveryTimeout,
    InvalidConfig,
    InvalidRecord,
    RecordTooLarge,
    UnknownPartition,
    UnknownTopic,
)
from broker_adapter.partitioner import murmur2
from tests.broker_adapter.reading import read_all, wait_for

NEVER = 900.0


def test_a_record_comes_back_as_it_was_sent(any_broker: Broker, topic: str) -> None:
    now = time.time_ns() // 1_000_000
    headers = [("b", b"1"), ("a", None), ("b", b""), ("ü", b"\0\xff")]
    with any_broker.producer() as producer:
        where = producer.send(
            topic, b"value", key=b"key", headers=headers, partition=2, timestamp=now - 5
        ).result()
        producer.send(topic, None, key=b"key", partition=3)
        producer.send(topic, b"", partition=3)
        producer.send(topic, b"\0" * 1000, key=b"", partition=3)
    assert where[:4] == (topic, 2, 0, now - 5)
    assert where.durability in {Durability.INTERVAL, Durability.REPLICATED}
    first, *rest = read_all(any_broker, topic)
    assert first == (topic, 2, 0, now - 5, 0, b"key", b"value", tuple(headers))
    assert [each[5:] for each in rest] == [(b"key", None, ()), (None, b"", ()), (b"", b"\0" * 1000, ())]
    assert all(now <= each.timestamp <= time.time() * 1000 for each in rest)


@pytest.mark.parametrize("compression", ["none", "gzip", "snappy", "lz4", "zstd"])
def test_batches_of_every_codec(any_broker: Broker, topic: str, compression: str) -> None:
    with any_broker.producer(compression=compression, linger=NEVER) as producer:
        for n in range(500):
            producer.send(topic, b"%d " % n * 20, partition=0)
    assert [each.value for each in read_all(any_broker, topic)] == [b"%d " % n * 20 for n in range(500)]


def test_futures_and_callbacks_hear_of_every_record(any_broker: Broker, topic: str) -> None:
    told: list[Acknowledgement] = []

    def listen(delivery: Delivery) -> None:
        assert delivery.done()
        told.append(delivery.result(0))

    with any_broker.producer() as producer:
        sent = [producer.send(topic, b"%d" % n, on_delivery=listen) for n in range(1000)]
        producer.flush()
        assert len(told) == 1000
        assert sorted(told) == sorted(each.result(0) for each in sent)
    assert {(each.partition, each.offset) for each in told} == {
        (each.partition, each.offset) for each in read_all(any_broker, topic)
    }


def test_a_callback_that_raises_harms_nobody(
    any_broker: Broker, topic: str, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(delivery: Delivery) -> None:
        raise ZeroDivisionError

    with any_broker.producer() as producer:
        bad = producer.send(topic, b"1", partition=0, on_delivery=fail)
        assert producer.send(topic, b"2", partition=0).result().offset == 1
        assert bad.result().offset == 0
    assert "on_delivery" in caplog.text


def test_a_callback_may_send(any_broker: Broker, topic: str) -> None:
    answered: list[Delivery] = []
    with any_broker.producer() as producer:
        producer.send(
            topic,
            b"question",
            partition=0,
            on_delivery=lambda _: answered.append(producer.send(topic, b"answer", partition=0)),
        )
        wait_for(lambda: bool(answered))
        assert answered[0].result().offset == 1


def test_a_flush_waits_for_a_callback_that_another_thread_calls(any_broker: Broker, topic: str) -> None:
    begun, go_on = threading.Event(), threading.Event()
    told = []

    def listen(delivery: Delivery) -> None:
        begun.set()
        go_on.wait(30)
        told.append(delivery.result(0).offset)

    with any_broker.producer() as producer:
        sent = producer.send(topic, b"v", on_delivery=listen)
        assert begun.wait(30)
        assert sent.done()
        with pytest.raises(DeliveryTimeout, match="on_delivery"):
            producer.flush(0.05)
        go_on.set()
        producer.flush()
        assert told == [0]


def test_a_callback_may_flush(any_broker: Broker, topic: str) -> None:
    told = []
    with any_broker.producer(linger=NEVER) as producer:

        def listen(delivery: Delivery) -> None:
            producer.flush(30)
            told.append(delivery.result(0).offset)

        for n in range(20):
            producer.send(topic, b"%d" % n, partition=n % 4, on_delivery=listen)
        producer.flush(30)
        assert len(told) == 20


def test_records_linger_until_a_flush(any_broker: Broker, topic: str) -> None:
    with any_broker.producer(linger=NEVER) as producer:
        delivery = producer.send(topic, b"v")
        with pytest.raises(DeliveryTimeout):
            delivery.result(0.05)
        assert not delivery.done()
        producer.flush(60)
        assert delivery.result(0).offset == 0


def test_a_full_batch_does_not_linger(any_broker: Broker, topic: str) -> None:
    with any_broker.producer(linger=NEVER, batch_size=1000) as producer:
        deliveries = [producer.send(topic, b"v" * 100, partition=0) for _ in range(40)]
        wait_for(deliveries[0].done)
        assert not deliveries[-1].done()


def test_closing_writes_what_is_open(any_broker: Broker, topic: str) -> None:
    producer = any_broker.producer(linger=NEVER)
    delivery = producer.send(topic, b"v", partition=1)
    producer.close()
    producer.close()
    assert delivery.result(0).offset == 0
    with pytest.raises(Closed):
        producer.send(topic, b"v")


def test_threads_share_a_producer(any_broker: Broker, topic: str) -> None:
    with any_broker.producer() as producer:

        def send(number: int) -> None:
            for n in range(500):
                producer.send(topic, b"%d" % n, key=b"%d" % number)

        threads = [threading.Thread(target=send, args=(number,)) for number in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    records = read_all(any_broker, topic)
    for number in range(4):
        mine = [int(each.value) for each in records if each.key == b"%d" % number]
        assert mine == list(range(500))


# ---------------------------------------------------------------- partitions


KEYS = [b"%d" % n * (n % 5 + 1) for n in range(200)] + [bytes([n]) for n in range(50)]


@pytest.mark.parametrize(
    ("name", "rule"),
    [("crc32", lambda key: crc32(key) % 4), ("murmur2", lambda key: (murmur2(key) & 0x7FFFFFFF) % 4)],
)
def test_keys_have_the_partition_of_their_hash(
    any_broker: Broker, topic: str, name: str, rule: Callable[[bytes], int]
) -> None:
    with any_broker.producer(partitioner=name) as producer:  # type: ignore[arg-type]  # a name, as text
        deliveries = [producer.send(topic, b"", key=key) for key in KEYS]
        producer.flush()
    assert [each.result().partition for each in deliveries] == [rule(key) for key in KEYS]


def test_a_partitioner_of_ones_own(any_broker: Broker, topic: str) -> None:
    def by_length(key: bytes | None, partitions: int) -> int:
        return len(key or b"") if key != b"astray" else partitions

    with any_broker.producer(partitioner=by_length) as producer:
        deliveries = [producer.send(topic, b"", key=b"k" * n) for n in range(4)]
        assert [each.result().partition for each in deliveries] == [0, 1, 2, 3]
        assert producer.send(topic, b"", key=b"kkk", partition=1).result().partition == 1
        with pytest.raises(UnknownPartition, match="4"):
            producer.send(topic, b"", key=b"astray")


def test_records_without_a_key_are_spread(any_broker: Broker, topic: str) -> None:
    with any_broker.producer(batch_size=200, linger=0) as producer:
        deliveries = [producer.send(topic, b"v" * 100) for _ in range(200)]
        producer.flush()
    assert {each.result().partition for each in deliveries} == {0, 1, 2, 3}


# ---------------------------------------------------------------- what is refused


def test_topics_and_partitions_that_do_not_exist(any_broker: Broker, topic: str) -> None:
    with any_broker.producer() as producer:
        with pytest.raises(UnknownTopic, match="create it first"):
            producer.send("nope", b"v")
        for partition in (-1, 4):
            with pytest.raises(UnknownPartition, match="0 to 3"):
                producer.send(topic, b"v", partition=partition)


@pytest.mark.parametrize(
    "bad",
    [
        {"value": "text"},
        {"value": bytearray(b"v")},
        {"key": 7},
        {"timestamp": -1},
        {"timestamp": 1.5},
        {"timestamp": 2**63},
        {"headers": [("a",)]},
        {"headers": [("a", "text")]},
        {"headers": [(b"a", b"v")]},
        {"headers": [("\ud800", b"v")]},
        {"headers": [None]},
    ],
)
def test_records_of_wrong_types(any_broker: Broker, bad: dict[str, object]) -> None:
    if "wrong-types" not in any_broker.admin.topics():
        any_broker.admin.create_topic("wrong-types")
    with any_broker.producer() as producer, pytest.raises(InvalidRecord, match="'wrong-types'"):
        producer.send("wrong-types", **bad)  # type: ignore[arg-type]  # wrong on purpose


@pytest.mark.parametrize("size", [3000, 2_000_000])
def test_a_record_that_is_too_large(any_broker: Broker, topic: str, size: int) -> None:
    any_broker.admin.create_topic(f"{topic}-small", 1, {"max.message.bytes": 2000})
    with any_broker.producer() as producer:
        with pytest.raises(RecordTooLarge):
            producer.send(f"{topic}-small", b"v" * size).result()
        assert producer.send(f"{topic}-small", b"v" * 1000).result().offset == 0
        producer_is_well = producer.send(topic, b"v" * 3000, partition=0)
        assert producer_is_well.result().offset == 0
        if size == 3000 and any_broker.__class__.__name__ == "KafkaBroker":
            with pytest.raises(RecordTooLarge):  # the broker refused it: the flush tells, too
                producer.flush()


@pytest.mark.parametrize(
    "settings",
    [{"linger": -1}, {"batch_size": 0}, {"compression": "brotli"}, {"partitioner": "md5"}],
)
def test_settings_that_cannot_be(any_broker: Broker, settings: dict[str, object]) -> None:
    with pytest.raises(InvalidConfig):
        any_broker.producer(**settings)  # type: ignore[arg-type]  # wrong on purpose


def test_a_topic_that_is_deleted_under_a_producer(any_broker: Broker, topic: str) -> None:
    with any_broker.producer(linger=0) as producer:
        producer.send(topic, b"1", partition=0).result()
        any_broker.admin.delete_topic(topic)
        any_broker.admin.create_topic(topic)

        def is_written() -> bool:
            try:
                return producer.send(topic, b"2", partition=0).result().offset == 0
            except BrokerError:
                return False

        wait_for(is_written)
        try:
            producer.flush()
        except BrokerError as error:
            assert topic in str(error)  # noqa: PT017 - whether a record is lost is a matter of time
    assert read_all(any_broker, topic)[0].value == b"2"
