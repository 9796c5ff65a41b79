"""Compaction beside Kafka's own: of the same log the same is left, and each goes on after the other."""

import shutil
import struct
import time
from pathlib import Path
from typing import NamedTuple

import pytest

from broker_adapter import RawRecord, TopicPartition, connect
from broker_adapter.filelog.batch import BatchHeader
from broker_adapter.filelog.broker import FileBroker
from broker_adapter.filelog.compression import Codec
from broker_adapter.filelog.producers import ProducerStates, snapshots
from broker_adapter.filelog.segment import LogSegment, segment_bases
from tests.broker_adapter.conftest import new_name
from tests.broker_adapter.logs import read_all as read_partition
from tests.broker_adapter.reading import wait_for
from tests.support.kafka import RunningKafka, shared_kafka

COUNT = 30_000
KEYS = 700
MIB = 1 << 20


class Left(NamedTuple):
    """What compaction left of a batch, but for the time that a tombstone may go."""

    offsets: tuple[int, int]
    records: int
    newest: int
    producer: tuple[int, int, int]
    codec: int
    has_horizon: bool


def left_of(header: BatchHeader) -> Left:
    """The parts of a header that must be the same."""
    return Left(
        (header.base_offset, header.last_offset),
        header.records_count,
        header.max_timestamp,
        (header.producer_id, header.producer_epoch, header.base_sequence),
        header.codec,
        header.delete_horizon is not None,
    )


def headers(directory: Path, until: int) -> list[BatchHeader]:
    """The headers of a folder's batches before offset `until`."""
    found = []
    for base in segment_bases(directory):
        segment = LogSegment(directory, base)
        found += [header for _, header in segment.batches(0, segment.file_size(), check=True)]
        segment.close()
    return [header for header in found if header.base_offset < until]


def send_all_kinds(url: str, topic: str) -> None:
    """Few keys, every codec, tombstones, headers, and producers that stop early."""
    now = time.time_ns() // 1_000_000 - COUNT
    with connect(url) as broker:
        for run, codec in enumerate(Codec):
            with broker.producer(compression=codec.name.lower(), batch_size=8_000) as producer:
                for n in range(run, COUNT, len(Codec)):
                    producer.send(
                        topic,
                        None if n % 11 == 0 else b"%d " % n * 60,
                        key=b"%d" % (n * n % KEYS),
                        headers=[("a", b"1"), ("ü", None)] if n % 7 == 0 else (),
                        partition=0,
                        timestamp=now + n,
                    )


@pytest.fixture(scope="module")
def compacted(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Path, Path]:
    """A topic that Kafka compacted; its folder as it was before, and after."""
    kafka = shared_kafka()
    topic = new_name()
    folder = tmp_path_factory.mktemp("kafkas")
    with connect(kafka.url) as broker:
        broker.admin.create_topic(topic, 1, {"segment.bytes": MIB})
        send_all_kinds(kafka.url, topic)
        shutil.copytree(kafka.data / f"{topic}-0", folder / "before" / f"{topic}-0")
        size = log_size(kafka.data / f"{topic}-0")
        broker.admin.alter_topic(
            topic, config={"cleanup.policy": "compact", "min.cleanable.dirty.ratio": "0.01"}
        )
        checkpoint = kafka.data / "cleaner-offset-checkpoint"
        wait_for(lambda: checkpoint.exists() and f"{topic} 0 " in checkpoint.read_text())
        wait_for(lambda: log_size(kafka.data / f"{topic}-0") < size / 2)
        shutil.copytree(kafka.data / f"{topic}-0", folder / "after" / f"{topic}-0")
    return topic, folder / "before", folder / "after"


def all_of(broker: FileBroker, topic: str) -> list[RawRecord]:
    """All that a file log's topic of one partition has. There are fewer than its offsets."""
    partition = broker.partition(TopicPartition(topic, 0))
    return read_partition(partition, partition.state().log_start_offset)


def log_size(directory: Path) -> int:
    """The bytes of a partition's logs, without what waits to be deleted."""
    return sum((directory / f"{base:020d}.log").stat().st_size for base in segment_bases(directory))


def test_of_the_same_log_the_same_is_left(compacted: tuple[str, Path, Path], tmp_path: Path) -> None:
    topic, original, after = compacted
    before = tmp_path / "ours"
    shutil.copytree(original, before)
    with FileBroker(before) as broker:
        broker.admin.alter_topic(topic, config={"cleanup.policy": "compact", "segment.bytes": MIB})
        active = segment_bases(before / f"{topic}-0")[-1]
        assert len(all_of(broker, topic)) == COUNT
        broker.clean(topic)
        ours = all_of(broker, topic)
    with FileBroker(after) as broker:
        kafkas = all_of(broker, topic)
    assert len(kafkas) < COUNT * 0.6
    assert ours == kafkas
    assert [left_of(each) for each in headers(before / f"{topic}-0", active)] == [
        left_of(each) for each in headers(after / f"{topic}-0", active)
    ]


def test_what_kafka_compacted_is_read_and_written_and_compacted_again(
    compacted: tuple[str, Path, Path], tmp_path: Path
) -> None:
    topic, _, after = compacted
    shutil.copytree(after, tmp_path / "data")
    with FileBroker(tmp_path / "data") as broker:
        broker.admin.alter_topic(topic, config={"cleanup.policy": "compact"})
        before = all_of(broker, topic)
        for at in range(0, len(before), 500):
            with broker.consumer(topic) as consumer:
                consumer.seek(TopicPartition(topic, 0), before[at].offset)
                assert consumer.poll(0, 1) == [before[at]]
        with broker.producer() as producer:
            assert producer.send(topic, b"new", key=b"1").result().offset == COUNT
        broker.clean(topic)
        assert last_of_keys(all_of(broker, topic)) == last_of_keys([*before, *all_of(broker, topic)[-1:]])


def last_of_keys(records: list[RawRecord]) -> dict[bytes | None, RawRecord]:
    """The last record of each key."""
    return {record.key: record for record in records}


def test_kafkas_snapshots_say_what_we_find_in_its_log(compacted: tuple[str, Path, Path]) -> None:
    topic, before, _ = compacted
    directory = before / f"{topic}-0"
    found = headers(directory, COUNT)
    states = ProducerStates()
    theirs = [each for each in snapshots(directory) if each]
    assert theirs
    for header in found:
        if header.base_offset in theirs:
            data = (directory / f"{header.base_offset:020d}.snapshot").read_bytes()
            ours = states.to_bytes()
            assert (len(ours), ours[:2]) == (len(data), data[:2])
            assert entries(ours) == entries(data)
            again = ProducerStates.from_bytes(data, header.base_offset)
            assert entries(again.to_bytes()) == entries(data)
            theirs.remove(header.base_offset)
        states.apply(header)
    assert not theirs


def entries(snapshot: bytes) -> list[tuple[int, ...]]:
    """The producers in a snapshot, sorted."""
    return sorted(struct.iter_unpack(">qhiqiqiq", snapshot[10:]))


def test_kafka_goes_on_with_what_we_compacted(kafka: RunningKafka, tmp_path: Path) -> None:
    topic = new_name()
    with FileBroker(tmp_path) as broker:
        broker.admin.create_topic(
            topic, 1, {"segment.bytes": MIB, "cleanup.policy": "compact,delete", "retention.bytes": 2 * MIB}
        )
        send_all_kinds(f"file:{tmp_path}", topic)
        broker.admin.delete_records(TopicPartition(topic, 0), 500)
        broker.clean(topic)
        written = all_of(broker, topic)
        assert 0 < len(written) < COUNT * 0.6
        assert written[0].offset > 0
    folder = tmp_path / f"{topic}-0"
    newest = max(folder.glob("*.log"))
    with newest.open("ab") as log:
        log.write(newest.read_bytes()[:100])  # a torn tail
    with connect(kafka.url) as kafkas:
        kafkas.admin.create_topic(topic)
        theirs = kafka.data / f"{topic}-0"
        wait_for((theirs / "partition.metadata").exists)
        kafka.kill()
        metadata = (theirs / "partition.metadata").read_bytes()
        shutil.rmtree(theirs)
        shutil.copytree(folder, theirs)
        (theirs / "partition.metadata").write_bytes(metadata)
        kafka.start()
    with connect(kafka.url) as kafkas:
        with kafkas.producer() as producer:  # it waits until Kafka leads the partition
            assert producer.send(topic, b"v", key=b"k").result().offset == COUNT
        with kafkas.consumer(topic) as consumer:
            found: list[RawRecord] = []

            def read_on() -> bool:
                found.extend(consumer.poll(1, 10_000))
                return len(found) > len(written)

            wait_for(read_on)
        assert found[:-1] == written
        assert (found[-1].offset, found[-1].value) == (COUNT, b"v")
