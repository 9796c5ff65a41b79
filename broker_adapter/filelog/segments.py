"""The segments of one partition, as they are on the disk and as this process has them open.

Owns the names in the directory ``<topic>-<p>/``: which segments there are, and
the leftovers of those who replace them. Any thread may use `OpenSegments`; the
functions are for the holder of the partition's ``.wlock``.

Closed segments never change, but they are deleted by retention and replaced by
compaction. Whoever does that raises the published state's `layout`. A reader
that has a segment open reads it to its end, whatever became of its name.
"""

import os
import resource
import threading
import weakref
from bisect import bisect_right
from collections import OrderedDict
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Final

from broker_adapter.errors import CorruptLog
from broker_adapter.filelog.batch import HEADER_SIZE, read_header
from broker_adapter.filelog.files import sync_directory
from broker_adapter.filelog.segment import LogSegment, segment_bases
from broker_adapter.filelog.state import LogState
from broker_adapter.forks import reset_in_child

_FILES: Final = 3
"""How many files a segment has open."""
_FEWEST: Final = 8
_MANY: Final = 1_000
_SUFFIXES: Final = (".log", ".index", ".timeindex", ".txnindex", ".snapshot")
CLEANED: Final = ".cleaned"
SWAP: Final = ".swap"
DELETED: Final = ".deleted"


class _KeptOpen:
    """Which closed segments this process keeps open for whoever comes next: those that were used last.

    Of all partitions together, and at most a quarter of the files that a process may have open. Those in use
    stay open beyond that, and so do the active ones.
    """

    def __init__(self) -> None:
        may_open, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
        self.most = max(may_open // 4 // _FILES, _FEWEST) if may_open > 0 else _MANY
        self._used: OrderedDict[tuple[int, int], weakref.ref[OpenSegments]] = OrderedDict()
        self.after_fork()
        reset_in_child(self)

    def after_fork(self) -> None:
        """In a forked child nobody holds the lock."""
        self._lock = threading.Lock()

    def use(self, segments: "OpenSegments", base: int) -> None:
        """Note that a closed segment was used now, and let go of what was not for longest."""
        key = id(segments), base
        with self._lock:
            self._used[key] = weakref.ref(segments)
            self._used.move_to_end(key)
            while len(self._used) > self.most:
                (_, oldest), owner = self._used.popitem(last=False)
                if (found := owner()) is not None:
                    found.let_go(oldest)

    def forget(self, segments: "OpenSegments", bases: Iterable[int]) -> None:
        """Note that these are not kept any more."""
        with self._lock:
            for base in bases:
                self._used.pop((id(segments), base), None)


class OpenSegments:
    """A partition's segments, opened when they are asked for. Raises `OSError`."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self._segments: dict[int, LogSegment] = {}
        self._layout = -1
        self._listing: tuple[tuple[int, int], list[int]] = ((-1, -1), [])
        self.reset()

    def reset(self) -> None:
        """In a forked child nobody holds the lock."""
        self._lock = threading.Lock()

    def bases(self, state: LogState) -> list[int]:
        """The base offsets of the segments in `state`, rising. Raises `CorruptLog`."""
        wanted = (state.active_base, state.layout)
        listed, bases = self._listing
        if listed != wanted:
            found = segment_bases(self.directory)
            bases = found[: bisect_right(found, state.active_base)]
            if not bases or bases[-1] != state.active_base:
                raise CorruptLog(
                    f"{self.directory} has no segment {state.active_base}, which is published as active"
                )
            # What is wholly before the log's start is about to be deleted.
            bases = bases[max(bisect_right(bases, state.log_start_offset) - 1, 0) :]
            # In one step: threads that look at states of different age must not mix their lists up.
            self._listing = wanted, bases
        return bases

    def get(self, base: int, state: LogState, check: Callable[[], None]) -> LogSegment:
        """The open segment of that base offset. Raises `FileNotFoundError` if it is gone.

        `check` is called when its files were opened just now, and raises if they are others' by now.
        """
        with self._lock:
            if self._layout != state.layout:
                # Others' readers may still use them; the last one to let go closes the files.
                replaced = [each for each in self._segments if each != state.active_base]
                for each in replaced:
                    self.let_go(each)
                KEPT_OPEN.forget(self, replaced)
                self._layout = state.layout
            segment = self._segments.get(base)
            if segment is None:
                segment = LogSegment(self.directory, base)
                check()
                self._segments[base] = segment
            if base != state.active_base:
                KEPT_OPEN.use(self, base)
            return segment

    def add(self, segment: LogSegment) -> None:
        """Take a segment that was just made."""
        with self._lock:
            for closed in list(self._segments):
                KEPT_OPEN.use(self, closed)
            self._segments[segment.base_offset] = segment

    def let_go(self, base: int) -> None:
        """Keep a segment no longer. Whoever has it reads on; the last one to let go closes the files."""
        # No lock: who asks may hold another partition's.
        self._segments.pop(base, None)

    def close(self) -> None:
        """Close the files."""
        with self._lock:
            KEPT_OPEN.forget(self, self._segments)
            for segment in list(self._segments.values()):
                segment.close()
            self._segments.clear()


KEPT_OPEN: Final = _KeptOpen()


def remove_segment(directory: Path, base: int) -> None:
    """Delete a segment's files, the log first: what has no log is no segment."""
    stem = directory / f"{base:020d}"
    log = stem.with_suffix(".log")
    gone = log.with_name(log.name + DELETED)
    if log.exists():
        log.rename(gone)
    for suffix in _SUFFIXES[1:]:
        stem.with_suffix(suffix).unlink(missing_ok=True)
    gone.unlink(missing_ok=True)


def swap_in(directory: Path, base: int, replaced: list[int]) -> None:
    """Put what compaction wrote as ``<base>.*.cleaned`` in the place of the segments `replaced`.

    The log is renamed last, to ``.swap`` and away from it, so that who dies here leaves either what was, or
    what `finish_swaps` completes.
    """
    stem = directory / f"{base:020d}"
    for suffix in (".index", ".timeindex", ".log"):
        path = stem.with_suffix(suffix)
        path.with_name(path.name + CLEANED).rename(path.with_name(path.name + SWAP))
    sync_directory(directory)
    _finish_swap(directory, base, replaced)


def _finish_swap(directory: Path, base: int, replaced: list[int]) -> None:
    for each in replaced:
        if each != base:
            remove_segment(directory, each)
    stem = directory / f"{base:020d}"
    for suffix in (".index", ".timeindex", ".log"):
        path = stem.with_suffix(suffix)
        swap = path.with_name(path.name + SWAP)
        if swap.exists():
            swap.replace(path)
    sync_directory(directory)


def finish_swaps(directory: Path) -> bool:
    """Complete what a compaction left that died while it swapped; whether there was anything.

    The log's swap tells what it replaces: the segments that begin within its offsets.
    """
    names = sorted(path.name for path in directory.glob("*" + SWAP))
    for name in names:
        if name.endswith(".log" + SWAP):
            base = int(name[:20])
            end = _end_of(directory / name, base)
            _finish_swap(directory, base, [each for each in segment_bases(directory) if base < each < end])
    for name in names:
        (directory / name).unlink(missing_ok=True)  # of one that did not come to its log
    deleted = list(directory.glob("*" + DELETED))
    for path in deleted:
        path.unlink(missing_ok=True)
    return bool(names or deleted)


def _end_of(log: Path, base: int) -> int:
    """The offset after the last in a log that is whole. Opens no index, since one would be made."""
    end = base
    with log.open("rb") as file:
        while data := file.read(HEADER_SIZE):
            header = read_header(data)
            end = header.last_offset + 1
            file.seek(header.size - HEADER_SIZE, os.SEEK_CUR)
    return end


def drop_unfinished(directory: Path) -> None:
    """Remove what a compaction wrote that died before it was done. For the holder of ``.clean.lock``, too."""
    for path in directory.glob("*" + CLEANED):
        path.unlink(missing_ok=True)
