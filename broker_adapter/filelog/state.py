"""The page by which a partition's writers tell every process how far the log is valid.

Owns ``<topic>-<p>/.state``: 4 KiB, mapped into every process that uses the
partition. `publish` may be called only by the holder of the partition's
``.wlock``; `read` by anybody, at any time, without a lock or a system call.

The page, in the machine's own byte order, since it never leaves the machine::

    0     8 bytes: magic
    8     8 bytes: which boot of the machine wrote it
    16    8 bytes: sequence number of what is published; its lowest bit says in which slot
    24    8 bytes: how often the topic's settings were changed
    32    8 bytes: what told, when the log was opened first, that no Kafka broker had used it since
    128   slot 0: a LogState, 8 bytes a field, and 4 bytes CRC-32C of it and the sequence number
    256   slot 1

A writer fills the slot that is not published and then moves the sequence
number on, in one store. So a writer that dies halfway has published nothing.
A reader that meets a writer sees the checksum fail and looks again, whatever
order the processor makes the stores visible in. The page is flushed only when a
log is closed: after the machine went down it may be older or newer than the
log's bytes, and the boot id tells.
"""

import mmap
import os
import uuid
from pathlib import Path
from struct import Struct
from typing import Final, NamedTuple

from crc32c import crc32c

from broker_adapter.errors import CorruptLog

_PAGE: Final = 4096
_MAGIC: Final = int.from_bytes(b"5BSTATE2", "little")
_RETIRED: Final = -1
_WORD_MAGIC, _WORD_BOOT, _WORD_SEQUENCE, _WORD_SETTINGS, _WORD_MARK = range(5)
_FIELDS: Final = Struct("=10q")
_CHECK: Final = Struct("=I")
_SLOTS: Final = (128, 256)
_TRIES: Final = 10_000
_PEEKS: Final = 10


class LogState(NamedTuple):
    """What of a partition is valid. All fields are 64-bit integers; timestamps are ms, -1 for none."""

    active_base: int
    """Base offset of the active segment, the only one that is written to."""
    committed_bytes: int
    """How many bytes of the active segment's log are valid. Whatever follows was never acknowledged."""
    log_end_offset: int
    """The offset that the next record gets."""
    log_start_offset: int
    """The offset of the first record that may be read."""
    first_timestamp: int
    """The largest timestamp of the active segment's first batch."""
    max_timestamp: int
    """The largest timestamp in the active segment."""
    max_timestamp_offset: int
    """The last offset of the batch that holds `max_timestamp`."""
    layout: int = 0
    """Raised whenever closed segments were deleted or replaced: who remembers them looks again."""
    deleted_before: int = 0
    """The offset before which records were deleted on request; a reader among them stops."""
    recovery_point: int = 0
    """All before this offset is on the disk."""


def _boot_id() -> int:
    try:
        text = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        number = uuid.UUID(text).int
    except (OSError, ValueError):
        # Where the kernel does not tell, every process is a new boot: it recovers what it opens, which is
        # slower and as safe.
        number = uuid.uuid4().int
    return (number >> 1) & 0x7FFF_FFFF_FFFF_FFFF


BOOT_ID: Final = _boot_id()


class StatePage:
    """A mapped ``.state`` file. Raises `OSError` on opening."""

    def __init__(self, path: Path) -> None:
        self.path = path
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            if os.fstat(descriptor).st_size < _PAGE:
                # Reading a mapped page that the file does not have would kill the process.
                os.ftruncate(descriptor, _PAGE)
            self._map = mmap.mmap(descriptor, _PAGE)
        finally:
            os.close(descriptor)
        self._words = memoryview(self._map).cast("q")

    def read(self) -> LogState | None:
        """What is published; None where nothing is, or it was published before the machine last started."""
        words = self._words
        if words[_WORD_MAGIC] != _MAGIC or words[_WORD_BOOT] != BOOT_ID:
            return None
        return self._read()

    def published(self) -> LogState:
        """What is published, on a page that `read` has found good. Takes about a microsecond."""
        state = self._read()
        if state is None:
            raise CorruptLog(
                f"{self.path} is damaged; close every process that uses this log, remove that file and "
                "open the log again: it is then rebuilt from the log"
            )
        return state

    def _read(self, tries: int = _TRIES) -> LogState | None:
        # More than one try is needed only where a writer publishes twice while we read.
        for _ in range(tries):
            sequence = self._words[_WORD_SEQUENCE]
            at = _SLOTS[sequence & 1]
            fields = self._map[at : at + _FIELDS.size]
            (check,) = _CHECK.unpack_from(self._map, at + _FIELDS.size)
            if crc32c(fields, sequence & 0xFFFF_FFFF) == check:
                return LogState._make(_FIELDS.unpack(fields))
        return None

    def publish(self, state: LogState) -> None:
        """Make `state` what everybody reads. Only for the holder of the partition's lock."""
        sequence = self._words[_WORD_SEQUENCE] + 1
        at = _SLOTS[sequence & 1]
        fields = _FIELDS.pack(*state)
        self._map[at : at + _FIELDS.size + _CHECK.size] = fields + _CHECK.pack(
            crc32c(fields, sequence & 0xFFFF_FFFF)
        )
        self._words[_WORD_SEQUENCE] = sequence

    def remembered(self) -> LogState | None:
        """What was published last, in whichever boot of the machine; None where that cannot be read."""
        return None if self._words[_WORD_MAGIC] != _MAGIC else self._read(tries=1)

    def begin(self, state: LogState) -> None:
        """Publish `state` on a page that is new or not to be trusted, and mark it good. As `publish`."""
        self._words[_WORD_MAGIC] = 0
        self._words[_WORD_SEQUENCE] = max(0, self._words[_WORD_SEQUENCE]) % (1 << 62)
        self.publish(state)
        self._words[_WORD_BOOT] = BOOT_ID
        self._words[_WORD_MAGIC] = _MAGIC

    @property
    def settings_changes(self) -> int:
        """How often the topic's settings were changed."""
        return self._words[_WORD_SETTINGS]

    def change_settings(self) -> None:
        """Tell all who have the page mapped that the topic's settings are others now. As `publish`."""
        self._words[_WORD_SETTINGS] += 1

    @property
    def mark(self) -> int:
        """What `Checkpoints.kafkas_mark` was when this page was begun."""
        return self._words[_WORD_MARK]

    @mark.setter
    def mark(self, mark: int) -> None:
        self._words[_WORD_MARK] = mark

    def sync(self) -> None:
        """Flush the page to the disk."""
        self._map.flush()

    def retire(self) -> None:
        """Tell all who have the page mapped that its log is being deleted. As `publish`."""
        self._words[_WORD_MAGIC] = _RETIRED

    @property
    def is_retired(self) -> bool:
        """Whether the log was deleted since the page was mapped."""
        return bool(self._words[_WORD_MAGIC] == _RETIRED)

    def close(self) -> None:
        """Unmap the page."""
        self._words.release()
        self._map.close()


def peek(path: Path) -> LogState | None:
    """What a ``.state`` file publishes in this boot of the machine, only looked at; None if it does not.

    Raises `OSError`.
    """
    for _ in range(_PEEKS):
        data = path.read_bytes()
        if len(data) < _PAGE:
            return None
        words = memoryview(data[: _SLOTS[0]]).cast("q")
        if words[_WORD_MAGIC] != _MAGIC or words[_WORD_BOOT] != BOOT_ID:
            return None
        sequence = words[_WORD_SEQUENCE]
        at = _SLOTS[sequence & 1]
        fields = data[at : at + _FIELDS.size]
        (check,) = _CHECK.unpack_from(data, at + _FIELDS.size)
        if crc32c(fields, sequence & 0xFFFF_FFFF) == check:
            return LogState._make(_FIELDS.unpack(fields))
    return None
