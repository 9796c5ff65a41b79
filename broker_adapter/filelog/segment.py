"""A segment: a stretch of a partition's log with its two indexes.

Owns ``<base offset>.log`` (record batches, back to back; the number is the
first offset, 20 digits) and, through `OffsetIndex` and `TimeIndex`, the files
beside it. `write`, `cut`, `index_batch` and `rebuild_indexes` are for the
holder of the partition's ``.wlock``; all else for any thread of any process.
A segment that is not the active one never changes.

How far the active segment's bytes are valid is not to be learnt from the file,
but from the partition's published state: all readers here take a `limit`.
"""

import os
import re
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import Final, NamedTuple

from broker_adapter.errors import CorruptBatch
from broker_adapter.filelog.batch import HEADER_SIZE, BatchHeader, check_batch, decode_batch, read_header
from broker_adapter.filelog.files import pwrite_all
from broker_adapter.filelog.index import OffsetIndex, OffsetPosition, TimeIndex, TimestampOffset

_LOG_NAME: Final = re.compile(r"(\d{20})\.log")
MAX_RELATIVE_OFFSET: Final = 0x7FFF_FFFF
"""Index entries have 4 bytes for an offset's distance from the segment's base."""
_HEADERS_CHUNK: Final = 8 * 1024
_CHECKED_CHUNK: Final = 1024 * 1024


def segment_bases(directory: Path) -> list[int]:
    """The base offsets of the segments in a partition's directory, rising."""
    names = (_LOG_NAME.fullmatch(name) for name in os.listdir(directory))  # noqa: PTH208 - names are enough
    return sorted(int(name[1]) for name in names if name)


class Scan(NamedTuple):
    """What a walk through a segment found."""

    size: int
    """The bytes up to the first that are not a whole, sound batch."""
    next_offset: int
    """One above the last offset found; the expected offset if the segment is empty."""
    first_timestamp: int
    """The largest timestamp of the first batch, -1 if there is none."""
    max_timestamp: int
    max_timestamp_offset: int
    offsets: list[OffsetPosition]
    timestamps: list[TimestampOffset]
    damage: CorruptBatch | None
    """Why the walk ended before the limit."""


class _Findings:
    """A scan in progress: the rules by which batches get index entries."""

    def __init__(self, base_offset: int, interval: int) -> None:
        self._interval = interval
        self._size = 0
        self._next_offset = base_offset
        self._first_timestamp = -1
        self._latest = TimestampOffset(-1, -1)
        self._offsets: list[OffsetPosition] = []
        self._timestamps: list[TimestampOffset] = []
        self._indexed_position = 0

    def add(self, position: int, header: BatchHeader) -> None:
        if self._size == 0:
            self._first_timestamp = header.max_timestamp
        if header.max_timestamp > self._latest.timestamp:
            self._latest = TimestampOffset(header.max_timestamp, header.last_offset)
        if position - self._indexed_position > self._interval:
            self._offsets.append(OffsetPosition(header.last_offset, position))
            self._index_time()
            self._indexed_position = position
        self._size = position + header.size
        self._next_offset = header.last_offset + 1

    def as_scan(self, damage: CorruptBatch | None) -> Scan:
        self._index_time()
        return Scan(
            self._size,
            self._next_offset,
            self._first_timestamp,
            self._latest.timestamp,
            self._latest.offset,
            self._offsets,
            self._timestamps,
            damage,
        )

    def _index_time(self) -> None:
        newest = self._timestamps[-1].timestamp if self._timestamps else -1
        if self._latest.timestamp > newest:
            self._timestamps.append(self._latest)


class LogSegment:
    """One segment's open files. Raises `OSError`, and `CorruptBatch` where it reads batches."""

    _descriptor = -1

    def __init__(
        self, directory: Path, base_offset: int, *, fresh: bool = False, added_suffix: str = ""
    ) -> None:
        """Open the segment; `fresh` makes it, over what a writer left that died before it was published.

        `added_suffix` follows the names of its files, as in ``.log.cleaned``.
        """
        self.base_offset = base_offset
        # Texts, not paths: readers that jump about open segments, and a Path costs as much as a file.
        stem = f"{directory}/{base_offset:020d}"
        self._path = f"{stem}.log{added_suffix}"
        flags = os.O_RDWR | os.O_CLOEXEC | (os.O_CREAT | os.O_TRUNC if fresh else 0)
        self._descriptor = os.open(self._path, flags, 0o644)
        try:
            self.offset_index = OffsetIndex(f"{stem}.index{added_suffix}", base_offset)
            self.time_index = TimeIndex(f"{stem}.timeindex{added_suffix}", base_offset)
            if fresh:
                self.offset_index.rewrite([])
                self.time_index.rewrite([])
        except BaseException:
            self.close()
            raise

    @cached_property
    def path(self) -> Path:
        """The log file."""
        # Made when it is first asked for, and once: every read names it, in case it fails.
        return Path(self._path)

    def file_size(self) -> int:
        """The log file's size, which for the active segment may be more than what is valid."""
        return os.fstat(self._descriptor).st_size

    def modified(self) -> int:
        """When the log file was last written, in ms since 1970."""
        return os.fstat(self._descriptor).st_mtime_ns // 1_000_000

    def read(self, position: int, size: int) -> bytes:
        """Up to `size` bytes at `position`."""
        return os.pread(self._descriptor, size, position)

    # ------------------------------------------------------------ reading

    def read_batch(self, position: int, limit: int) -> bytes:
        """The batch at `position`, as it stands there, checksum and all."""
        size = read_header(self.read(position, HEADER_SIZE)).size
        return self.read(position, min(size, limit - position))

    def batches(self, position: int, limit: int, *, check: bool = False) -> Iterator[tuple[int, BatchHeader]]:
        """Position and header of each batch from `position` to `limit`, with its checksum tested if `check`.

        Raises `CorruptBatch` at the first thing that is no batch, reaches over `limit`, or has offsets that
        do not rise.
        """
        chunk_size = _CHECKED_CHUNK if check else _HEADERS_CHUNK
        chunk, start = b"", position
        due = self.base_offset
        while position < limit:
            if position - start + HEADER_SIZE > len(chunk):
                chunk, start = self.read(position, min(chunk_size, limit - position)), position
            header = read_header(chunk, position - start)
            if position + header.size > limit:
                raise CorruptBatch(
                    f"a batch of {header.size} bytes reaches over the log's end at byte {limit}"
                )
            if not due <= header.base_offset <= header.last_offset <= self.base_offset + MAX_RELATIVE_OFFSET:
                raise CorruptBatch(f"a batch of offset {header.base_offset} stands where {due} is due")
            if check:
                if position - start + header.size > len(chunk):
                    wanted = min(max(header.size, chunk_size), limit - position)
                    chunk, start = self.read(position, wanted), position
                check_batch(chunk, position - start)
            yield position, header
            position += header.size
            due = header.last_offset + 1

    def locate(self, offset: int, limit: int) -> tuple[int, BatchHeader] | None:
        """Position and header of the batch that holds `offset`, or of the next one; None if there is none.

        Looks at the index and at the headers of about one index interval.
        """
        for position, header in self.batches(self._start_for(offset, limit), limit):
            if header.last_offset >= offset:
                return position, header
        return None

    def _start_for(self, offset: int, limit: int) -> int:
        # An index has no checksum: its entry counts only if the log has that very batch in that place.
        entry = self.offset_index.lookup(offset)
        if entry.position == 0 or not self._entry_is_sound(entry, limit):
            return 0
        return entry.position

    def _entry_is_sound(self, entry: OffsetPosition, limit: int) -> bool:
        if not 0 <= entry.position <= limit - HEADER_SIZE:
            return False
        try:
            return read_header(self.read(entry.position, HEADER_SIZE)).last_offset == entry.offset
        except CorruptBatch:
            return False

    def offset_for_timestamp(self, timestamp: int, limit: int, from_offset: int = 0) -> int | None:
        """The first offset from `from_offset` on whose record is of `timestamp` or later; None if none is."""
        entry = self.time_index.lookup(timestamp - 1)
        position = 0
        if entry is not None:
            located = self.locate(entry.offset, limit)
            # All before this batch is earlier than the entry's time, if the batch really has that time.
            if located is not None and located[1].max_timestamp == entry.timestamp:
                position = located[0]
        for at, header in self.batches(position, limit):
            if header.max_timestamp >= timestamp:
                for record in decode_batch(self.read(at, header.size), from_offset=from_offset):
                    if record.timestamp >= timestamp:
                        return record.offset
        return None

    # ------------------------------------------------------------ writing

    def write(self, parts: tuple[bytes, memoryview], position: int) -> None:
        """Write one batch, in two parts, at `position`."""
        pwrite_all(self._descriptor, parts, position)

    def cut(self, size: int) -> None:
        """Drop what follows `size` bytes."""
        os.ftruncate(self._descriptor, size)

    def sync(self) -> None:
        """Flush the log to the disk."""
        os.fdatasync(self._descriptor)

    def sync_indexes(self) -> None:
        """Flush the indexes to the disk."""
        self.offset_index.sync()
        self.time_index.sync()

    def scan(self, limit: int, interval: int, *, check: bool) -> Scan:
        """Walk through all batches up to `limit` and work out what the indexes should hold.

        `interval` is ``index.interval.bytes``. Never raises `CorruptBatch`: see `Scan.damage`.
        """
        found = _Findings(self.base_offset, interval)
        damage = None
        try:
            for position, header in self.batches(0, limit, check=check):
                found.add(position, header)
        except CorruptBatch as error:
            damage = error
        return found.as_scan(damage)

    def rebuild_indexes(self, scan: Scan) -> None:
        """Write both indexes anew from a `scan` of this segment."""
        self.offset_index.rewrite(scan.offsets)
        self.time_index.rewrite(scan.timestamps)

    def index_bytes(self) -> int:
        """The size of the larger index."""
        return max(self.offset_index.file_size(), self.time_index.file_size())

    def indexes_are_sound(self, limit: int, interval: int) -> bool:
        """Whether the indexes' sizes and last entries fit the log. Does not read the log through."""
        if not (self.offset_index.has_whole_entries() and self.time_index.has_whole_entries()):
            return False
        last = self.offset_index.last() or OffsetPosition(self.base_offset, 0)
        if last.position and not self._entry_is_sound(last, limit):
            return False
        try:
            unindexed = any(
                position - last.position > interval for position, _ in self.batches(last.position, limit)
            )
        except CorruptBatch:
            return False
        return not unindexed and (self.time_index.last() is not None or not last.position)

    def close(self) -> None:
        """Close the three files."""
        descriptor, self._descriptor = self._descriptor, -1
        if descriptor >= 0:
            os.close(descriptor)
        for index in (getattr(self, "offset_index", None), getattr(self, "time_index", None)):
            if index is not None:
                index.close()

    def __del__(self) -> None:
        # A segment that was deleted or replaced is closed by whoever reads it last.
        self.close()
