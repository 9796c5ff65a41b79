"""Batches that several threads want on the disk share a flush: each is there, or its sender hears why not."""

import errno
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import pytest

from broker_adapter.errors import LogIOError, OutOfOrderSequence
from broker_adapter.filelog.batch import encode_batch
from broker_adapter.filelog.partition import Appended, Partition
from broker_adapter.filelog.segment import LogSegment
from tests.broker_adapter.logs import NOW, batch_of, opened, read_all

THREADS = 8


def numbered(sequence: int, producer: int = 7) -> bytes:
    return encode_batch([(NOW, None, b"%d" % sequence, ())], producer=(producer, 0, sequence))


def appended_behind_one(
    partition: Partition,
    batches: list[bytes],
    monkeypatch: pytest.MonkeyPatch,
    then: Callable[[], None] = lambda: None,
) -> tuple[list[Future[Appended]], int]:
    """Append one batch, and all of `batches` while that one is being flushed; how many flushes there were.

    then: called in each later flush.
    """
    flush, flushes, all_wait = LogSegment.sync, [], threading.Event()

    def held(segment: LogSegment) -> None:
        flushes.append(segment)
        if len(flushes) == 1:
            all_wait.wait(60)
        else:
            then()
        flush(segment)

    monkeypatch.setattr(LogSegment, "sync", held)
    with ThreadPoolExecutor(1 + len(batches)) as pool:
        asked = [pool.submit(partition.append_batch, batch_of(1), sync=True)]
        while not flushes:
            time.sleep(0.001)
        for number, batch in enumerate(batches, 1):
            asked.append(pool.submit(partition.append_batch, batch, sync=True))
            while len(partition._appender.waiting) < number:  # so that they wait in this order
                time.sleep(0.001)
        all_wait.set()
    monkeypatch.setattr(LogSegment, "sync", flush)
    return asked, len(flushes)


def test_those_who_wait_share_the_next_flush(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with opened(tmp_path) as partition:
        batches = [batch_of(2, start=10 * n) for n in range(THREADS)]
        asked, flushes = appended_behind_one(partition, batches, monkeypatch)
        assert flushes == 2
        assert [each.result().base_offset for each in asked] == [0, *range(1, 2 * THREADS, 2)]
        assert [record.key for record in read_all(partition)][1:] == [
            b"%d" % (10 * n + k) for n in range(THREADS) for k in range(2)
        ]


def test_a_flush_that_fails_leaves_none_of_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> None:
        raise OSError(errno.EIO, "the disk failed")

    with opened(tmp_path) as partition:
        batches = [numbered(0, producer) for producer in range(THREADS)]
        asked, _ = appended_behind_one(partition, batches, monkeypatch, fail)
        assert asked[0].result() == Appended(0, None)
        for each in asked[1:]:
            with pytest.raises(LogIOError, match="the disk failed"):
                each.result()
        assert len(read_all(partition)) == 1
        for offset, batch in enumerate(batches, 1):  # nothing of them is taken for sent
            assert partition.append_batch(batch, sync=True) == Appended(offset, None)
        assert len(read_all(partition)) == 1 + THREADS


def test_who_is_refused_is_refused_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with opened(tmp_path) as partition:
        batches = [numbered(0), numbered(5), numbered(1), numbered(0)]
        asked, flushes = appended_behind_one(partition, batches, monkeypatch)
        assert flushes == 2
        with pytest.raises(OutOfOrderSequence):
            asked[2].result()
        assert [asked[n].result() for n in (0, 1, 3)] == [Appended(n, None) for n in range(3)]
        assert asked[4].result() == Appended(1, None, is_duplicate=True)
        assert [record.value for record in read_all(partition)][1:] == [b"0", b"1"]


def test_a_segment_that_is_full_ends_among_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with opened(tmp_path, segment_bytes=1000) as partition:
        batches = [batch_of(1, size=300, start=n) for n in range(THREADS)]
        asked, _ = appended_behind_one(partition, batches, monkeypatch)
        assert [each.result().base_offset for each in asked] == list(range(1 + THREADS))
        assert len(partition.bases(partition.state())) > 2
    with opened(tmp_path, segment_bytes=1000) as partition:
        assert [record.offset for record in read_all(partition)] == list(range(1 + THREADS))


def test_threads_that_flush_all_the_time(tmp_path: Path) -> None:
    with opened(tmp_path, segment_bytes=20_000) as partition:

        def send(producer: int) -> list[int]:
            return [
                partition.append_batch(numbered(sequence, producer), sync=True).base_offset
                for sequence in range(50)
            ]

        with ThreadPoolExecutor(THREADS) as pool:
            sent = list(pool.map(send, range(THREADS)))
        assert sorted(offset for offsets in sent for offset in offsets) == list(range(50 * THREADS))
        values = [record.value for record in read_all(partition)]
        for offsets in sent:
            assert [values[offset] for offset in offsets] == [b"%d" % sequence for sequence in range(50)]
