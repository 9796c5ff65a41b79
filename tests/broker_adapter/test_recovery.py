"""Opening a log that a crash, a full disk or somebody's hand has left in disorder."""

import logging
import os
import random
from pathlib import Path

import pytest

from broker_adapter.filelog import state as published
from broker_adapter.filelog.batch import read_header
from broker_adapter.filelog.recovery import recover
from broker_adapter.filelog.segment import LogSegment, Scan, segment_bases
from tests.broker_adapter.logs import NOW, batch_of, forget_state, opened, read_all

MIB = 1 << 20
LOG = f"{0:020d}.log"
INDEX = f"{0:020d}.index"
TIME_INDEX = f"{0:020d}.timeindex"


def fill(directory: Path, count: int, *, batch: int = 100, size: int = 100) -> None:
    """Append `count` records, each batch a millisecond later than the one before."""
    with opened(directory, segment_bytes=MIB) as partition:
        for start in range(0, count, batch):
            partition.append(batch_of(batch, size=size, start=start, timestamp=NOW + start // batch))


def check(directory: Path, count: int) -> None:
    """The log has exactly `count` records, is found by offset and time, and goes on."""
    with opened(directory, segment_bytes=MIB) as partition:
        now = partition.state()
        assert [record.key for record in read_all(partition)] == [b"%d" % n for n in range(count)]
        assert now.log_end_offset == count
        for offset in range(0, count, 997):
            assert read_all(partition, offset, max_bytes=1)[0].offset == offset
            assert partition.offset_for_timestamp(NOW + offset // 100) == offset // 100 * 100
        for base in partition.bases(now):
            segment = partition.segment(base, now)
            assert segment.indexes_are_sound(partition.limit(segment, now), 4096)
        assert partition.append(batch_of(1, start=count, timestamp=NOW + count)) == count
        assert read_all(partition, count)[0].key == b"%d" % count


@pytest.mark.parametrize("is_restarted", [False, True])
def test_a_torn_tail_at_every_byte(tmp_path: Path, is_restarted: bool) -> None:
    with opened(tmp_path) as partition:
        partition.append(batch_of(3))
        partition.append(batch_of(2, start=3))
    whole, state = (tmp_path / LOG).read_bytes(), (tmp_path / ".state").read_bytes()
    first = read_header(whole).size
    for size in range(first, len(whole)):
        (tmp_path / LOG).write_bytes(whole[:size])
        (tmp_path / ".state").write_bytes(state)
        if is_restarted:
            forget_state(tmp_path)
        check(tmp_path, 3)
        assert (tmp_path / LOG).read_bytes()[:first] == whole[:first]


@pytest.mark.parametrize(
    "tail", [b"\0", b"\0" * 100, b"garbage" * 50, bytes(8) + b"\x7f\xff\xff\xff" + bytes(60)]
)
@pytest.mark.parametrize("is_restarted", [False, True])
def test_garbage_after_the_last_batch(tmp_path: Path, tail: bytes, is_restarted: bool) -> None:
    fill(tmp_path, 300)
    with (tmp_path / LOG).open("ab") as log:
        log.write(tail)
    if is_restarted:
        forget_state(tmp_path)
    check(tmp_path, 300)


def test_a_dead_writers_unpublished_batch_is_not_seen_and_is_overwritten(tmp_path: Path) -> None:
    # The batch is whole and sound, but its writer died before publishing it: nobody was told of it.
    fill(tmp_path, 300)
    with opened(tmp_path) as partition:
        with (tmp_path / LOG).open("ab") as log:
            log.write((300).to_bytes(8, "big") + batch_of(5)[8:])
        assert len(read_all(partition)) == 300
        assert partition.append(batch_of(1, start=300)) == 300
        assert read_all(partition, 300)[0].key == b"300"


def test_a_segment_that_was_made_and_not_published(tmp_path: Path) -> None:
    fill(tmp_path, 300)
    for suffix in ("log", "index", "timeindex"):
        (tmp_path / f"{300:020d}.{suffix}").write_bytes(b"left over")
    check(tmp_path, 300)
    assert segment_bases(tmp_path) == [0]


def test_an_empty_last_segment(tmp_path: Path) -> None:
    fill(tmp_path, 300)
    (tmp_path / f"{300:020d}.log").touch()
    forget_state(tmp_path)
    check(tmp_path, 300)
    assert segment_bases(tmp_path) == [0, 300]


def test_an_empty_directory_and_an_empty_segment(tmp_path: Path) -> None:
    check(tmp_path / "a", 0)
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / LOG).touch()
    check(tmp_path / "b", 0)


@pytest.mark.parametrize("is_restarted", [False, True])
@pytest.mark.parametrize("what", ["missing", "empty", "half", "uneven", "garbage", "zeros"])
@pytest.mark.parametrize("names", [[INDEX], [TIME_INDEX], [INDEX, TIME_INDEX]])
def test_index_files_that_are_missing_or_wrong(
    tmp_path: Path, is_restarted: bool, what: str, names: list[str]
) -> None:
    fill(tmp_path, 20_000)
    assert len(segment_bases(tmp_path)) > 1
    for name in names:
        path = tmp_path / name
        good = path.read_bytes()
        assert good
        wrong = {
            "empty": b"",
            "half": good[: len(good) // 24 * 12],
            "uneven": good[:-3],
            "garbage": random.Random(7).randbytes(len(good)),
            "zeros": bytes(len(good)),
        }
        path.unlink()
        if what != "missing":
            path.write_bytes(wrong[what])
    if is_restarted:
        forget_state(tmp_path)
    check(tmp_path, 20_000)


def test_an_index_that_is_wrong_in_the_middle_leads_nowhere_wrong(tmp_path: Path) -> None:
    # Its last entry is right, so opening finds nothing: each use checks the entry against the log.
    fill(tmp_path, 20_000)
    for name, width in ((INDEX, 8), (TIME_INDEX, 12)):
        path = tmp_path / name
        entries = bytearray(path.read_bytes())
        for at in range(width * 2, len(entries) - width * 2, width * 3):
            entries[at + width - 5] ^= 0x15
            entries[at + width - 2] ^= 0x15
        path.write_bytes(entries)
    check(tmp_path, 20_000)


def test_indexes_that_kafka_preallocated(tmp_path: Path) -> None:
    fill(tmp_path, 5_000)
    for name in (INDEX, TIME_INDEX):
        os.truncate(tmp_path / name, 10 * MIB // 12 * 12)
    check(tmp_path, 5_000)


def test_recovery_rebuilds_the_indexes_to_the_byte(tmp_path: Path) -> None:
    fill(tmp_path, 20_000)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir() if path.name.endswith("index")}
    for name in before:
        (tmp_path / name).unlink()
    recovered = recover(tmp_path, 4096)
    after = {path.name: path.read_bytes() for path in tmp_path.iterdir() if path.name.endswith("index")}
    # Like Kafka's, a recovery ends a time index with the largest time, which an active one need not have yet.
    active = f"{recovered.active_base:020d}.timeindex"
    assert after[active].startswith(before.pop(active))
    del after[active]
    assert after == before


def test_damage_before_the_last_segment_sets_the_later_ones_aside(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    fill(tmp_path, 40_000)
    bases = segment_bases(tmp_path)
    second = tmp_path / f"{bases[1]:020d}.log"
    whole = second.read_bytes()
    size = read_header(whole).size
    second.write_bytes(whole[: size + 100] + b"?" + whole[size + 101 :])
    later = {base: (tmp_path / f"{base:020d}.log").read_bytes() for base in bases[2:]}
    forget_state(tmp_path)
    with caplog.at_level(logging.WARNING):
        check(tmp_path, bases[1] + 100)
    assert f"after offset {bases[1] + 99}" in caplog.text
    assert segment_bases(tmp_path) == bases[:2]
    # Nothing that was there is gone.
    assert (tmp_path / f"{second.name}.cut-{size}").read_bytes() == whole[size : size + 100] + b"?" + whole[
        size + 101 :
    ]
    for base, data in later.items():
        assert (tmp_path / f"{base:020d}.log.cut").read_bytes() == data


def test_the_state_of_another_boot_is_not_trusted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(tmp_path, 300)
    whole = (tmp_path / LOG).read_bytes()
    # The machine went down before the last batch's bytes reached the disk, though the file had grown.
    last = len(whole) - read_header(whole).size
    (tmp_path / LOG).write_bytes(whole[:last] + bytes(len(whole) - last))
    monkeypatch.setattr("broker_adapter.filelog.state.BOOT_ID", 12345)
    with opened(tmp_path) as partition:
        assert partition.state().log_end_offset == 200
    check(tmp_path, 200)


@pytest.mark.parametrize("at", [0, 8, 16, 64, 100, 128, 160])
def test_a_state_page_with_garbage(tmp_path: Path, at: int) -> None:
    fill(tmp_path, 300)
    page = bytearray((tmp_path / ".state").read_bytes())
    page[at : at + 4] = b"????"
    (tmp_path / ".state").write_bytes(page)
    check(tmp_path, 300)


@pytest.mark.parametrize("size", [0, 1, 100, 4095])
def test_a_state_page_that_is_short(tmp_path: Path, size: int) -> None:
    fill(tmp_path, 300)
    os.truncate(tmp_path / ".state", size)
    check(tmp_path, 300)


# ---------------------------------------------------------------- the recovery point, and Kafka


def checked_segments(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The bases of the segments whose checksums are tested from now on."""
    checked: list[int] = []
    scan = LogSegment.scan

    def noted(segment: LogSegment, limit: int, interval: int, *, check: bool) -> Scan:
        if check:
            checked.append(segment.base_offset)
        return scan(segment, limit, interval, check=check)

    monkeypatch.setattr(LogSegment, "scan", noted)
    return checked


def test_recovery_begins_at_the_recovery_point(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(tmp_path, 40_000)
    bases = segment_bases(tmp_path)
    assert len(bases) > 3
    checked = checked_segments(monkeypatch)
    (tmp_path / ".state").unlink()
    check(tmp_path, 40_000)
    assert checked == bases[-1:]
    checked.clear()
    forget_state(tmp_path)
    check(tmp_path, 40_001)
    assert checked == bases


def test_after_a_clean_close_nothing_is_recovered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(tmp_path, 20_000)
    with opened(tmp_path, segment_bytes=MIB) as partition:
        partition.append(batch_of(1, start=20_000, timestamp=NOW + 200))
        partition.mark_clean()
    checked = checked_segments(monkeypatch)
    monkeypatch.setattr(published, "BOOT_ID", published.BOOT_ID ^ 1)  # the machine was started again
    with opened(tmp_path, segment_bytes=MIB) as partition:
        assert partition.state().log_end_offset == 20_001
        assert checked == []
        assert partition.append(batch_of(1, start=20_001)) == 20_001
    monkeypatch.setattr(published, "BOOT_ID", published.BOOT_ID ^ 2)
    with opened(tmp_path, segment_bytes=MIB) as partition:  # written since
        assert checked == segment_bases(tmp_path)[-1:]
        assert partition.state().log_end_offset == 20_002


def test_what_kafka_appended_meanwhile_is_no_dead_writers_tail(tmp_path: Path) -> None:
    fill(tmp_path, 300)
    with (tmp_path / LOG).open("ab") as log:
        log.write((300).to_bytes(8, "big") + batch_of(5, start=300)[8:])
    (tmp_path / "replication-offset-checkpoint").write_text("0\n1\nt 0 305\n")
    check(tmp_path, 305)
