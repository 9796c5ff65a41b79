"""Topics: legal names, settings, what is on the disk, and what connect() takes."""

import base64
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from broker_adapter import BrokerError, Durability, connect
from broker_adapter.errors import (
    Closed,
    CorruptLog,
    InvalidConfig,
    InvalidTopic,
    LogIOError,
    TopicExists,
    UnknownTopic,
    UnsupportedURL,
)
from broker_adapter.filelog.broker import FileBroker
from tests.broker_adapter.logs import batch_of, opened


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[FileBroker]:
    with FileBroker(tmp_path / "data") as broker:
        yield broker


def test_a_topic_is_made_listed_and_described(broker: FileBroker) -> None:
    made = broker.admin.create_topic("orders.v1", 3, {"segment.bytes": "2097152"})
    assert made.partitions == 3
    assert made.config["segment.bytes"] == 2_097_152
    assert made.config["max.message.bytes"] == 1_048_588
    assert len(base64.urlsafe_b64decode(made.topic_id + "==")) == 16
    broker.admin.create_topic("a-1")
    assert broker.admin.topics() == ["a-1", "orders.v1"]
    with FileBroker(broker.root) as another:
        assert another.admin.describe_topic("orders.v1") == made
        assert another.admin.topics() == ["a-1", "orders.v1"]


def test_the_files_are_kafkas(broker: FileBroker) -> None:
    made = broker.admin.create_topic("t", 2)
    for number in range(2):
        directory = broker.root / f"t-{number}"
        assert (directory / "partition.metadata").read_text() == f"version: 0\ntopic_id: {made.topic_id}"
        assert (directory / "leader-epoch-checkpoint").read_text() == "0\n1\n0 0\n"


def test_a_folder_that_kafka_wrote_is_a_topic(tmp_path: Path) -> None:
    # No settings and no published state there: only what Kafka itself keeps.
    with opened(tmp_path / "t-0") as partition:
        partition.append(batch_of(5))
    for name in (".state", ".wlock"):
        (tmp_path / "t-0" / name).unlink()
    (tmp_path / "t-0" / "00000000000000000005.snapshot").write_bytes(bytes.fromhex("000148674bc700000000"))
    (tmp_path / "meta.properties").write_text("version=1\n")
    with FileBroker(tmp_path) as broker:
        assert broker.admin.topics() == ["t"]
        assert broker.admin.describe_topic("t").partitions == 1
        with broker.consumer("t") as consumer:
            assert [record.offset for record in consumer.poll()] == [0, 1, 2, 3, 4]


@pytest.mark.parametrize("name", ["", ".", "..", "a/b", "../x", "a b", "é", "a\n", "x" * 250, "a:b"])
def test_names_that_kafka_would_not_take(broker: FileBroker, name: str) -> None:
    with pytest.raises(InvalidTopic, match="legal topic name"):
        broker.admin.create_topic(name)
    with pytest.raises(UnknownTopic):
        broker.admin.describe_topic(name)
    with pytest.raises(UnknownTopic):
        broker.consumer(name)
    assert broker.admin.topics() == []


@pytest.mark.parametrize("name", ["x" * 249, "...", "-", "_.-", "A9", "t-0", "t-01"])
def test_names_that_kafka_takes(broker: FileBroker, name: str) -> None:
    broker.admin.create_topic(name, 2)
    assert broker.admin.topics() == [name]
    with broker.producer() as producer:
        assert producer.send(name, b"v", partition=1).result().topic == name


@pytest.mark.parametrize("partitions", [0, -1, 10_001])
def test_partition_counts_out_of_range(broker: FileBroker, partitions: int) -> None:
    with pytest.raises(InvalidTopic, match="partitions"):
        broker.admin.create_topic("t", partitions)


def test_a_topic_is_made_once(broker: FileBroker) -> None:
    broker.admin.create_topic("t")
    with pytest.raises(TopicExists, match="'t'"):
        broker.admin.create_topic("t")


def test_a_creator_that_died_is_cleaned_up_after(broker: FileBroker) -> None:
    # Partition 0 comes last: without it there is no topic.
    (broker.root / "t-1").mkdir()
    (broker.root / "t-2").mkdir()
    (broker.root / ".unfinished").mkdir()
    assert broker.admin.topics() == []
    assert broker.admin.create_topic("t", 2).partitions == 2
    assert broker.admin.describe_topic("t").partitions == 2
    assert not (broker.root / "t-2").exists()


def test_records_without_a_partition_0_are_not_swept_away(broker: FileBroker) -> None:
    with opened(broker.root / "t-1") as partition:
        partition.append(batch_of(1))
    with pytest.raises(TopicExists, match="t-1 holds records"):
        broker.admin.create_topic("t", 2)


@pytest.mark.parametrize(
    ("settings", "fault"),
    [
        ({"segment.byte": 1 << 20}, "no setting 'segment.byte'"),
        ({"segment.bytes": 1000}, "out of range"),
        ({"segment.bytes": "many"}, "not a whole number"),
        ({"segment.ms": 0}, "out of range"),
        ({"max.message.bytes": -1}, "out of range"),
    ],
)
def test_settings_that_are_wrong(broker: FileBroker, settings: dict[str, int | str], fault: str) -> None:
    with pytest.raises(InvalidConfig, match=fault):
        broker.admin.create_topic("t", 1, settings)
    assert broker.admin.topics() == []


def test_settings_that_were_changed_by_hand(broker: FileBroker) -> None:
    broker.admin.create_topic("t", 1, {"segment.ms": 5000})
    path = broker.root / "t-0" / "topic.properties"
    assert path.read_text() == "segment.ms=5000\n"
    path.write_text("# by hand\n\nsegment.ms = 6000\n")
    assert broker.admin.describe_topic("t").config["segment.ms"] == 6000
    path.write_text("segment.ms=soon\n")
    with pytest.raises(CorruptLog, match=r"topic\.properties"):
        broker.admin.describe_topic("t")


# ---------------------------------------------------------------- connect


def test_urls_of_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for url, folder in [("file:./a", "a"), ("file:b/c", "b/c"), (f"file://{tmp_path}/d%20e", "d e")]:
        with connect(url) as broker:
            broker.admin.create_topic("t")
        assert (tmp_path / folder / "t-0").is_dir()
    with connect(f"file://localhost{tmp_path}/a?durability=batch") as broker, broker.producer() as producer:
        assert producer.send("t", b"v").result().durability is Durability.BATCH


@pytest.mark.parametrize(
    ("url", "fault"),
    [
        ("kafka://", "names no Kafka cluster"),
        ("./data", "names no broker"),
        (Path("data"), "is no URL"),
        (None, "is no URL"),
        ("sqlite:///x", "names no broker"),
        ("file:", "names no folder"),
        ("file://data", "on the host 'data'"),
        ("file://./data", "on the host"),
        ("file:./data#x", "names no folder"),
    ],
)
def test_urls_of_nothing(url: Any, fault: str) -> None:
    with pytest.raises(UnsupportedURL, match=fault):
        connect(url)


@pytest.mark.parametrize("query", ["durability=always", "durability=", "fsync=1"])
def test_options_that_are_wrong(tmp_path: Path, query: str) -> None:
    with pytest.raises(InvalidConfig):
        connect(f"file:{tmp_path}?{query}")


def test_what_is_closed_says_so(tmp_path: Path) -> None:
    broker = connect(f"file:{tmp_path}")
    broker.admin.create_topic("t")
    producer, consumer = broker.producer(), broker.consumer("t")
    producer.send("t", b"v")
    broker.close()
    broker.close()
    for call in (
        lambda: broker.admin,
        broker.producer,
        broker.consumer,
        lambda: producer.send("t", b"v"),
        consumer.poll,
        consumer.commit,
    ):
        with pytest.raises(Closed):
            call()
    with connect(f"file:{tmp_path}") as broker, broker.consumer("t") as reader:
        assert [record.value for record in reader.poll()] == [b"v"]


# ---------------------------------------------------------------- what the system refuses


def test_a_folder_that_is_a_file(tmp_path: Path) -> None:
    (tmp_path / "f").touch()
    for url in (f"file:{tmp_path}/f", f"file:{tmp_path}/f/below"):
        with pytest.raises(LogIOError, match="could not make the folder"):
            connect(url)


def test_a_folder_that_may_not_be_written(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    for parent in tmp_path.parents[:2]:
        parent.chmod(0o755)
    with FileBroker(tmp_path / "data") as broker:
        broker.admin.create_topic("t")
        with broker.producer() as producer:
            producer.send("t", b"v")
    user = os.geteuid()
    for path in [tmp_path / "data", tmp_path / "data" / "t-0", *(tmp_path / "data" / "t-0").iterdir()]:
        path.chmod(0o555)
    try:
        if user == 0:
            os.seteuid(65534)  # the superuser may write anything
        with FileBroker(tmp_path / "data") as broker:
            with pytest.raises(LogIOError, match="check the owner and mode"):
                broker.admin.create_topic("u")
            with broker.producer() as producer, pytest.raises(LogIOError, match="check the owner and mode"):
                producer.send("t", b"v")
            with pytest.raises(BrokerError, match="could not"):
                broker.consumer("t")
    finally:
        os.seteuid(user)
        for path in [tmp_path / "data", tmp_path / "data" / "t-0"]:
            path.chmod(0o755)


def test_a_topic_that_another_broker_deletes_and_makes_again(tmp_path: Path) -> None:
    with FileBroker(tmp_path) as ours, FileBroker(tmp_path) as others:
        ours.admin.create_topic("t")
        with ours.producer(linger=0) as producer, ours.consumer("t") as reader:
            producer.send("t", b"old").result()
            others.admin.delete_topic("t")
            others.admin.create_topic("t")
            with others.producer() as theirs:
                theirs.send("t", b"new")
            assert [record.value for record in reader.poll()] == [b"old"]  # its file is open yet
            with pytest.raises(UnknownTopic, match="was deleted while it was open"):
                producer.send("t", b"lost").result()
            assert producer.send("t", b"newer").result().offset == 1
            with pytest.raises(UnknownTopic):
                producer.flush()
        with ours.consumer("t") as reader:
            assert [record.value for record in reader.poll()] == [b"new", b"newer"]
    assert [path.name for path in tmp_path.iterdir() if path.is_dir()] == ["t-0"]


def test_what_a_file_log_cannot_do_is_said(tmp_path: Path) -> None:
    with FileBroker(tmp_path) as broker:
        broker.admin.create_topic("t")
        with pytest.raises(InvalidTopic, match="replication_factor"):
            broker.admin.create_topic("u", replication_factor=2)
