"""A batch that is sent again is there once, and one that leaves a gap is refused: here and after anything."""

import errno
import struct
from pathlib import Path

import pytest
from crc32c import crc32c

from broker_adapter import connect
from broker_adapter.broker import TopicPartition
from broker_adapter.errors import CorruptLog, FencedProducer, LogIOError, OutOfOrderSequence
from broker_adapter.filelog import numbering
from broker_adapter.filelog.batch import encode_batch, read_header
from broker_adapter.filelog.broker import FileBroker
from broker_adapter.filelog.lookup import locate_in
from broker_adapter.filelog.open_log import OpenLog
from broker_adapter.filelog.partition import Appended, Partition
from broker_adapter.filelog.producers import MAX_SEQUENCE, ProducerStates, snapshots
from broker_adapter.filelog.retention import delete_old_segments
from broker_adapter.filelog.segment import LogSegment, segment_bases
from broker_adapter.filelog.state import LogState
from tests.broker_adapter.logs import NOW, forget_state, opened, read_all

MIB = 1 << 20
DAY = 24 * 3600 * 1000


def batch(
    sequence: int, count: int = 1, *, producer: int = 7, epoch: int = 0, size: int = 10, timestamp: int = NOW
) -> bytes:
    """A batch of an idempotent producer."""
    value = b"%d" % sequence
    return encode_batch(
        [(timestamp, b"k", value.ljust(size, b"."), ())] * count, producer=(producer, epoch, sequence)
    )


def test_a_batch_that_is_sent_again_is_there_once(tmp_path: Path) -> None:
    with opened(tmp_path) as partition:
        assert partition.append_batch(batch(0, 3)) == Appended(0, None)
        assert partition.append_batch(batch(3, 2)) == Appended(3, None)
        assert partition.append_batch(batch(0, 3)) == Appended(0, None, is_duplicate=True)
        assert partition.append_batch(batch(3, 2), sync=True) == Appended(3, None, is_duplicate=True)
        assert partition.append_batch(batch(5)) == Appended(5, None)
        assert [record.offset for record in read_all(partition)] == list(range(6))


def test_the_last_five_batches_are_remembered(tmp_path: Path) -> None:
    with opened(tmp_path) as partition:
        for sequence in range(7):
            partition.append(batch(sequence))
        for sequence in range(2, 7):
            assert partition.append_batch(batch(sequence)).is_duplicate
        with pytest.raises(OutOfOrderSequence, match="1, where 7 is due"):
            partition.append(batch(1))


def test_a_gap_is_refused(tmp_path: Path) -> None:
    with opened(tmp_path) as partition:
        partition.append(batch(10, 5))  # who is not known may begin anywhere
        for wrong in (batch(16), batch(10, 4), batch(14), batch(0)):
            with pytest.raises(OutOfOrderSequence):
                partition.append(wrong)
        partition.append(batch(16, producer=8))
        assert partition.append(batch(15)) == 6


def test_epochs(tmp_path: Path) -> None:
    with opened(tmp_path) as partition:
        partition.append(batch(0))
        with pytest.raises(OutOfOrderSequence):
            partition.append(batch(1, epoch=1))
        partition.append(batch(0, epoch=1))
        assert partition.append_batch(batch(0, epoch=1)).is_duplicate
        with pytest.raises(FencedProducer, match="epoch 1"):
            partition.append(batch(1))


def test_sequence_numbers_begin_again_after_the_largest(tmp_path: Path) -> None:
    with opened(tmp_path) as partition:
        partition.append(batch(MAX_SEQUENCE - 2, 5))
        assert partition.append_batch(batch(MAX_SEQUENCE - 2, 5)).is_duplicate
        assert partition.append(batch(2)) == 5
        with pytest.raises(OutOfOrderSequence):
            partition.append(batch(1))


def test_a_duplicate_in_a_topic_of_append_time(tmp_path: Path) -> None:
    with opened(tmp_path, message_timestamp_type="LogAppendTime") as partition:
        first = partition.append_batch(batch(0))
        assert first.append_time is not None
        assert partition.append_batch(batch(0)) == Appended(0, first.append_time, is_duplicate=True)
    forget_state(tmp_path)
    with opened(tmp_path, message_timestamp_type="LogAppendTime") as partition:
        assert partition.append_batch(batch(0)) == Appended(0, first.append_time, is_duplicate=True)


@pytest.mark.parametrize("how", ["other", "reopened", "killed", "restarted", "no snapshot", "bad snapshot"])
def test_others_and_later_openings_know_it_too(tmp_path: Path, how: str) -> None:
    settings = {"segment_bytes": MIB}
    with opened(tmp_path, **settings) as partition, opened(tmp_path, **settings) as other:
        other.append(batch(0, producer=9))
        for sequence in range(300):
            partition.append(batch(sequence, size=10_000))
        assert len(segment_bases(tmp_path)) > 2
        if how == "other":
            assert other.append_batch(batch(299, size=10_000)) == Appended(300, None, is_duplicate=True)
            with pytest.raises(OutOfOrderSequence):
                other.append(batch(301))
            return
        if how == "reopened":
            partition.mark_clean()
            assert snapshots(tmp_path) == [*segment_bases(tmp_path)[1:], 301]
    if how == "restarted":
        forget_state(tmp_path)
    for path in tmp_path.glob("*.snapshot"):
        if how == "no snapshot":
            path.unlink()
        elif how == "bad snapshot":
            path.write_bytes(path.read_bytes()[:-1])
    with opened(tmp_path, **settings) as partition:
        assert partition.append_batch(batch(299, size=10_000)) == Appended(300, None, is_duplicate=True)
        assert partition.append_batch(batch(0, producer=9)).is_duplicate
        with pytest.raises(OutOfOrderSequence):
            partition.append(batch(301))
        assert partition.append(batch(300)) == 301


def test_writers_in_turn_read_on_where_they_were(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    searches: list[int] = []

    def counted(log: OpenLog, offset: int, state: LogState) -> tuple[LogSegment, int]:
        searches.append(offset)
        return locate_in(log, offset, state)

    monkeypatch.setattr(numbering, "locate_in", counted)
    with opened(tmp_path, segment_bytes=5_000) as one, opened(tmp_path, segment_bytes=5_000) as two:
        for sequence in range(0, 60, 2):
            for writer, (partition, other) in enumerate(((one, two), (two, one))):
                sync = sequence % 3 == 0
                sent = batch(sequence, 2, producer=writer, size=200)
                where = partition.append_batch(sent, sync=sync)
                assert where == Appended(2 * sequence + 2 * writer, None)
                assert other.append_batch(sent, sync=sync) == where._replace(is_duplicate=True)
                with pytest.raises(OutOfOrderSequence):
                    other.append(batch(sequence + 4, producer=writer))
        rolls = len(segment_bases(tmp_path)) - 1
        assert rolls > 3
        # Once each to begin with, and once each for a segment that the other has begun.
        assert len(searches) <= 2 + 2 * rolls
        # A flush that fails takes a batch back: it is not there for this writer either.
        with monkeypatch.context() as patch:
            patch.setattr(LogSegment, "sync", failing)
            with pytest.raises(LogIOError):
                one.append(batch(60, producer=0), sync=True)
        assert two.append_batch(batch(60, producer=1)) == Appended(120, None)
        assert one.append_batch(batch(60, producer=0)) == Appended(121, None)
        assert [record.offset for record in read_all(one)] == list(range(122))


def failing(_: LogSegment) -> None:
    """As a flush on a disk that fails."""
    raise OSError(errno.EIO, "the disk failed")


def test_what_was_cut_is_not_a_duplicate(tmp_path: Path) -> None:
    with opened(tmp_path) as partition:
        partition.append(batch(0))
        partition.append(batch(1))
        partition.mark_clean()
    log = tmp_path / f"{0:020d}.log"
    log.write_bytes(log.read_bytes()[:-1])
    forget_state(tmp_path)
    with opened(tmp_path) as partition:
        assert snapshots(tmp_path) == []
        assert partition.append_batch(batch(1)) == Appended(1, None)


def test_damage_does_not_stop_a_writer(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with opened(tmp_path) as partition, opened(tmp_path) as other:
        for sequence in range(3):
            partition.append(batch(sequence))
        log = tmp_path / f"{0:020d}.log"
        data = bytearray(log.read_bytes())
        data[read_header(bytes(data)).size + 16] = 9  # the second batch is of no version
        log.write_bytes(data)
        assert other.append(batch(0, producer=8)) == 3
        assert "before the damage is forgotten" in caplog.text


def test_what_others_wrote_is_known_though_it_was_deleted_meanwhile(tmp_path: Path) -> None:
    with opened(tmp_path, retention_ms=0) as partition, opened(tmp_path) as other:
        other.append(batch(0))
        partition.append(batch(1))
        assert delete_old_segments(partition, NOW + 1) == 1
        with pytest.raises(OutOfOrderSequence, match="3, where 2 is due"):
            other.append(batch(3))
        assert other.append(batch(2)) == 2


# ---------------------------------------------------------------- the snapshot


def test_a_snapshot_byte_by_byte() -> None:
    states = ProducerStates()
    assert states.to_bytes() == bytes.fromhex("000148674bc700000000")  # as a real broker wrote it
    header = read_header(batch(5, 3, producer=77, epoch=2))
    states.apply(header._replace(base_offset=100))
    entry = struct.pack(">qhiqiqiq", 77, 2, 7, 102, 2, NOW, -1, -1)
    body = struct.pack(">i", 1) + entry
    assert states.to_bytes() == struct.pack(">hI", 1, crc32c(body)) + body
    again = ProducerStates.from_bytes(states.to_bytes(), 103)
    assert again.to_bytes() == states.to_bytes()
    assert again.find_duplicate(header) is not None
    for at in range(len(states.to_bytes())):
        data = bytearray(states.to_bytes())
        data[at] ^= 1
        with pytest.raises(CorruptLog):
            ProducerStates.from_bytes(bytes(data), 103)
    with pytest.raises(CorruptLog):
        ProducerStates.from_bytes(b"\0\1", 0)


def test_who_wrote_nothing_for_a_day_is_forgotten() -> None:
    states = ProducerStates()
    for offset, (producer, timestamp) in enumerate([(1, NOW), (2, NOW + 1), (3, NOW + DAY)]):
        header = read_header(batch(0, producer=producer, timestamp=timestamp))
        states.apply(header._replace(base_offset=offset))
    assert states.to_bytes()[6:10] == struct.pack(">i", 2)
    kept = ProducerStates.from_bytes(states.to_bytes(), 3)
    assert kept.find_duplicate(read_header(batch(0, producer=1))) is None
    assert kept.find_duplicate(read_header(batch(0, producer=2))) is not None


# ---------------------------------------------------------------- the producer


def test_a_write_that_was_interrupted_is_settled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    append = Partition.append_batch
    for is_there in (True, False):
        with FileBroker(tmp_path / str(is_there)) as broker, broker.producer(linger=3600) as producer:
            broker.admin.create_topic("t")
            interrupts = [KeyboardInterrupt()]

            def interrupted(
                partition: Partition,
                data: bytes,
                *,
                sync: bool = False,
                interrupts: list[KeyboardInterrupt] = interrupts,
                is_there: bool = is_there,
            ) -> Appended:
                if not interrupts or is_there:
                    appended = append(partition, data, sync=sync)
                if interrupts:
                    raise interrupts.pop()
                return appended

            sent = producer.send("t", b"v")
            with monkeypatch.context() as patch:
                patch.setattr(Partition, "append_batch", interrupted)
                with pytest.raises(KeyboardInterrupt):
                    producer.flush()
            assert sent.result(0).offset == 0
            assert producer.send("t", b"w").done() is False
            producer.flush()
            with broker.consumer("t") as consumer:
                assert [record.value for record in consumer.poll()] == [b"v", b"w"]


def test_a_producer_goes_on_after_a_write_that_failed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise OSError(5, "Input/output error")

    with FileBroker(tmp_path) as broker, broker.producer(linger=0) as producer:
        broker.admin.create_topic("t")
        producer.send("t", b"a").result()
        with monkeypatch.context() as patch:
            patch.setattr(LogSegment, "write", broken)
            with pytest.raises(LogIOError):
                producer.send("t", b"lost").result()
        with pytest.raises(LogIOError):
            producer.flush()
        assert producer.send("t", b"b").result().offset == 1
        records = read_all(broker.partition(TopicPartition("t", 0)))
        assert [record.value for record in records] == [b"a", b"b"]


def test_two_producers_of_two_brokers(tmp_path: Path) -> None:
    with connect(f"file:{tmp_path}") as one, connect(f"file:{tmp_path}") as two:
        one.admin.create_topic("t")
        with one.producer(linger=0) as a, one.producer(linger=0) as b, two.producer(linger=0) as c:
            for n in range(30):
                for producer in (a, b, c):
                    producer.send("t", b"%d" % n)
        with one.consumer("t") as consumer:
            records = consumer.poll()
        assert [record.value for record in records] == [b"%d" % n for n in range(30) for _ in range(3)]
