"""A segment's two sparse indexes: from an offset to a place in the log, and from a time to an offset.

Owns ``<base offset>.index`` (8 bytes an entry: offset minus base offset, byte
position) and ``<base offset>.timeindex`` (12 bytes: timestamp in ms, offset
minus base offset), big endian, in rising order. `append` and `rewrite` are for
the holder of the partition's ``.wlock``; all else for anybody.

They have Kafka's meaning: an offset entry is the last offset of a batch and
the position where that batch begins; a time entry is the largest timestamp so
far and the last offset of the batch that has it. Kafka preallocates index
files while it writes them, so entries end at the first all-zero one after the
first. They carry no checksum: who uses an entry verifies it in the log.
"""

import os
from bisect import bisect_right
from collections.abc import Sequence
from pathlib import Path
from struct import Struct
from typing import ClassVar, NamedTuple


class OffsetPosition(NamedTuple):
    """An entry of the offset index."""

    offset: int
    position: int


class TimestampOffset(NamedTuple):
    """An entry of the time index."""

    timestamp: int
    offset: int


class _Index:
    """Entries of one size in a file. Raises `OSError`."""

    entry: ClassVar[Struct]

    def __init__(self, path: str | Path, base_offset: int) -> None:
        self.base_offset = base_offset
        self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o644)

    def is_full(self, limit: int) -> bool:
        """Whether one more entry would make the file larger than `limit` (``segment.index.bytes``)."""
        return self.file_size() + self.entry.size > limit

    def has_whole_entries(self) -> bool:
        """Whether the file's size is a multiple of an entry's."""
        return self.file_size() % self.entry.size == 0

    def entries_count(self) -> int:
        """The number of entries, without a preallocated file's zero tail."""
        slots = self.file_size() // self.entry.size
        if slots < 2 or self._is_set(slots - 1):
            return slots
        return bisect_right(range(slots), False, key=lambda slot: slot > 0 and not self._is_set(slot))

    def _is_set(self, slot: int) -> bool:
        return any(self._fields(slot))

    def _fields(self, slot: int) -> tuple[int, int]:
        data = os.pread(self._descriptor, self.entry.size, slot * self.entry.size)
        # A writer may cut the file between our look at its size and this read.
        return self.entry.unpack(data) if len(data) == self.entry.size else (0, 0)

    def _last_slot_up_to(self, target: int) -> int:
        """The last entry whose first field is not above `target`; -1 if none is."""
        return bisect_right(range(self.entries_count()), target, key=lambda slot: self._fields(slot)[0]) - 1

    def _append(self, first: int, second: int) -> None:
        over = self.file_size() % self.entry.size
        if over:  # a writer died, or the disk was full, within an entry
            os.ftruncate(self._descriptor, self.file_size() - over)
        os.write(self._descriptor, self.entry.pack(first, second))

    def _rewrite(self, fields: Sequence[tuple[int, int]]) -> None:
        # In place, since other processes have this file open and append to it later.
        os.ftruncate(self._descriptor, 0)
        rest = memoryview(b"".join(self.entry.pack(*pair) for pair in fields))
        while rest:
            rest = rest[os.write(self._descriptor, rest) :]

    def file_size(self) -> int:
        """How many bytes the file has, a preallocated one's zero tail included."""
        return os.fstat(self._descriptor).st_size

    def sync(self) -> None:
        """Flush the file to the disk."""
        os.fdatasync(self._descriptor)

    def close(self) -> None:
        """Close the file."""
        descriptor, self._descriptor = self._descriptor, -1
        if descriptor >= 0:
            os.close(descriptor)


class OffsetIndex(_Index):
    """``.index``: where to start looking for an offset."""

    entry = Struct(">ii")

    def lookup(self, offset: int) -> OffsetPosition:
        """The last entry at or before `offset`; the segment's start if there is none."""
        slot = self._last_slot_up_to(offset - self.base_offset)
        return self.at(slot) if slot >= 0 else OffsetPosition(self.base_offset, 0)

    def at(self, slot: int) -> OffsetPosition:
        """The entry numbered `slot`."""
        relative, position = self._fields(slot)
        return OffsetPosition(self.base_offset + relative, position)

    def last(self) -> OffsetPosition | None:
        """The last entry, if there is one."""
        count = self.entries_count()
        return self.at(count - 1) if count else None

    def append(self, offset: int, position: int) -> None:
        """Add an entry. `offset` and `position` are above the last entry's."""
        self._append(offset - self.base_offset, position)

    def rewrite(self, entries: Sequence[OffsetPosition]) -> None:
        """Replace all entries."""
        self._rewrite([(offset - self.base_offset, position) for offset, position in entries])


class TimeIndex(_Index):
    """``.timeindex``: the offset before which no record is as late as a time."""

    entry = Struct(">qi")

    def lookup(self, timestamp: int) -> TimestampOffset | None:
        """The last entry that is not later than `timestamp`, if there is one."""
        slot = self._last_slot_up_to(timestamp)
        return self.at(slot) if slot >= 0 else None

    def at(self, slot: int) -> TimestampOffset:
        """The entry numbered `slot`."""
        timestamp, relative = self._fields(slot)
        return TimestampOffset(timestamp, self.base_offset + relative)

    def last(self) -> TimestampOffset | None:
        """The last entry, if there is one."""
        count = self.entries_count()
        return self.at(count - 1) if count else None

    def append(self, timestamp: int, offset: int) -> None:
        """Add an entry. `timestamp` is above the last entry's."""
        self._append(timestamp, offset - self.base_offset)

    def rewrite(self, entries: Sequence[TimestampOffset]) -> None:
        """Replace all entries."""
        self._rewrite([(timestamp, offset - self.base_offset) for timestamp, offset in entries])
