"""Old segments go, by age, by size and on request; who reads one is not disturbed."""

import threading
import time
from pathlib import Path

import pytest

from broker_adapter.broker import TopicPartition
from broker_adapter.errors import CorruptLog, InvalidConfig, InvalidRecord, OffsetOutOfRange, RecordTooLarge
from broker_adapter.filelog import broker as file_broker
from broker_adapter.filelog.broker import FileBroker
from broker_adapter.filelog.checkpoints import LOG_START, RECOVERY_POINT, Checkpoints
from broker_adapter.filelog.cleaner import clean
from broker_adapter.filelog.partition import Partition
from broker_adapter.filelog.reader import LogReader
from broker_adapter.filelog.retention import delete_old_segments
from broker_adapter.filelog.segment import segment_bases
from tests.broker_adapter.logs import NAME, NOW, batch_of, forget_state, opened, read_all

MIB = 1 << 20
T0 = TopicPartition("t", 0)


def fill(partition: Partition, segments: int, *, start: int = 0, timestamp: int = NOW) -> int:
    """Append batches of 10 records of 10 kB, each a second later, until there are `segments` more."""
    wanted = len(segment_bases(partition.directory)) + segments
    while len(segment_bases(partition.directory)) < wanted:
        partition.append(batch_of(10, size=10_000, start=start, timestamp=timestamp + start * 100))
        start += 10
    return start


def kept(partition: Partition) -> list[int]:
    """The bases of the segments on the disk, which must be what is published."""
    found = segment_bases(partition.directory)
    state = partition.state()
    assert partition.bases(state) == found
    assert {path.stem for path in partition.directory.glob("*.*index")} == {f"{base:020d}" for base in found}
    assert state.log_start_offset >= found[0]
    assert [each.offset for each in read_all(partition, state.log_start_offset)] == list(
        range(state.log_start_offset, state.log_end_offset)
    )
    return found


def test_by_size_the_oldest_go_while_enough_is_left(tmp_path: Path) -> None:
    with opened(tmp_path, segment_bytes=MIB, retention_ms=-1, retention_bytes=2 * MIB) as partition:
        end = fill(partition, 5)
        before = segment_bases(tmp_path)
        sizes = {base: (tmp_path / f"{base:020d}.log").stat().st_size for base in before}
        gone = delete_old_segments(partition)
        assert kept(partition) == before[gone:]
        assert sum(sizes[base] for base in before[gone:]) >= 2 * MIB
        assert sum(sizes[base] for base in before[gone + 1 :]) < 2 * MIB
        assert partition.append(batch_of(1)) == end
        assert delete_old_segments(partition) == 0
        with pytest.raises(OffsetOutOfRange, match=f"has {before[gone]} to {end + 1}"):
            read_all(partition, before[gone] - 1)


def test_by_age_the_newest_record_counts(tmp_path: Path) -> None:
    with opened(tmp_path, segment_bytes=MIB, retention_ms=1000) as partition:
        fill(partition, 4)
        bases = segment_bases(tmp_path)
        # A segment's newest record is of a second before the next one's first.
        assert delete_old_segments(partition, NOW + bases[2] * 100 - 1000 + 1000) == 1
        assert kept(partition) == bases[1:]
        assert delete_old_segments(partition, NOW + bases[2] * 100 - 1000 + 1001) == 1
        assert kept(partition) == bases[2:]


def test_all_records_may_be_too_old(tmp_path: Path) -> None:
    with opened(tmp_path, retention_ms=1000) as partition:
        partition.append(batch_of(5))
        assert delete_old_segments(partition, NOW + 1001) == 1
        assert kept(partition) == [5]
        assert delete_old_segments(partition, NOW + 10_000) == 0
        assert partition.append(batch_of(5, start=5)) == 5
    forget_state(tmp_path)
    with opened(tmp_path) as partition:
        assert partition.state().log_start_offset == 5
        assert kept(partition) == [5]


def test_a_log_that_is_not_to_be_deleted_from(tmp_path: Path) -> None:
    with opened(tmp_path, retention_ms=-1, segment_bytes=MIB) as partition:
        fill(partition, 2)
        assert delete_old_segments(partition) == 0


def test_a_reader_in_a_segment_that_goes_reads_it_to_its_end(tmp_path: Path) -> None:
    # Two openings stand for two processes: they share nothing but the files.
    with opened(tmp_path, segment_bytes=MIB, retention_ms=0) as writer, opened(tmp_path) as other:
        end = fill(writer, 4)
        bases = segment_bases(tmp_path)
        reader = LogReader(other, 0)
        seen = [each.offset for each in reader.read(1)]
        behind = LogReader(other, 10)
        assert delete_old_segments(writer, NOW + bases[1] * 100) == 1
        while reader.offset < bases[1]:
            seen += [each.offset for each in reader.read(30_000)]
        while records := reader.read(MIB):
            seen += [each.offset for each in records]
        assert seen == list(range(end))
        with pytest.raises(OffsetOutOfRange):
            behind.read(1)
        assert other.offset_for_timestamp(0) == bases[1]


def test_readers_read_while_segments_go(tmp_path: Path) -> None:
    # What a reader is in it reads whole; if it falls behind, it is told so; it never meets damage or a gap.
    settings = {"segment_bytes": MIB, "retention_ms": -1, "retention_bytes": 2 * MIB}
    is_over = threading.Event()
    failures: list[BaseException] = []
    rounds = []

    def read() -> None:
        try:
            with opened(tmp_path, **settings) as partition:
                reader = LogReader(partition, 0)
                while not is_over.is_set():
                    due = reader.offset
                    try:
                        records = reader.read(200_000)
                    except OffsetOutOfRange:
                        reader.seek(partition.state().log_start_offset)
                        continue
                    assert [each.offset for each in records] == list(range(due, due + len(records)))
                    rounds.append(len(records))
                    if not records:
                        time.sleep(0.001)  # at the end: who only looks keeps the writer from writing
        except BaseException as error:  # noqa: BLE001 - told by the main thread
            failures.append(error)

    with opened(tmp_path, **settings) as writer:
        writer.append(batch_of(1))
        readers = [threading.Thread(target=read) for _ in range(2)]
        for each in readers:
            each.start()
        for _ in range(2_000):
            writer.append(batch_of(10, size=10_000))
            delete_old_segments(writer)
        is_over.set()
        for each in readers:
            each.join()
        assert not failures, failures
        assert rounds
        assert len(kept(writer)) <= 4


# ---------------------------------------------------------------- on request


def test_records_are_deleted_before_an_offset(tmp_path: Path) -> None:
    with opened(tmp_path, segment_bytes=MIB) as partition, opened(tmp_path) as other:
        end = fill(partition, 3)
        bases = segment_bases(tmp_path)
        reader = LogReader(other, 0)
        reader.read(1)
        assert partition.delete_records(bases[1] + 15) == bases[1] + 15
        assert segment_bases(tmp_path) == bases[1:]
        assert read_all(other, bases[1] + 15)[0].offset == bases[1] + 15
        assert other.offset_for_timestamp(0) == bases[1] + 15
        with pytest.raises(OffsetOutOfRange):
            reader.read(1)  # it was asked that nobody reads these
        assert partition.delete_records(3) == bases[1] + 15
        for wrong in (-2, end + 1):
            with pytest.raises(OffsetOutOfRange):
                partition.delete_records(wrong)
        assert Checkpoints(tmp_path).get(LOG_START, NAME) == bases[1] + 15
        assert partition.delete_records(end) == end
        assert segment_bases(tmp_path) == bases[-1:]
    for is_forgotten in (False, True):
        if is_forgotten:
            forget_state(tmp_path)
        with opened(tmp_path) as partition:
            assert partition.state().log_start_offset == end
            assert read_all(partition, end) == []
            assert partition.append(batch_of(1)) == end
            end += 1
            partition.delete_records(end)


def test_offsets_that_were_deleted_are_not_given_out_again(tmp_path: Path) -> None:
    with opened(tmp_path) as partition:
        partition.append(batch_of(10))
        partition.append(batch_of(10, start=10))
        partition.delete_records(20)
    log = tmp_path / f"{0:020d}.log"
    log.write_bytes(log.read_bytes()[:-5])
    forget_state(tmp_path)
    with opened(tmp_path) as partition:
        assert partition.append(batch_of(1)) == 20
        assert [each.offset for each in read_all(partition, 20)] == [20]


def test_the_admin_deletes_records_and_a_new_topic_begins_at_0(tmp_path: Path) -> None:
    with FileBroker(tmp_path) as broker:
        broker.admin.create_topic("t")
        with broker.producer() as producer:
            for _ in range(5):
                producer.send("t", b"v")
        assert broker.admin.delete_records(T0, 2) == 2
        assert (tmp_path / LOG_START).read_text() == "0\n1\nt 0 2\n"
        assert broker.admin.delete_records(T0, -1) == 5
        broker.admin.delete_topic("t")
        assert (tmp_path / LOG_START).read_text() == "0\n0\n"
        broker.admin.create_topic("t")
        with broker.producer() as producer:
            assert producer.send("t", b"v").result().offset == 0


def test_a_checkpoint_that_cannot_be_read_is_passed_over(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    checkpoints = Checkpoints(tmp_path)
    for text in ("", "1\n0\n", "0\n2\nt 0 1\n", "0\n1\nt 0\n", "0\n1\nt 0 -4\n"):
        (tmp_path / RECOVERY_POINT).write_text(text)
        assert checkpoints.get(RECOVERY_POINT, T0) == 0
    assert caplog.text.count("cannot be read") == 5
    (tmp_path / RECOVERY_POINT).write_text("0\n1\nkafkas 3 77\n")
    checkpoints.put(RECOVERY_POINT, T0, 5)
    assert (tmp_path / RECOVERY_POINT).read_text() == "0\n2\nkafkas 3 77\nt 0 5\n"
    checkpoints.close()


# ---------------------------------------------------------------- who does it, and settings


def test_who_writes_cleans_after_a_roll(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(file_broker, "FLUSH_INTERVAL", 0.01)
    with FileBroker(tmp_path) as broker:
        broker.admin.create_topic("t", 1, {"segment.bytes": MIB, "retention.bytes": MIB})
        with broker.producer() as producer:
            for _ in range(600):
                producer.send("t", b"v" * 10_000)
        deadline = time.monotonic() + 30
        while len(segment_bases(tmp_path / "t-0")) > 2:
            assert time.monotonic() < deadline
            time.sleep(0.01)


def test_one_cleans_at_a_time(tmp_path: Path) -> None:
    with opened(tmp_path) as one, opened(tmp_path) as two:
        with one.cleaning() as is_ours:
            assert is_ours
            assert not clean(two)
            one.append(batch_of(5))
            assert two.delete_records(3) == 3
        assert clean(two)


def test_altered_settings_hold_at_once_in_every_process(tmp_path: Path) -> None:
    with FileBroker(tmp_path) as ours, FileBroker(tmp_path) as others:
        ours.admin.create_topic("t", 1, {"segment.bytes": MIB})
        with ours.producer(linger=0) as producer:
            for _ in range(150):
                producer.send("t", b"v" * 10_000).result()
            bases = segment_bases(tmp_path / "t-0")
            assert len(bases) == 2
            others.admin.alter_topic("t", config={"retention.bytes": 0, "max.message.bytes": 200})
            refused = producer.send("t", b"v" * 10_000)
            with pytest.raises(RecordTooLarge, match=r"max\.message\.bytes=200"):
                refused.result()
            with pytest.raises(RecordTooLarge):
                producer.flush()
            producer.send("t", b"v").result()
            ours.clean("t")
            assert segment_bases(tmp_path / "t-0") == [151]


@pytest.mark.parametrize(
    ("settings", "fault"),
    [
        ({"cleanup.policy": "shred"}, "'compact,delete'"),
        ({"compression.type": "rar"}, "use one of: producer, uncompressed, gzip"),
        ({"message.timestamp.type": "Never"}, "CreateTime, LogAppendTime"),
        ({"min.cleanable.dirty.ratio": "2"}, "0 to 1"),
        ({"min.cleanable.dirty.ratio": "much"}, "not a number"),
        ({"retention.ms": -2}, "out of range"),
        ({"segment.bytes": 1024}, "out of range"),
        ({"retention.bytes": "1e3"}, "not a whole number"),
        ({"file.delete.delay": 1}, "has no setting"),
    ],
)
def test_settings_that_are_wrong(tmp_path: Path, settings: dict[str, int | str], fault: str) -> None:
    with FileBroker(tmp_path) as broker, pytest.raises(InvalidConfig, match=fault):
        broker.admin.create_topic("t", 1, settings)


def test_settings_are_kept_as_they_are_shown(tmp_path: Path) -> None:
    given: dict[str, int | str] = {
        "cleanup.policy": "compact, delete",
        "compression.type": "zstd",
        "message.timestamp.type": "LogAppendTime",
        "min.cleanable.dirty.ratio": "0.25",
        "retention.ms": -1,
    }
    with FileBroker(tmp_path) as broker:
        broker.admin.create_topic("t", 1, given)
    with FileBroker(tmp_path) as broker:
        shown = broker.admin.describe_topic("t").config
        assert {name: shown[name] for name in given} == given | {"cleanup.policy": "compact,delete"}
        (tmp_path / "t-0" / "topic.properties").write_text("cleanup.policy=never\n")
        with pytest.raises(CorruptLog, match=r"topic\.properties"):
            broker.admin.describe_topic("t")


def test_a_timestamp_from_the_future_is_refused(tmp_path: Path) -> None:
    hour = 3600 * 1000
    now = time.time_ns() // 1_000_000
    with opened(tmp_path) as partition:
        partition.append(batch_of(1, timestamp=now + hour // 2))
        with pytest.raises(InvalidRecord, match=r"message\.timestamp\.after\.max\.ms"):
            partition.append(batch_of(1, timestamp=now + 2 * hour))
