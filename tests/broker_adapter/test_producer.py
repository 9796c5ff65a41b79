"""Producers: batching, order, limits, acknowledgements, failures."""

import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from broker_adapter import BrokerError, Delivery, Durability, RawRecord, TopicPartition
from broker_adapter.errors import (
    Closed,
    DeliveryTimeout,
    InvalidConfig,
    InvalidRecord,
    LogIOError,
    RecordTooLarge,
    UnknownPartition,
    UnknownTopic,
)
from broker_adapter.filelog.batch import encode_batch, read_header
from broker_adapter.filelog.broker import FileBroker
from broker_adapter.filelog.segment import LogSegment
from tests.broker_adapter.logs import NOW, read_all

NEVER = 3600.0


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[FileBroker]:
    with FileBroker(tmp_path) as broker:
        broker.admin.create_topic("t", 4)
        yield broker


def records_of(broker: FileBroker, partition: int) -> list[RawRecord]:
    """All records of a partition of topic t."""
    return read_all(broker.partition(TopicPartition("t", partition)))


def batch_sizes(broker: FileBroker, partition: int) -> list[int]:
    """How many records each batch of a partition of topic t has."""
    data = (broker.root / f"t-{partition}" / f"{0:020d}.log").read_bytes()
    sizes = []
    while data:
        header = read_header(data)
        sizes.append(header.records_count)
        data = data[header.size :]
    return sizes


def test_a_record_comes_back_as_it_was_sent(broker: FileBroker) -> None:
    headers = [("a", b"1"), ("a", None), ("é", b"")]
    with broker.producer() as producer:
        sent = producer.send("t", b"value", key=b"key", headers=headers, partition=2, timestamp=NOW).result()
    assert sent == ("t", 2, 0, NOW, Durability.INTERVAL)
    (record,) = records_of(broker, 2)
    assert record == ("t", 2, 0, NOW, 0, b"key", b"value", tuple(headers))


def test_the_timestamp_is_now(broker: FileBroker) -> None:
    before = time.time_ns() // 1_000_000
    with broker.producer() as producer:
        sent = producer.send("t", b"v").result()
    assert before <= sent.timestamp <= time.time_ns() // 1_000_000


@pytest.mark.parametrize("compression", ["none", "gzip", "snappy", "lz4", "zstd"])
def test_batches_of_every_codec(broker: FileBroker, compression: str) -> None:
    with broker.producer(compression=compression) as producer:
        for n in range(1000):
            producer.send("t", b"%d" % n, partition=0)
    assert [record.value for record in records_of(broker, 0)] == [b"%d" % n for n in range(1000)]


def test_records_without_a_key_are_balanced(broker: FileBroker) -> None:
    with broker.producer() as producer:
        for _ in range(1001):
            producer.send("t", b"v")
    counts = sorted(len(records_of(broker, n)) for n in range(4))
    assert counts == [250, 250, 250, 251]


def test_each_keys_records_are_in_one_partition_in_order(broker: FileBroker) -> None:
    with broker.producer(batch_size=500) as producer:
        for n in range(3000):
            producer.send("t", b"%d" % n, key=b"k%d" % (n % 17))
    seen: dict[bytes | None, tuple[int, list[int]]] = {}
    for partition in range(4):
        for record in records_of(broker, partition):
            assert record.value is not None
            seen.setdefault(record.key, (partition, []))[1].append(int(record.value))
            assert seen[record.key][0] == partition
    assert [values for _, values in seen.values()] == [
        list(range(int(key[1:]), 3000, 17)) for key in seen if key is not None
    ]


# ---------------------------------------------------------------- batching


def test_a_batch_is_written_when_full_and_not_before(broker: FileBroker) -> None:
    with broker.producer(linger=NEVER, batch_size=1000) as producer:
        deliveries = [producer.send("t", b"v" * 100, partition=0) for _ in range(7)]
        assert [each.done() for each in deliveries] == [True] * 6 + [False]
        assert [each.result(0).offset for each in deliveries[:6]] == list(range(6))
        with pytest.raises(DeliveryTimeout, match="t-0"):
            deliveries[6].result(0.01)
        producer.flush()
        assert deliveries[6].result(0).offset == 6
    assert batch_sizes(broker, 0) == [6, 1]


def test_a_batch_is_written_after_lingering(broker: FileBroker) -> None:
    with broker.producer(linger=0.02) as producer:
        for _ in range(2):  # the thread that writes them is there for the second, too
            first = [producer.send("t", b"v", partition=0), producer.send("t", b"v", partition=0)]
            assert not first[0].done()
            assert [each.result(10).partition for each in first] == [0, 0]
    assert batch_sizes(broker, 0) == [2, 2]


def test_without_linger_each_record_is_written_at_once(broker: FileBroker) -> None:
    with broker.producer(linger=0) as producer:
        assert producer.send("t", b"v", partition=0).done()
        assert producer.send("t", b"v", partition=0).result(0).offset == 1
    assert batch_sizes(broker, 0) == [1, 1]


def test_closing_writes_what_is_open(broker: FileBroker) -> None:
    producer = broker.producer(linger=NEVER)
    delivery = producer.send("t", b"v", partition=1)
    producer.close()
    producer.close()
    assert delivery.result(0).offset == 0
    with pytest.raises(Closed):
        producer.send("t", b"v")


@pytest.mark.parametrize(("linger", "batch_size"), [(-1, 1), (0, 0)])
def test_settings_that_cannot_be(broker: FileBroker, linger: float, batch_size: int) -> None:
    with pytest.raises(InvalidConfig):
        broker.producer(linger=linger, batch_size=batch_size)
    with pytest.raises(InvalidConfig, match="none, gzip, snappy, lz4, zstd"):
        broker.producer(compression="brotli")


def test_threads_share_a_producer(broker: FileBroker) -> None:
    threads, each = 6, 2000
    offsets: list[list[int]] = [[] for _ in range(threads)]

    with broker.producer(batch_size=3000) as producer:

        def send(number: int) -> None:
            deliveries = [
                producer.send("t", b"%d %d" % (number, n), key=b"%d" % number, partition=n % 2)
                for n in range(each)
            ]
            offsets[number] = [delivery.result(30).offset for delivery in deliveries]

        running = [threading.Thread(target=send, args=(number,)) for number in range(threads)]
        for thread in running:
            thread.start()
        for thread in running:
            thread.join()
    for partition in range(2):
        records = records_of(broker, partition)
        assert [record.offset for record in records] == list(range(threads * each // 2))
        for number in range(threads):
            mine = [(record.offset, record.value) for record in records if record.key == b"%d" % number]
            assert mine == [(offsets[number][n], b"%d %d" % (number, n)) for n in range(partition, each, 2)]


# ---------------------------------------------------------------- what is refused


def test_topics_and_partitions_that_do_not_exist(broker: FileBroker) -> None:
    with broker.producer() as producer:
        with pytest.raises(UnknownTopic, match=r"no topic 'u'.*there are: t"):
            producer.send("u", b"v")
        for partition in (-1, 4):
            with pytest.raises(UnknownPartition, match="0 to 3"):
                producer.send("t", b"v", partition=partition)
        broker.admin.create_topic("u")
        assert producer.send("u", b"v").result().offset == 0


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
def test_records_of_wrong_types(broker: FileBroker, bad: dict[str, object]) -> None:
    with broker.producer(linger=NEVER) as producer:
        with pytest.raises(InvalidRecord, match="'t'"):
            producer.send("t", **bad)  # type: ignore[arg-type]  # wrong on purpose
        producer.send("t", b"v", partition=0)
    assert len(records_of(broker, 0)) == 1


def test_the_largest_record_to_the_byte(broker: FileBroker) -> None:
    broker.admin.create_topic("small", 1, {"max.message.bytes": 1000})
    overhead = len(encode_batch([(NOW, None, b"v" * 900, ())])) - 900
    with broker.producer() as producer:
        with pytest.raises(RecordTooLarge, match=r"1001 bytes, above the topic's max\.message\.bytes=1000"):
            producer.send("small", b"v" * (1001 - overhead))
        assert producer.send("small", b"v" * (1000 - overhead)).result().offset == 0
    assert (broker.root / "small-0" / f"{0:020d}.log").stat().st_size == 1000


def test_batches_keep_below_the_topics_limit(broker: FileBroker) -> None:
    broker.admin.create_topic("small", 1, {"max.message.bytes": 1000})
    with broker.producer(linger=NEVER, batch_size=1 << 20) as producer:
        deliveries = [producer.send("small", b"v" * 300) for _ in range(10)]
        producer.flush()
        assert [each.result(0).offset for each in deliveries] == list(range(10))


def test_a_compressed_record_counts_by_its_compressed_size(broker: FileBroker) -> None:
    broker.admin.create_topic("small", 1, {"max.message.bytes": 1000})
    with broker.producer(compression="zstd") as producer:
        assert producer.send("small", b"v" * 100_000).result().offset == 0


# ---------------------------------------------------------------- failures


def test_a_failed_write_reaches_the_futures_and_the_flush(
    broker: FileBroker, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    producer = broker.producer(linger=NEVER)
    good = producer.send("t", b"before", partition=0)
    producer.flush()
    with monkeypatch.context() as patch:
        patch.setattr(LogSegment, "write", full)
        lost = [producer.send("t", b"lost", partition=0) for _ in range(3)]
        with pytest.raises(LogIOError, match="No space left") as caught:
            producer.flush()
        assert caught.value.retriable
        for delivery in lost:
            assert delivery.done()
            with pytest.raises(LogIOError, match="t-0"):
                delivery.result()
    producer.flush()  # it is raised once
    assert good.result().offset == 0
    after = producer.send("t", b"after", partition=0)
    producer.close()
    assert after.result().offset == 1
    assert [record.value for record in records_of(broker, 0)] == [b"before", b"after"]


def test_durability_batch_flushes_before_it_acknowledges(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    flushed: list[int] = []
    sync = LogSegment.sync

    def noted(segment: LogSegment) -> None:
        sync(segment)
        flushed.append(segment.file_size())

    monkeypatch.setattr(LogSegment, "sync", noted)
    for durability in (Durability.BATCH, Durability.NONE):
        with FileBroker(tmp_path / durability, durability) as broker, broker.producer(linger=0) as producer:
            broker.admin.create_topic("t")
            for n in range(3):
                acknowledged = producer.send("t", b"v").result(0)
                assert (acknowledged.offset, acknowledged.durability) == (n, durability)
                size = (broker.root / "t-0" / f"{0:020d}.log").stat().st_size
                assert (size in flushed) == (durability is Durability.BATCH)
        flushed.clear()


def test_a_batch_that_cannot_be_flushed_is_not_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise OSError(5, "Input/output error")

    with FileBroker(tmp_path, Durability.BATCH) as broker, broker.producer(linger=0) as producer:
        broker.admin.create_topic("t")
        producer.send("t", b"before").result()
        with monkeypatch.context() as patch:
            patch.setattr(LogSegment, "sync", broken)
            with pytest.raises(LogIOError, match="Input/output"):
                producer.send("t", b"lost").result()
            with pytest.raises(LogIOError):
                producer.flush()
        assert producer.send("t", b"after").result().offset == 1
        assert [record.value for record in records_of(broker, 0)] == [b"before", b"after"]


def test_durability_interval_flushes_in_the_background(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    flushed = threading.Event()
    sync = LogSegment.sync

    def noted(segment: LogSegment) -> None:
        sync(segment)
        flushed.set()

    monkeypatch.setattr("broker_adapter.filelog.broker.FLUSH_INTERVAL", 0.01)
    monkeypatch.setattr(LogSegment, "sync", noted)
    with FileBroker(tmp_path) as broker, broker.producer(linger=0) as producer:
        broker.admin.create_topic("t")
        assert producer.send("t", b"v").result().durability is Durability.INTERVAL
        assert flushed.wait(10)


def test_an_interrupted_write_does_not_pass_for_a_written_one(
    broker: FileBroker, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    with broker.producer(linger=NEVER) as producer:
        delivery = producer.send("t", b"v", partition=0)
        with monkeypatch.context() as patch:
            patch.setattr(LogSegment, "write", interrupted)
            with pytest.raises(KeyboardInterrupt):
                producer.flush()
        with pytest.raises(BrokerError, match="t-0 was interrupted"):
            delivery.result(0)
        again = producer.send("t", b"w", partition=0)
        producer.flush()
        assert again.result(0).offset == 0


def test_callbacks_of_a_partition_are_called_in_order_by_one_thread_at_a_time(broker: FileBroker) -> None:
    told: list[int] = []
    running = 0
    with broker.producer(linger=0) as producer:

        def listen(delivery: Delivery) -> None:
            nonlocal running
            running += 1
            assert running == 1
            time.sleep(0)
            told.append(delivery.result(0).offset)
            running -= 1

        def send() -> None:
            for _ in range(200):
                producer.send("t", b"v", partition=0, on_delivery=listen)

        threads = [threading.Thread(target=send) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        producer.flush()
    assert told == list(range(800))


def test_callbacks_that_send_go_no_deeper(broker: FileBroker) -> None:
    told: list[int] = []
    with broker.producer(linger=0) as producer:

        def listen(delivery: Delivery) -> None:
            told.append(delivery.result(0).offset)
            if len(told) < 5_000:
                producer.send("t", b"v", partition=0, on_delivery=listen)

        producer.send("t", b"v", partition=0, on_delivery=listen)
    assert told == list(range(5_000))


def test_a_callback_may_close(broker: FileBroker) -> None:
    closed = threading.Event()
    producer = broker.producer(linger=0.001)

    def listen(_: Delivery) -> None:
        producer.close()
        closed.set()

    producer.send("t", b"v", on_delivery=listen)
    assert closed.wait(30)
    with pytest.raises(Closed):
        producer.send("t", b"v")
