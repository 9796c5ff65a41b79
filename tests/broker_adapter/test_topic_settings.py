"""What a topic's settings do to the records that producers send to it; where it can be told, as on Kafka."""

import time
from pathlib import Path

import pytest

from broker_adapter import Broker, TopicPartition, connect
from broker_adapter.broker import Durability, TimestampType
from broker_adapter.filelog import broker as file_broker
from broker_adapter.filelog.batch import read_header
from broker_adapter.filelog.broker import FileBroker
from broker_adapter.filelog.compression import Codec
from broker_adapter.filelog.segment import LogSegment
from tests.broker_adapter.conftest import new_name
from tests.broker_adapter.reading import take


def test_append_time_is_in_the_acknowledgement_and_in_the_record(any_broker: Broker) -> None:
    topic = new_name()
    any_broker.admin.create_topic(topic, 1, {"message.timestamp.type": "LogAppendTime"})
    before = time.time_ns() // 1_000_000
    with any_broker.producer() as producer:
        sent = [producer.send(topic, b"v", timestamp=1_700_000_000_000 + n) for n in range(3)]
        times = [each.result(30).timestamp for each in sent]
    with any_broker.consumer(topic) as consumer:
        records = take(consumer, 3)
    assert {record.timestamp_type for record in records} == {TimestampType.LOG_APPEND_TIME}
    assert [record.timestamp for record in records] == times
    assert before <= min(times) <= max(times) <= time.time_ns() // 1_000_000


def test_records_are_deleted_before_an_offset(any_broker: Broker, topic: str) -> None:
    place = TopicPartition(topic, 1)
    with any_broker.producer() as producer:
        for n in range(10):
            producer.send(topic, b"%d" % n, partition=1)
    assert any_broker.admin.delete_records(place, 4) == 4
    with any_broker.consumer() as consumer:
        consumer.assign([place])
        assert [record.offset for record in take(consumer, 6)] == list(range(4, 10))
        assert consumer.watermarks(place) == (4, 10)
    assert any_broker.admin.delete_records(place, -1) == 10


@pytest.mark.parametrize("codec", list(Codec))
def test_the_topic_says_how_batches_are_compressed(tmp_path: Path, codec: Codec) -> None:
    name = codec.name.lower() if codec else "uncompressed"
    with connect(f"file:{tmp_path}") as broker:
        broker.admin.create_topic("t", 1, {"compression.type": name})
        with broker.producer(compression="lz4") as producer:
            producer.send("t", b"v" * 1000)
        with broker.consumer("t") as consumer:
            assert consumer.poll()[0].value == b"v" * 1000
    assert read_header((tmp_path / "t-0" / f"{0:020d}.log").read_bytes()).codec == codec


@pytest.mark.parametrize(
    ("of_broker", "settings", "expected"),
    [
        ("none", {}, Durability.NONE),
        ("none", {"flush.messages": 1}, Durability.BATCH),
        ("none", {"flush.ms": 50}, Durability.INTERVAL),
        ("interval", {"flush.messages": 1}, Durability.BATCH),
        ("batch", {"flush.ms": 50}, Durability.BATCH),
    ],
)
def test_the_topic_says_how_durable_an_acknowledgement_is(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    of_broker: str,
    settings: dict[str, int | str],
    expected: Durability,
) -> None:
    monkeypatch.setattr(file_broker, "FLUSH_INTERVAL", 3600)
    flushed: list[Path] = []
    sync = LogSegment.sync

    def noted(segment: LogSegment) -> None:
        sync(segment)
        flushed.append(segment.path)

    monkeypatch.setattr(LogSegment, "sync", noted)
    with FileBroker(tmp_path, Durability(of_broker)) as broker, broker.producer(linger=0) as producer:
        broker.admin.create_topic("t", 1, settings)
        producer.send("t", b"first").result()
        flushed.clear()
        assert producer.send("t", b"v").result().durability is expected
        if expected is not Durability.INTERVAL:
            assert bool(flushed) == (expected is Durability.BATCH)
        if expected is Durability.INTERVAL:  # as often as the topic says, not as the broker does
            deadline = time.monotonic() + 20
            while not flushed:
                assert time.monotonic() < deadline
                time.sleep(0.005)


def test_what_a_group_committed_is_compacted_and_never_deleted(tmp_path: Path) -> None:
    with FileBroker(tmp_path) as broker:
        broker.admin.create_topic("t")
        broker.admin.reset_group("g", {TopicPartition("t", 0): 0})
    (directory,) = tmp_path.glob("__consumer_offsets-*")
    name = TopicPartition("__consumer_offsets", int(directory.name.rpartition("-")[2]))
    assert name.partition  # not the topic's first
    for is_kafkas in (False, True):
        if is_kafkas:
            (directory / "topic.properties").unlink()
        with FileBroker(tmp_path) as broker:
            assert broker._topics.open(name).config.cleanup_policy == "compact"


def test_nothing_is_deleted_from_a_folder_that_does_not_say_so(tmp_path: Path) -> None:
    with FileBroker(tmp_path) as broker:
        broker.admin.create_topic("t")
        with broker.producer() as producer:
            producer.send("t", b"old", timestamp=1_000)
    (tmp_path / "t-0" / "topic.properties").unlink()  # as Kafka's folders are
    with FileBroker(tmp_path) as broker:
        broker.clean("t")
        assert broker.admin.describe_topic("t").config["retention.ms"] == -1
        with broker.consumer("t") as consumer:
            assert [record.value for record in consumer.poll()] == [b"old"]
        broker.admin.alter_topic("t", config={"retention.ms": 5_000})
        broker.clean("t")
        with broker.consumer("t") as consumer:
            assert consumer.watermarks(TopicPartition("t", 0)) == (1, 1)
