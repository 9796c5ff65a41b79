"""A log that was damaged on the disk: an error that says where, and by choice the rest of it."""

import random
from pathlib import Path

import pytest

from broker_adapter import connect
from broker_adapter.broker import TopicPartition
from broker_adapter.errors import CorruptBatch, InvalidConfig
from broker_adapter.filelog.batch import HEADER_SIZE
from broker_adapter.filelog.reader import LogReader
from broker_adapter.filelog.segment import segment_bases
from tests.broker_adapter.logs import batch_of, opened, read_all

MIB = 1 << 20
RECORDS = 3_000
BATCH = 10


@pytest.fixture
def whole(tmp_path: Path) -> Path:
    """A log of several segments."""
    directory = tmp_path / "t-0"
    with opened(directory, segment_bytes=MIB) as partition:
        for start in range(0, RECORDS, BATCH):
            partition.append(batch_of(BATCH, size=1000, start=start))
    assert len(segment_bases(directory)) > 2
    return directory


def overwrite(directory: Path, base: int, at: int, data: bytes | None = None) -> None:
    """Put `data` at byte `at` of a segment; or flip one bit there."""
    log = directory / f"{base:020d}.log"
    with log.open("r+b") as file:
        file.seek(at)
        if data is None:
            data = bytes([file.read(1)[0] ^ 0x10])
            file.seek(at)
        file.write(data)


def read_what_is_sound(directory: Path, offset: int = 0, max_bytes: int = MIB) -> list[int]:
    """The offsets that a reader finds that passes over damage, which must have their own records."""
    with opened(directory, segment_bytes=MIB) as partition:
        reader = LogReader(partition, offset, skips_damage=True)
        offsets = []
        while records := reader.read(max_bytes):
            assert all(record.key == b"%d" % record.offset for record in records)
            offsets += [record.offset for record in records]
        assert reader.offset == RECORDS
        return offsets


@pytest.mark.parametrize("place", [0, 3, 7, 8, 11, 16, 20, 25, 30, 50, 60, 61, 500, 5000])
@pytest.mark.parametrize("segment", [0, 1, -1])
def test_one_flipped_bit_costs_its_batch(
    whole: Path, place: int, segment: int, caplog: pytest.LogCaptureFixture
) -> None:
    base = segment_bases(whole)[segment]
    with opened(whole) as partition:
        start, _ = partition.segment(base, partition.state()).locate(base + 25, 1 << 30) or (0, None)
    overwrite(whole, base, start + place)
    lost = range(base + 20, base + 30)
    with opened(whole) as partition, pytest.raises(CorruptBatch, match=rf"offset {base + 20} of t-0"):
        read_all(partition, base)
    expected = [n for n in range(RECORDS) if n not in lost]
    assert read_what_is_sound(whole) == expected
    assert read_what_is_sound(whole, max_bytes=1) == expected
    assert f"offsets {base + 20} to {base + 29} were passed over" in caplog.text
    assert read_what_is_sound(whole, base + 24) == list(range(base + 30, RECORDS))


def test_stretches_of_nothing_and_of_noise(whole: Path) -> None:
    choose = random.Random(1)
    bases = segment_bases(whole)
    overwrite(whole, bases[0], 40_000, bytes(30_000))
    overwrite(whole, bases[1], 0, choose.randbytes(100_000))
    overwrite(whole, bases[-1], 100_000, b"\x02" * 50_000)
    offsets = read_what_is_sound(whole)
    assert offsets == sorted(set(offsets))
    assert offsets[:30] == list(range(30))
    assert RECORDS - len(offsets) < 300
    assert set(offsets) >= set(range(bases[-1] + 160, RECORDS))


def test_a_segment_of_nothing(whole: Path) -> None:
    bases = segment_bases(whole)
    size = (whole / f"{bases[1]:020d}.log").stat().st_size
    overwrite(whole, bases[1], 0, bytes(size))
    assert read_what_is_sound(whole) == [*range(bases[1]), *range(bases[2], RECORDS)]
    assert read_what_is_sound(whole, bases[1] + 7) == list(range(bases[2], RECORDS))


def test_the_end_of_the_log_is_damaged(whole: Path) -> None:
    base = segment_bases(whole)[-1]
    size = (whole / f"{base:020d}.log").stat().st_size
    overwrite(whole, base, size - 5)
    assert read_what_is_sound(whole) == list(range(RECORDS - BATCH))


def test_a_consumer_passes_over_damage_if_its_broker_is_told_to(tmp_path: Path) -> None:
    with connect(f"file:{tmp_path}") as broker:
        broker.admin.create_topic("t")
        for value in (b"a", b"b", b"c"):
            with broker.producer() as producer:
                producer.send("t", value)
    log = tmp_path / "t-0" / f"{0:020d}.log"
    data = bytearray(log.read_bytes())
    data[data.index(b"b", len(data) // 3 + HEADER_SIZE)] ^= 1
    log.write_bytes(data)
    with connect(f"file:{tmp_path}") as broker, broker.consumer("t") as consumer:
        assert [record.value for record in consumer.poll()] == [b"a"]
        with pytest.raises(CorruptBatch, match=r'offset 1 .* or connect with "\?damaged=skip"'):
            consumer.poll()
        consumer.seek(TopicPartition("t", 0), 2)
        assert [record.value for record in consumer.poll()] == [b"c"]
    with connect(f"file:{tmp_path}?damaged=skip") as broker, broker.consumer("t") as consumer:
        assert [record.offset for record in consumer.poll()] == [0, 2]
    with pytest.raises(InvalidConfig, match="raise, skip"):
        connect(f"file:{tmp_path}?damaged=repair")
