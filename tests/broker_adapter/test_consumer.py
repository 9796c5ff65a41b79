"""Consumers: positions, seeking, waiting, groups, and what is committed."""

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from broker_adapter import TopicPartition
from broker_adapter.errors import (
    CorruptBatch,
    CorruptLog,
    InvalidConfig,
    InvalidGroup,
    NoOffset,
    OffsetOutOfRange,
    UnknownPartition,
    UnknownTopic,
)
from broker_adapter.filelog.broker import FileBroker
from broker_adapter.filelog.offsets import (
    decode_key,
    decode_value,
    encode_key,
    encode_value,
    partition_of,
)
from tests.broker_adapter.logs import NOW

T0, T1 = TopicPartition("t", 0), TopicPartition("t", 1)


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[FileBroker]:
    """A topic of two partitions with 100 numbered records, the even numbers in partition 0."""
    with FileBroker(tmp_path) as broker:
        broker.admin.create_topic("t", 2)
        send(broker, range(100))
        yield broker


def send(broker: FileBroker, numbers: range) -> None:
    """Send numbered records, ten to a batch and partition."""
    with broker.producer(linger=60) as producer:
        for n in numbers:
            producer.send("t", b"%d" % n, partition=n % 2, timestamp=NOW + n)
            if n % 20 == 19:
                producer.flush()


def values(records: object) -> list[int]:
    """The numbers of records."""
    assert isinstance(records, list)
    return [int(record.value) for record in records]


def test_poll_gives_each_record_once_and_in_order(broker: FileBroker) -> None:
    with broker.consumer("t") as consumer:
        assert consumer.assignment() == {T0, T1}
        found = []
        while records := consumer.poll(max_records=7):
            assert len(records) <= 7
            found += values(records)
        assert sorted(found) == list(range(100))
        assert [n for n in found if n % 2 == 0] == list(range(0, 100, 2))
        assert [n for n in found if n % 2] == list(range(1, 100, 2))
        assert consumer.position(T0) == consumer.position(T1) == 50
        assert consumer.poll(0.01) == []
        send(broker, range(100, 120))
        assert sorted(values(consumer.poll())) == list(range(100, 120))


def test_a_busy_partition_does_not_starve_the_other(broker: FileBroker) -> None:
    with broker.consumer("t") as consumer:
        partitions = {record.partition for _ in range(2) for record in consumer.poll(max_records=10)}
    assert partitions == {0, 1}


def test_poll_waits_for_a_record(broker: FileBroker) -> None:
    with broker.consumer("t", auto_offset_reset="latest") as consumer:
        assert consumer.poll() == []
        later = threading.Timer(0.05, send, (broker, range(100, 101)))
        later.start()
        assert values(consumer.poll(30)) == [100]
        later.join()


def test_iteration_ends_when_idle(broker: FileBroker) -> None:
    with broker.consumer("t", idle_timeout=0) as consumer:
        assert sorted(int(record.value or b"") for record in consumer) == list(range(100))
        assert list(consumer) == []


def test_a_position_counts_what_the_caller_has_had(broker: FileBroker) -> None:
    with broker.consumer() as consumer:
        consumer.assign([T0])
        for expected, record in enumerate(consumer):
            assert (record.offset, consumer.position(T0)) == (expected, expected + 1)
            if expected == 12:
                break
        # The thirteen were fetched with others: these must come yet.
        assert values(consumer.poll(max_records=2)) == [26, 28]
        assert consumer.position(T0) == 15


def test_seek(broker: FileBroker) -> None:
    with broker.consumer() as consumer:
        consumer.assign([T0])
        for offset in (49, 0, 25, 24, 25):
            consumer.seek(T0, offset)
            assert consumer.position(T0) == offset
            assert values(consumer.poll(max_records=1)) == [2 * offset]
        consumer.seek(T0, 50)
        assert consumer.poll() == []
        consumer.seek(T0, 45)
        seen = []
        for record in consumer:
            seen.append(record.offset)
            if record.offset == 47 and len(seen) < 5:
                consumer.seek(T0, 46)
            if len(seen) == 6:
                break
        assert seen == [45, 46, 47, 46, 47, 48]


def test_seek_outside_the_log(broker: FileBroker) -> None:
    with broker.consumer() as consumer:
        consumer.assign([T0])
        for offset in (-1, 51):
            consumer.seek(T0, offset)
            with pytest.raises(OffsetOutOfRange, match="0 to 50"):
                consumer.poll()
        consumer.seek(T0, 0)
        assert len(consumer.poll()) == 50
        with pytest.raises(UnknownPartition):
            consumer.seek(T1, 0)


def test_offsets_by_time_and_watermarks(broker: FileBroker) -> None:
    with broker.consumer("t") as consumer:
        assert consumer.offset_for_timestamp(T0, NOW + 41) == 21
        assert consumer.offset_for_timestamp(T1, NOW + 41) == 20
        assert consumer.offset_for_timestamp(T0, NOW + 99) is None
        assert consumer.watermarks(T0) == (0, 50)


def test_damage_in_one_place_does_not_lose_what_was_read(broker: FileBroker) -> None:
    path = broker.root / "t-0" / f"{0:020d}.log"
    log = bytearray(path.read_bytes())
    log[-1] ^= 1
    path.write_bytes(log)
    with broker.consumer() as consumer:
        consumer.assign([T0, T1])
        found = []
        for _ in range(3):
            found += values(consumer.poll())
            if len(found) == 90:
                break
        assert sorted(found) == sorted([*range(0, 80, 2), *range(1, 100, 2)])
        for _ in range(2):
            with pytest.raises(CorruptBatch, match="offset 40 of t-0"):
                consumer.poll()


def test_topics_and_partitions_that_do_not_exist(broker: FileBroker) -> None:
    with pytest.raises(UnknownTopic):
        broker.consumer(["t", "u"])
    with broker.consumer() as consumer:
        assert consumer.poll() == []
        with pytest.raises(UnknownPartition):
            consumer.assign([TopicPartition("t", 2)])
        with pytest.raises(UnknownTopic):
            consumer.assign([TopicPartition("u", 0)])
    with pytest.raises(InvalidConfig, match="newest"):
        broker.consumer("t", auto_offset_reset="newest")  # type: ignore[arg-type]  # wrong on purpose


# ---------------------------------------------------------------- groups


def test_a_group_goes_on_where_it_committed(tmp_path: Path, broker: FileBroker) -> None:
    with broker.consumer("t", group="g") as consumer:
        assert consumer.committed(T0) is None
        first = values(consumer.poll(max_records=30))
        consumer.commit()
        consumer.poll(max_records=30)  # seen, not committed: to be seen again
        assert consumer.committed(T0) == sum(n % 2 == 0 for n in first)
    broker.close()
    with FileBroker(tmp_path) as again, again.consumer("t", group="g", idle_timeout=0) as consumer:
        rest = values(list(consumer))
        assert sorted(first + rest) == list(range(100))
        consumer.commit({T0: 7})
        assert consumer.committed(T0) == 7
    with FileBroker(tmp_path) as again, again.consumer("t", group="other") as consumer:
        assert consumer.committed(T0) is None
        assert len(consumer.poll()) == 100


def test_a_commit_within_an_iteration_is_of_the_records_seen(broker: FileBroker) -> None:
    with broker.consumer("t", group="g") as consumer:
        for count, _ in enumerate(consumer, start=1):
            consumer.commit()
            committed = [consumer.committed(name) or 0 for name in (T0, T1)]
            assert sum(committed) == count
            if count == 60:
                break


@pytest.mark.parametrize(("reset", "positions"), [("earliest", 0), ("latest", 50)])
def test_where_a_group_begins(broker: FileBroker, reset: str, positions: int) -> None:
    with broker.consumer("t", group="g", auto_offset_reset=reset) as consumer:  # type: ignore[arg-type]
        assert consumer.position(T0) == positions


def test_where_a_group_does_not_want_to_guess(broker: FileBroker) -> None:
    with broker.consumer("t", group="g", auto_offset_reset="error") as consumer:
        with pytest.raises(NoOffset, match="t-0: nothing is committed"):
            consumer.poll()
        consumer.seek(T0, 3)
        consumer.seek(T1, 4)
        assert len(consumer.poll()) == 47 + 46
        consumer.commit({T0: 3, T1: 1000})
    with broker.consumer("t", group="g", auto_offset_reset="error") as consumer:
        assert consumer.position(T0) == 3
        with pytest.raises(NoOffset, match="committed offset 1000 is not in the log"):
            consumer.position(T1)


def test_commits_that_make_no_sense(broker: FileBroker) -> None:
    with broker.consumer("t") as consumer:
        with pytest.raises(InvalidGroup, match="no group"):
            consumer.commit()
        with pytest.raises(InvalidGroup):
            consumer.committed(T0)
    with broker.consumer("t", group="g") as consumer:
        with pytest.raises(UnknownPartition):
            consumer.commit({TopicPartition("u", 0): 1})
        with pytest.raises(InvalidGroup, match="without one"):
            consumer.assign([T0])
        consumer.commit()  # of nothing: no position was asked for yet
        assert consumer.committed(T0) is None


@pytest.mark.parametrize("group", ["a/b", "..", ".", "größe", "a b", "%2F", "x" * 255])
def test_names_of_groups(broker: FileBroker, group: str) -> None:
    with broker.consumer("t", group=group) as consumer:
        consumer.poll()
        consumer.commit()
    with broker.consumer("t", group=group) as consumer:
        assert consumer.committed(T0) == 50
    folders = {path.parent.name for path in broker.root.glob("__consumer_offsets-*/groups/*/state.json")}
    assert len(folders) == 1
    assert not any(path.name.startswith("__") for path in broker.root.parent.iterdir())


@pytest.mark.parametrize("group", ["", "é" * 100])
def test_names_that_no_group_can_have(broker: FileBroker, group: str) -> None:
    with pytest.raises(InvalidGroup, match="cannot name a group"):
        broker.consumer("t", group=group)


# ---------------------------------------------------------------- Kafka's bytes


def test_the_bytes_of_a_commit() -> None:
    assert encode_key("grp", TopicPartition("topic", 9)).hex(" ") == (
        "00 01 00 03 67 72 70 00 05 74 6f 70 69 63 00 00 00 09"
    )
    assert encode_value(258, 1).hex(" ") == (
        "00 03 00 00 00 00 00 00 01 02 ff ff ff ff 00 00 00 00 00 00 00 00 00 01"
    )


def test_commits_that_kafka_wrote_are_read() -> None:
    key = encode_key("grp", T1)
    assert decode_key(key) == decode_key(b"\0\0" + key[2:]) == ("grp", T1)
    assert decode_key(b"\0\x02\0\x03grp") is None  # a group's members
    for version in range(4):
        assert decode_value(version.to_bytes(2, "big") + (77).to_bytes(8, "big") + bytes(10)) == 77


@pytest.mark.parametrize(
    "key", ["", "00", "00 01 00 03 67", "00 01 ff ff", "00 01 00 01 ff 00 01 61 00 00 00 00"]
)
def test_keys_that_cannot_be_read(key: str) -> None:
    with pytest.raises(CorruptLog, match="__consumer_offsets"):
        decode_key(bytes.fromhex(key))


@pytest.mark.parametrize("value", ["", "00 03 00", "00 09" + "00" * 20, "ff ff" + "00" * 20])
def test_values_that_cannot_be_read(value: str) -> None:
    with pytest.raises(CorruptLog, match="__consumer_offsets"):
        decode_value(bytes.fromhex(value))


def test_a_group_has_the_partition_that_java_gives_it() -> None:
    # Worked out by Java: Math.abs(name.hashCode()) % 50, where the fourth is the one number without an abs().
    names = [
        "readers",
        "test",
        "hello",
        "polygenelubricants",
        "größe-\U0001f600",
        "a-rather-long-group-name.v2",
    ]
    assert [partition_of(name) for name in names] == [28, 48, 22, 0, 21, 7]
