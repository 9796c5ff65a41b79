"""Compaction keeps the last record of each key, where it was, whatever dies on the way."""

import os
import random
import shutil
import threading
from pathlib import Path
from typing import NoReturn

import pytest

from broker_adapter.broker import RawRecord, TimestampType
from broker_adapter.errors import Closed, CorruptBatch, InvalidRecord, LogIOError
from broker_adapter.filelog import compaction
from broker_adapter.filelog.batch import HEADER_SIZE, NewRecord, decode_batch, encode_batch, read_header
from broker_adapter.filelog.broker import FileBroker
from broker_adapter.filelog.checkpoints import CLEANER, Checkpoints
from broker_adapter.filelog.cleaner import clean
from broker_adapter.filelog.compaction import compact
from broker_adapter.filelog.compression import Codec
from broker_adapter.filelog.partition import Partition
from broker_adapter.filelog.reader import LogReader
from broker_adapter.filelog.segment import segment_bases
from tests.broker_adapter.logs import NAME, NOW, forget_state, opened, read_all

MIB = 1 << 20
COMPACT = {"cleanup_policy": "compact", "segment_bytes": MIB, "delete_retention_ms": 1000}


def fill(
    partition: Partition, *, keys: int, batches: int, seed: int = 0, tombstones: bool = True, start: int = 0
) -> None:
    """Append batches of 20 records of up to 1 kB, of all codecs, to few keys."""
    choose = random.Random(seed)
    for n in range(start, start + batches):
        records: list[NewRecord] = [
            (
                NOW + n * 20 + m,
                b"k%d" % choose.randrange(keys),
                None if tombstones and choose.random() < 0.2 else choose.randbytes(choose.randrange(1000)),
                (("h", b"x"),) if m % 3 == 0 else (),
            )
            for m in range(20)
        ]
        partition.append(encode_batch(records, Codec(n % len(Codec))))


def last_of_keys(records: list[RawRecord]) -> dict[bytes, RawRecord]:
    """The last record of each key."""
    return {record.key: record for record in records if record.key is not None}


def check_compacted(partition: Partition, before: list[RawRecord], *, tombstones: bool) -> list[RawRecord]:
    """What is left is what was, in place and order, and all that a key's last record says."""
    after = read_all(partition)
    originals = {record.offset: record for record in before}
    assert after == [originals[record.offset] for record in after]
    assert [r.offset for r in after] == sorted({r.offset for r in after})
    wanted = last_of_keys(before)
    if not tombstones:
        closed_until = partition.state().active_base
        wanted = {
            key: record
            for key, record in wanted.items()
            if record.value is not None or record.offset >= closed_until
        }
    found = last_of_keys(after)
    assert {key: found.get(key) for key in wanted} == wanted
    assert all(record.value is None for key, record in found.items() if key not in wanted)
    active = partition.state().active_base
    closed = [record for record in after if record.offset < active]
    keys = [record.key for record in closed]
    assert len(keys) == len(set(keys)), "a key has two records in the closed segments"
    return after


def check_places(partition: Partition, records: list[RawRecord]) -> None:
    """Every record is found by its offset, and after it the log goes on; by time, too."""
    for at in range(0, len(records), max(len(records) // 40, 1)):
        reader = LogReader(partition, records[at].offset)
        assert reader.read(1)[0] == records[at]
        found = partition.offset_for_timestamp(records[at].timestamp)
        assert found == next(r.offset for r in records if r.timestamp >= records[at].timestamp)


def test_the_last_record_of_each_key_is_kept(tmp_path: Path) -> None:
    with opened(tmp_path, **COMPACT) as partition:
        fill(partition, keys=300, batches=600)
        before = read_all(partition)
        bases = segment_bases(tmp_path)
        assert len(bases) > 4
        assert compact(partition, NOW) > 0
        after = check_compacted(partition, before, tombstones=True)
        assert len(after) < len(before) / 3
        check_places(partition, after)
        assert Checkpoints(tmp_path).get(CLEANER, NAME) == bases[-1]
        assert compact(partition, NOW) == 0  # nothing is dirty
        # Tombstones are there until their time has come.
        assert compact(partition, NOW + 999, force=True) >= 0
        assert read_all(partition) == after
        assert compact(partition, NOW + 1000, force=True) > 0
        assert len(segment_bases(tmp_path)) < len(bases)  # small neighbours have become one
        later = check_compacted(partition, before, tombstones=False)
        check_places(partition, later)
        assert not [r for r in later if r.value is None and r.offset < bases[-1]]
        fill(partition, keys=300, batches=300, seed=1, start=600)
        before = later + read_all(partition, later[-1].offset + 1)
        assert compact(partition, NOW + 2000) > 0
        after = check_compacted(partition, before, tombstones=False)
    forget_state(tmp_path)
    with opened(tmp_path, **COMPACT) as partition:
        assert read_all(partition) == after
        for base in partition.bases(partition.state()):
            segment = partition.segment(base, partition.state())
            assert segment.indexes_are_sound(partition.limit(segment, partition.state()), 4096)


def test_more_keys_than_are_remembered_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compaction, "MOST_KEYS", 50)
    with opened(tmp_path, **COMPACT) as partition:
        fill(partition, keys=400, batches=500)
        before = read_all(partition)
        compact(partition, NOW, force=True)
        check_compacted(partition, before, tombstones=True)


def test_when_it_is_worth_it(tmp_path: Path) -> None:
    with opened(tmp_path, **COMPACT, min_cleanable_dirty_ratio=0.9) as partition:
        fill(partition, keys=2000, batches=500, tombstones=False)
        assert compact(partition, NOW) > 0
        end = partition.state().active_base
        fill(partition, keys=2000, batches=200, start=500, tombstones=False)
        assert compact(partition, NOW) == 0
        assert Checkpoints(tmp_path).get(CLEANER, NAME) == end
        assert compact(partition, NOW, force=True) > 0


def test_young_records_are_left_alone(tmp_path: Path) -> None:
    with opened(tmp_path, **COMPACT, min_compaction_lag_ms=5000) as partition:
        fill(partition, keys=10, batches=500)
        assert compact(partition, NOW + 4999) == 0
        assert compact(partition, NOW + 10_000_000) > 0


def test_what_has_waited_too_long_is_compacted_however_little_it_is(tmp_path: Path) -> None:
    lag = 5_000
    with opened(tmp_path, **COMPACT, max_compaction_lag_ms=lag, min_cleanable_dirty_ratio=1.0) as partition:
        fill(partition, keys=10, batches=500)
        first = NOW + 19  # the newest record of the first batch
        assert compact(partition, first + lag) == 0
        before = read_all(partition)
        assert compact(partition, first + lag + 1) > 0
        check_compacted(partition, before, tombstones=True)
        # What was compacted is not dirty any more, and so has no age.
        active = partition.state().active_base
        assert Checkpoints(tmp_path).get(CLEANER, NAME) == active
        assert compact(partition, NOW + 500 * 20 + lag - 20_000) == 0
        assert partition.state().active_base == active
        # Nobody writes any more: the segment that was written to is closed for it, once.
        end = partition.state().log_end_offset
        late = NOW + 10_000_000
        compact(partition, late)
        assert partition.state().active_base == end == Checkpoints(tmp_path).get(CLEANER, NAME)
        assert len(last_of_keys(read_all(partition))) == len(read_all(partition)) == 10
        compact(partition, late)
        assert segment_bases(tmp_path)[-1] == end


def test_a_topic_that_is_not_compacted(tmp_path: Path) -> None:
    with opened(tmp_path, segment_bytes=MIB) as partition:
        fill(partition, keys=10, batches=300)
        assert compact(partition, NOW, force=True) == 0


def test_a_compacted_topic_refuses_records_without_keys(tmp_path: Path) -> None:
    with FileBroker(tmp_path) as broker:
        broker.admin.create_topic("t", 1, {"cleanup.policy": "compact"})
        with broker.producer() as producer:
            with pytest.raises(InvalidRecord, match="give it one"):
                producer.send("t", b"v")
            producer.send("t", b"v", key=b"")


def test_append_time_and_producers_are_kept(tmp_path: Path) -> None:
    with opened(tmp_path, **COMPACT, message_timestamp_type="LogAppendTime") as partition:
        fill(partition, keys=5, batches=300)
        before = read_all(partition)
        compact(partition, before[-1].timestamp, force=True)
        after = read_all(partition)
        assert len(after) < len(before) / 2
        assert {r.timestamp_type for r in after} == {TimestampType.LOG_APPEND_TIME}
        originals = {r.offset: r for r in before}
        assert after == [originals[r.offset] for r in after]


def test_the_last_batch_of_a_producer_is_kept_though_it_is_empty(tmp_path: Path) -> None:
    def batch(key: bytes, producer: int, sequence: int) -> bytes:
        return encode_batch([(NOW, key, b"v" * 100_000, ())], producer=(producer, 0, sequence))

    with opened(tmp_path, **COMPACT) as partition:
        for sequence in range(5):
            partition.append(batch(b"k", 7, sequence))
        for sequence in range(12):
            partition.append(batch(b"k", 8, sequence))
        compact(partition, NOW, force=True)
        data = (tmp_path / f"{0:020d}.log").read_bytes()
        header = read_header(data)
        assert (header.size, header.records_count) == (HEADER_SIZE, 0)
        assert (header.base_offset, header.producer_id, header.base_sequence) == (4, 7, 4)
        assert decode_batch(data) == []
        assert [r.offset for r in read_all(partition)] == [9, *range(10, 17)]


def test_a_reader_and_another_process_go_on_over_a_compaction(tmp_path: Path) -> None:
    with opened(tmp_path, **COMPACT) as partition, opened(tmp_path, **COMPACT) as other:
        fill(partition, keys=50, batches=500)
        before = read_all(other)
        place = LogReader(other, 0)
        start = place.read(5_000)
        compact(partition, NOW, force=True)
        rest = []
        while records := place.read(50_000):
            rest += records
        offsets = [r.offset for r in start + rest]
        assert offsets == sorted(set(offsets))
        assert last_of_keys(start + rest) == last_of_keys(before)
        check_compacted(other, before, tombstones=True)


def test_readers_read_and_a_writer_writes_meanwhile(tmp_path: Path) -> None:
    is_over = threading.Event()
    failures: list[BaseException] = []
    ends = []

    def read(seed: int) -> None:
        choose = random.Random(seed)
        try:
            with opened(tmp_path, **COMPACT) as partition:
                while not is_over.is_set():
                    end = partition.state().log_end_offset
                    reader = LogReader(partition, choose.randrange(end))
                    offset = -1
                    while reader.offset < end:
                        for record in reader.read(300_000):
                            assert record.offset > offset
                            offset = record.offset
                    ends.append(end)
        except BaseException as error:  # noqa: BLE001 - told by the main thread
            failures.append(error)

    with opened(tmp_path, **COMPACT) as partition:
        fill(partition, keys=100, batches=1)
        readers = [threading.Thread(target=read, args=(n,)) for n in range(2)]
        for each in readers:
            each.start()
        written: list[RawRecord] = []
        for n in range(12):
            fill(partition, keys=100, batches=60, seed=n, start=60 * n)
            written += read_all(partition, written[-1].offset + 1 if written else 0)
            clean(partition, NOW, force=True)
        is_over.set()
        for each in readers:
            each.join()
        assert not failures, failures
        assert ends
        check_compacted(partition, written, tombstones=True)


class Killed(BaseException):
    """Stands for SIGKILL: nothing catches it."""


def test_it_may_die_at_any_renaming_and_unlinking(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = tmp_path / "whole"
    with opened(whole, **COMPACT) as partition:
        fill(partition, keys=50, batches=450)
        before = read_all(partition)
    deaths = 0
    for steps in range(1000):
        copy = tmp_path / "copy"
        shutil.rmtree(copy, ignore_errors=True)
        shutil.copytree(whole, copy)
        left = steps
        with opened(copy, **COMPACT) as partition, opened(copy, **COMPACT) as other:
            place = LogReader(other, 0)
            first = place.read(1)
            with monkeypatch.context() as patch:
                for name in ("rename", "replace", "unlink"):
                    real = getattr(os, name)

                    def counted(*arguments: object, real: object = real, **more: object) -> object:
                        nonlocal left
                        if left == 0:
                            raise Killed
                        left -= 1
                        return real(*arguments, **more)  # type: ignore[operator]

                    patch.setattr(os, name, counted)
                try:
                    compact(partition, NOW, force=True)
                except Killed:
                    deaths += 1
            if steps % 2:  # another process that has the log open goes on
                rest = first
                while records := place.read(200_000):
                    rest = rest + records
                assert last_of_keys(rest) == last_of_keys(before)
                assert last_of_keys(read_all(other)) == last_of_keys(before)
        if steps % 3 == 0:
            forget_state(copy)
        with opened(copy, **COMPACT) as partition:  # or one that opens it anew
            assert last_of_keys(read_all(partition)) == last_of_keys(before)
            compact(partition, NOW, force=True)
            check_compacted(partition, before, tombstones=True)
        assert not [p.name for p in copy.iterdir() if p.suffix in {".cleaned", ".swap", ".deleted"}]
        if left:
            break
    assert deaths > 10


def test_a_damaged_segment_is_not_compacted(tmp_path: Path) -> None:
    with opened(tmp_path, **COMPACT) as partition:
        fill(partition, keys=10, batches=300)
        names = sorted(path.name for path in tmp_path.iterdir())
        log = tmp_path / f"{0:020d}.log"
        data = bytearray(log.read_bytes())
        data[500_000] ^= 1
        log.write_bytes(data)
        with pytest.raises(CorruptBatch):
            compact(partition, NOW, force=True)
        assert log.read_bytes() == data
        assert sorted(path.name for path in tmp_path.iterdir()) == names


def test_a_full_disk_leaves_the_log_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> NoReturn:
        raise OSError(28, "No space left on device")

    with opened(tmp_path, **COMPACT) as partition:
        fill(partition, keys=10, batches=300)
        before = read_all(partition)
        names = sorted(path.name for path in tmp_path.iterdir())
        with monkeypatch.context() as patch:
            patch.setattr("broker_adapter.filelog.segment.pwrite_all", full)
            with pytest.raises(LogIOError, match="could not compact"):
                compact(partition, NOW, force=True)
        assert sorted(path.name for path in tmp_path.iterdir()) == names
        assert last_of_keys(read_all(partition)) == last_of_keys(before)
        assert compact(partition, NOW, force=True) > 0
        check_compacted(partition, before, tombstones=True)


def test_a_compaction_ends_when_its_broker_is_closed(tmp_path: Path) -> None:
    with opened(tmp_path, **COMPACT) as partition:
        fill(partition, keys=10, batches=300)
        names = sorted(path.name for path in tmp_path.iterdir())
        partition.is_closing = True
        with pytest.raises(Closed, match="left to others"):
            compact(partition, NOW, force=True)
        assert sorted(path.name for path in tmp_path.iterdir()) == names
