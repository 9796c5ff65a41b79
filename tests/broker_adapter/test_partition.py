"""A partition: appending, rolling, and finding things again by offset and by time."""

from pathlib import Path

import pytest

from broker_adapter.errors import (
    CorruptBatch,
    CorruptLog,
    InvalidRecord,
    LogIOError,
    OffsetOutOfRange,
    RecordTooLarge,
)
from broker_adapter.filelog.batch import encode_batch, read_header
from broker_adapter.filelog.compression import Codec
from broker_adapter.filelog.reader import LogReader
from tests.broker_adapter.logs import NOW, batch_of, opened, read_all

MIB = 1 << 20


def test_a_new_partition_is_an_empty_log(tmp_path: Path) -> None:
    with opened(tmp_path) as partition:
        assert partition.state().log_end_offset == 0
        assert read_all(partition) == []
        assert partition.offset_for_timestamp(0) is None
        assert not partition.wait(0, 0)
    assert (tmp_path / f"{0:020d}.log").stat().st_size == 0


def test_offsets_are_given_in_order_and_batches_kept_as_they_came(tmp_path: Path) -> None:
    batches = [batch_of(3), batch_of(1, codec=Codec.ZSTD), batch_of(2)]
    with opened(tmp_path) as partition:
        assert [partition.append(batch) for batch in batches] == [0, 3, 4]
        assert partition.wait(5, 0)
        assert [record.offset for record in read_all(partition)] == [0, 1, 2, 3, 4, 5]
    log = (tmp_path / f"{0:020d}.log").read_bytes()
    assert len(log) == sum(map(len, batches))
    for batch, base in zip(batches, [0, 3, 4], strict=True):
        assert log[:8] == base.to_bytes(8, "big")
        assert log[8 : len(batch)] == batch[8:]
        log = log[len(batch) :]


def test_reopening_finds_all_and_goes_on(tmp_path: Path) -> None:
    for start in range(0, 50, 10):
        with opened(tmp_path) as partition:
            assert partition.append(batch_of(10, start=start)) == start
            keys = [record.key for record in read_all(partition)]
            assert keys == [b"%d" % n for n in range(start + 10)]


def test_segments_roll_by_size_and_are_read_as_one_log(tmp_path: Path) -> None:
    with opened(tmp_path, segment_bytes=MIB) as partition:
        for start in range(0, 40_000, 100):
            partition.append(batch_of(100, size=100, start=start))
        bases = partition.bases(partition.state())
        assert len(bases) > 3
        sizes = [(tmp_path / f"{base:020d}.log").stat().st_size for base in bases]
        assert all(MIB * 0.98 < size <= MIB for size in sizes[:-1])
        for max_bytes in (1, 70_000, 10 * MIB):
            records = read_all(partition, max_bytes=max_bytes)
            assert [record.offset for record in records] == list(range(40_000))
        for offset in [0, 1, 99, 100, *(b + d for b in bases[1:] for d in (-1, 0, 1)), 39_999]:
            assert read_all(partition, offset)[0].key == b"%d" % offset
    with opened(tmp_path, segment_bytes=MIB) as partition:
        assert [record.offset for record in read_all(partition)] == list(range(40_000))


def test_a_reader_follows_a_writer_over_rolls(tmp_path: Path) -> None:
    # Two openings stand for two processes: they share nothing but the files.
    with opened(tmp_path, segment_bytes=MIB) as writer, opened(tmp_path, segment_bytes=MIB) as other:
        reader = LogReader(other, 0)
        expected = 0
        for start in range(0, 3_000, 10):
            writer.append(batch_of(10, size=1000, start=start))
            for record in reader.read(MIB):
                assert record.offset == expected
                expected += 1
        assert expected == 3_000
        assert len(other.bases(other.state())) > 2


def test_two_openings_append_in_turn(tmp_path: Path) -> None:
    with opened(tmp_path, segment_bytes=MIB) as one, opened(tmp_path, segment_bytes=MIB) as two:
        for start in range(0, 3_000, 20):
            assert one.append(batch_of(10, size=1000, start=start)) == start
            assert two.append(batch_of(10, size=1000, start=start + 10)) == start + 10
        assert [record.key for record in read_all(one)] == [b"%d" % n for n in range(3_000)]
        for base in one.bases(one.state()):
            segment = one.segment(base, one.state())
            assert segment.indexes_are_sound(one.limit(segment, one.state()), 4096)


def test_segments_roll_by_age(tmp_path: Path) -> None:
    with opened(tmp_path, segment_ms=1000) as partition:
        for elapsed in (0, 1000, 1001, 900, 2001, 2002):
            partition.append(batch_of(1, timestamp=NOW + elapsed))
        assert partition.bases(partition.state()) == [0, 2, 5]


def test_an_append_must_be_one_sound_batch_of_a_producer(tmp_path: Path) -> None:
    good = batch_of(2)
    with opened(tmp_path, max_message_bytes=1000) as partition:
        with pytest.raises(CorruptBatch):
            partition.append(good[:-1])
        with pytest.raises(CorruptBatch):
            partition.append(good[:-1] + b"!")
        with pytest.raises(InvalidRecord, match="one batch"):
            partition.append(good + good)
        with pytest.raises(RecordTooLarge, match=r"max\.message\.bytes=1000"):
            partition.append(batch_of(1, size=1000))
        assert partition.state().log_end_offset == 0
        assert partition.append(good) == 0


def test_offsets_outside_the_log(tmp_path: Path) -> None:
    with opened(tmp_path) as partition:
        partition.append(batch_of(5))
        assert read_all(partition, 5) == []
        for offset in (-1, 6, 2**62):
            with pytest.raises(OffsetOutOfRange, match="0 to 5"):
                read_all(partition, offset)


def test_the_first_offset_of_a_time(tmp_path: Path) -> None:
    # Timestamps that mostly rise, with some that come late, over several segments.
    times = [NOW + n * 10 - (7_000 if n % 50 == 0 else 0) for n in range(3_000)]
    with opened(tmp_path, segment_bytes=MIB) as partition:
        for n in range(0, 3_000, 5):
            partition.append(encode_batch([(time, None, b"v" * 1000, ()) for time in times[n : n + 5]]))
        assert len(partition.bases(partition.state())) > 2
        for wanted in [0, NOW - 7_000, NOW, NOW + 1, NOW + 4_321, NOW + 14_999, NOW + 29_990]:
            expected = next(n for n, time in enumerate(times) if time >= wanted)
            assert partition.offset_for_timestamp(wanted) == expected
        assert partition.offset_for_timestamp(NOW + 29_991) is None


def test_a_flipped_bit_is_reported_with_its_place_and_the_rest_is_readable(tmp_path: Path) -> None:
    with opened(tmp_path) as partition:
        for start in range(10, 60, 10):
            partition.append(batch_of(10, start=start))
        path = tmp_path / f"{0:020d}.log"
        log = bytearray(path.read_bytes())
        size = read_header(bytes(log)).size
        log[2 * size + 100] ^= 4
        path.write_bytes(log)
        reader = LogReader(partition, 0)
        assert [record.offset for record in reader.read(MIB)] == list(range(20))
        for _ in range(2):
            with pytest.raises(CorruptBatch, match=rf"offset 20 of t-0 .* byte {2 * size}\b"):
                reader.read(MIB)
        assert [record.offset for record in read_all(partition, 30)] == list(range(30, 50))


@pytest.mark.parametrize("bit", [0, 1, 3, 6, 40, 62])
def test_a_flipped_bit_in_an_offset_is_seen_by_its_neighbours(tmp_path: Path, bit: int) -> None:
    with opened(tmp_path) as partition:
        for start in range(0, 300, 100):
            partition.append(batch_of(100, start=start))
        path = tmp_path / f"{0:020d}.log"
        log = bytearray(path.read_bytes())
        at = read_header(bytes(log)).size + 7 - bit // 8
        log[at] ^= 1 << bit % 8
        path.write_bytes(log)
        with pytest.raises(CorruptBatch):
            read_all(partition)


def test_a_log_that_something_cut_while_open(tmp_path: Path) -> None:
    with opened(tmp_path) as partition:
        partition.append(batch_of(10))
        path = tmp_path / f"{0:020d}.log"
        path.write_bytes(path.read_bytes()[:-1])
        with pytest.raises(CorruptLog, match="something cut it"):
            partition.append(batch_of(1))
        with pytest.raises(CorruptBatch):
            read_all(partition)
    with opened(tmp_path) as partition:
        assert partition.append(batch_of(1)) == 0


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    with opened(tmp_path / "a") as partition:
        partition.append(batch_of(1))
    with pytest.raises(LogIOError, match="was the folder moved"):
        type(partition)(tmp_path / "b", partition.name, partition.config)
