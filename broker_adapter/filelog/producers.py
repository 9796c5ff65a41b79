"""Which batches producers have appended lately: how a batch that is sent again is known, and a gap seen.

Owns ``<offset>.snapshot`` in a partition's directory: the producers as they
were when the log ended at that offset, in Kafka's format. Written by the holder
of the partition's ``.wlock``, at a roll and at a clean close. What came after a
snapshot is read from the log's batch headers, so nothing here is ever missing:
a snapshot only saves reading. A `ProducerStates` is for the holder of the lock.

The rules are Kafka's. A producer's batches are numbered, record by record. The
last five of each producer are remembered: one of them again is a duplicate.
Otherwise the number must be the next, or 0 in a newer epoch. A producer that is
not known may begin with any number. One that wrote nothing for a day, as the
log's timestamps have it, is forgotten.
"""

import os
import re
import secrets
import struct
from collections import deque
from pathlib import Path
from struct import Struct
from typing import Final, NamedTuple

from crc32c import crc32c

from broker_adapter.errors import CorruptLog, FencedProducer, OutOfOrderSequence
from broker_adapter.filelog.batch import BatchHeader

REMEMBERED_BATCHES: Final = 5
EXPIRATION: Final = 24 * 3600 * 1000
"""Kafka's ``producer.id.expiration.ms``."""
MAX_SEQUENCE: Final = 0x7FFF_FFFF
"""After this sequence number the next is 0."""
_NAME: Final = re.compile(r"(\d{20})\.snapshot")
_HEAD: Final = Struct(">hIi")
_ENTRY: Final = Struct(">qhiqiqiq")
_VERSION: Final = 1
_CRC_FROM: Final = 6


def new_producer_id() -> int:
    """An id that no other producer has: random, and above those that a Kafka cluster counts up from 0."""
    return secrets.randbits(62) | 1 << 61


class WrittenBatch(NamedTuple):
    """A batch that a producer has appended."""

    first_sequence: int
    last_sequence: int
    last_offset: int
    offset_delta: int
    timestamp: int

    @property
    def base_offset(self) -> int:
        """The offset of its first record."""
        return self.last_offset - self.offset_delta


class _Producer(NamedTuple):
    epoch: int
    batches: deque[WrittenBatch]


class ProducerStates:
    """The producers of one partition, up to an offset."""

    def __init__(self, offset: int = 0) -> None:
        self.offset = offset
        """The log's end as far as it is known here."""
        self._producers: dict[int, _Producer] = {}

    def find_duplicate(self, header: BatchHeader) -> WrittenBatch | None:
        """The batch that was appended before with these numbers; None if this one is the next.

        Raises `OutOfOrderSequence` or `FencedProducer`.
        """
        known = self._producers.get(header.producer_id)
        if known is None:
            return None
        if header.producer_epoch < known.epoch:
            raise FencedProducer(
                f"producer {header.producer_id} is at epoch {known.epoch}, and this batch is of its epoch "
                f"{header.producer_epoch}: another one has taken its place"
            )
        last_sequence = _last_sequence(header)
        if header.producer_epoch > known.epoch:
            due = 0
        else:
            for batch in known.batches:
                if (batch.first_sequence, batch.last_sequence) == (header.base_sequence, last_sequence):
                    return batch
            if not known.batches:
                return None
            due = (known.batches[-1].last_sequence + 1) & MAX_SEQUENCE
        if header.base_sequence != due:
            raise OutOfOrderSequence(
                f"a batch of producer {header.producer_id} begins with sequence number "
                f"{header.base_sequence}, where {due} is due: records before it are missing"
            )
        return None

    def apply(self, header: BatchHeader) -> None:
        """Take note of a batch that is in the log now, idempotent or not."""
        self.offset = header.last_offset + 1
        if header.producer_id < 0:
            return
        known = self._producers.get(header.producer_id)
        if known is None or known.epoch != header.producer_epoch:
            known = _Producer(header.producer_epoch, deque(maxlen=REMEMBERED_BATCHES))
            self._producers[header.producer_id] = known
        if header.base_sequence >= 0 and not header.is_control:
            known.batches.append(
                WrittenBatch(
                    header.base_sequence,
                    _last_sequence(header),
                    header.last_offset,
                    header.last_offset_delta,
                    header.max_timestamp,
                )
            )

    def last_batches(self) -> list[tuple[int, int, WrittenBatch]]:
        """Each producer that has a batch here: its id, its epoch and its last batch."""
        return [
            (number, each.epoch, each.batches[-1]) for number, each in self._producers.items() if each.batches
        ]

    # ---------------------------------------------------------------- snapshots

    def to_bytes(self) -> bytes:
        """Kafka's snapshot of the producers that are not forgotten."""
        entries = self.last_batches()
        newest = max((last.timestamp for _, _, last in entries), default=0)
        kept = [
            _ENTRY.pack(
                number, epoch, last.last_sequence, last.last_offset, last.offset_delta, last.timestamp, -1, -1
            )
            for number, epoch, last in entries
            if newest - last.timestamp < EXPIRATION
        ]
        body = len(kept).to_bytes(4, "big") + b"".join(kept)
        return _VERSION.to_bytes(2, "big") + crc32c(body).to_bytes(4, "big") + body

    @classmethod
    def from_bytes(cls, data: bytes, offset: int) -> "ProducerStates":
        """The producers of a snapshot. Raises `CorruptLog`."""
        try:
            version, crc, count = _HEAD.unpack_from(data)
            entries = list(_ENTRY.iter_unpack(data[_HEAD.size :]))
        except struct.error as error:
            raise CorruptLog(f"a snapshot of producers cannot be read: {error}") from error
        if version != _VERSION or crc != crc32c(data[_CRC_FROM:]) or count != len(entries):
            raise CorruptLog("a snapshot of producers is damaged")
        states = cls(offset)
        for number, epoch, sequence, last_offset, delta, timestamp, _, _ in entries:
            batches: deque[WrittenBatch] = deque(maxlen=REMEMBERED_BATCHES)
            if sequence >= 0:
                batches.append(
                    WrittenBatch((sequence - delta) & MAX_SEQUENCE, sequence, last_offset, delta, timestamp)
                )
            states._producers[number] = _Producer(epoch, batches)
        return states

    def save(self, directory: Path) -> None:
        """Write the snapshot of this offset. Raises `OSError`."""
        path = directory / f"{self.offset:020d}.snapshot"
        unfinished = path.with_name(path.name + ".tmp")
        with unfinished.open("wb") as file:
            file.write(self.to_bytes())
            file.flush()
            os.fsync(file.fileno())
        unfinished.replace(path)

    @classmethod
    def load(cls, directory: Path, log_end: int) -> "ProducerStates":
        """The newest snapshot that can be read and is not of a later end of the log. Raises `OSError`."""
        for offset in reversed(snapshots(directory)):
            if offset <= log_end:
                try:
                    return cls.from_bytes((directory / f"{offset:020d}.snapshot").read_bytes(), offset)
                except (CorruptLog, FileNotFoundError):
                    continue  # what it would have saved is read from the log instead
        return cls()


def _last_sequence(header: BatchHeader) -> int:
    return (header.base_sequence + header.last_offset_delta) & MAX_SEQUENCE


def snapshots(directory: Path) -> list[int]:
    """The offsets of the snapshots in a partition's directory, rising. Raises `OSError`."""
    names = (_NAME.fullmatch(name) for name in os.listdir(directory))  # noqa: PTH208 - names are enough
    return sorted(int(name[1]) for name in names if name)


def drop_snapshots(directory: Path, offsets: list[int]) -> None:
    """Remove the snapshots of `offsets`. Raises `OSError`."""
    for offset in offsets:
        (directory / f"{offset:020d}.snapshot").unlink(missing_ok=True)
