"""A small disk that is full, and one that may only be read: real ones, mounted for the test."""

import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from broker_adapter import Delivery, TopicPartition, connect
from broker_adapter.errors import BrokerError, LogIOError
from broker_adapter.filelog.broker import FileBroker
from tests.broker_adapter.logs import read_all
from tests.support.needs import need

T0 = TopicPartition("t", 0)
MIB = 1 << 20


def mount(*arguments: str) -> None:
    """Run mount, which must succeed."""
    subprocess.run(["mount", *arguments], check=True, capture_output=True)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 6 MiB."""
    need(os.geteuid() == 0, "only the superuser can mount a small disk")
    folder = tmp_path / "disk"
    folder.mkdir()
    try:
        mount("-t", "tmpfs", "-o", "size=6m", "tmpfs", str(folder))
    except subprocess.CalledProcessError as error:
        need(False, f"a small disk cannot be mounted here: {error.stderr.decode().strip()}")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


@pytest.mark.parametrize("durability", ["none", "batch"])
def test_a_full_disk_refuses_and_room_again_is_used(small_disk: Path, durability: str) -> None:
    ballast = small_disk / "ballast"
    sizes = [900, 30_000, 7_001, 200_000]
    written: list[bytes] = []
    with FileBroker(small_disk / "data") as maker:
        maker.admin.create_topic("t", 1, {"segment.bytes": MIB})
    with (
        connect(f"file:{small_disk / 'data'}?durability={durability}") as broker,
        broker.producer(linger=0) as producer,
    ):
        for round_ in range(4):
            ballast.write_bytes(bytes((4 - round_) * MIB))
            refused = fill(written, producer.send, sizes[round_])
            assert isinstance(refused, LogIOError)
            assert refused.retriable
            assert "No space left" in str(refused)
            with pytest.raises(LogIOError):
                producer.flush()
            with broker.consumer("t") as consumer:  # what was acknowledged can be read meanwhile
                assert len(consumer.poll(0, 100_000)) == len(written)
        ballast.unlink()
        broker.admin.delete_records(T0, 1)
        assert producer.send("t", b"after").result().offset == len(written)
    with FileBroker(small_disk / "data") as again:
        records = read_all(again.partition(T0), 1)
    assert [record.offset for record in records] == list(range(1, len(written) + 1))
    assert [record.value for record in records] == [*written[1:], b"after"]


def fill(written: list[bytes], send: Callable[..., Delivery], size: int) -> BrokerError:
    """Send until it is refused; the refusal. What was acknowledged joins `written`."""
    while True:
        value = b"%d " % len(written) * (size // 5)
        try:
            acknowledged = send("t", value).result()
        except BrokerError as error:
            return error
        assert acknowledged.offset == len(written)
        written.append(value)


def test_a_disk_that_may_only_be_read(small_disk: Path) -> None:
    with FileBroker(small_disk) as broker:
        broker.admin.create_topic("t")
        with broker.producer() as producer:
            producer.send("t", b"before")
    mount("-o", "remount,ro", str(small_disk))
    with FileBroker(small_disk) as broker:
        with pytest.raises(LogIOError, match="Read-only"):
            broker.admin.create_topic("u")
        with broker.producer() as producer, pytest.raises(LogIOError, match="Read-only"):
            producer.send("t", b"refused")
    mount("-o", "remount,rw", str(small_disk))
    with FileBroker(small_disk) as broker, broker.producer() as producer:
        assert producer.send("t", b"after").result().offset == 1


@pytest.mark.parametrize("suffix", ["index", "timeindex", "snapshot"])
def test_files_that_only_help_may_go_while_the_log_is_open(tmp_path: Path, suffix: str) -> None:
    with FileBroker(tmp_path) as broker:
        broker.admin.create_topic("t", 1, {"segment.bytes": MIB})
        with broker.producer() as producer:
            for n in range(300):
                producer.send("t", b"%d" % n * 3_000)
            producer.flush()
            for path in (tmp_path / "t-0").glob(f"*.{suffix}"):
                path.unlink()
            for n in range(300, 600):
                producer.send("t", b"%d" % n * 3_000)
        with broker.consumer("t") as consumer:
            for offset in (0, 123, 599):
                consumer.seek(T0, offset)
                assert consumer.poll(0, 1)[0].offset == offset
    with FileBroker(tmp_path) as broker:
        partition = broker.partition(T0)
        assert [record.offset for record in read_all(partition)] == list(range(600))
        for base in partition.bases(partition.state()):
            segment = partition.segment(base, partition.state())
            assert segment.indexes_are_sound(partition.limit(segment, partition.state()), 4096)
