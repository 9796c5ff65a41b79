"""What consumer groups have committed, kept as Kafka keeps it.

Owns the records in ``__consumer_offsets-<p>/``, an ordinary partition: the
same appends, locks and recovery as any. `GroupOffsets` is for one thread at a
time; commits of several processes may mix, since a later record wins.

A group's partition is Java's hash of its name, modulo 50, so Kafka finds the
offsets in a folder that it adopts. Keys and values are in Kafka's binary form
(its schemas OffsetCommitKey and OffsetCommitValue): key version 1, value
version 3 are written, value versions 0 to 3 read. Other keys, which hold a
group's members, are passed over.
"""

import struct
import time
from collections.abc import Mapping
from struct import Struct
from typing import Final

from broker_adapter.broker import RawRecord, TopicPartition
from broker_adapter.errors import CorruptLog, OffsetOutOfRange
from broker_adapter.filelog.batch import NewRecord, encode_batch
from broker_adapter.filelog.partition import Partition
from broker_adapter.filelog.reader import LogReader

OFFSETS_TOPIC: Final = "__consumer_offsets"
OFFSETS_PARTITIONS: Final = 50
OFFSETS_SETTINGS: Final[Mapping[str, int | str]] = {
    "segment.bytes": 1024 * 1024,
    "cleanup.policy": "compact",
}
"""Who takes a partition over reads all that is left here: small segments are compacted soon."""

_KEY_VERSION: Final = 1
_VALUE_VERSION: Final = 3
_SHORT: Final = Struct(">h")
_INT: Final = Struct(">i")
_LONG: Final = Struct(">q")
_VALUE_HEAD: Final = Struct(">hqi")
_READ_BYTES: Final = 1024 * 1024


def partition_of(group: str) -> int:
    """The partition of ``__consumer_offsets`` that keeps a group: Java's ``abs(hashCode) % 50``."""
    number = 0
    units = group.encode("utf-16-be", "surrogatepass")
    for at in range(0, len(units), 2):
        number = (31 * number + int.from_bytes(units[at : at + 2], "big")) & 0xFFFF_FFFF
    signed = number - (1 << 32) if number >= 1 << 31 else number
    # Kafka's abs() has 0 for the one number whose absolute value Java cannot hold.
    return 0 if signed == -(1 << 31) else abs(signed) % OFFSETS_PARTITIONS


def _string(text: str) -> bytes:
    data = text.encode()
    return _SHORT.pack(len(data)) + data


def encode_key(group: str, partition: TopicPartition) -> bytes:
    """An OffsetCommitKey of version 1."""
    return (
        _SHORT.pack(_KEY_VERSION) + _string(group) + _string(partition.topic) + _INT.pack(partition.partition)
    )


def encode_value(offset: int, commit_timestamp: int) -> bytes:
    """An OffsetCommitValue of version 3, with no leader epoch and empty metadata."""
    return _VALUE_HEAD.pack(_VALUE_VERSION, offset, -1) + _string("") + _LONG.pack(commit_timestamp)


def decode_key(key: bytes) -> tuple[str, TopicPartition] | None:
    """The group and partition of an OffsetCommitKey; None for another kind of key. Raises `CorruptLog`."""
    try:
        (version,) = _SHORT.unpack_from(key)
        if version not in {0, 1}:
            return None
        group, at = _read_string(key, _SHORT.size)
        topic, at = _read_string(key, at)
        (number,) = _INT.unpack_from(key, at)
    except (struct.error, UnicodeDecodeError) as error:
        raise CorruptLog(f"a key in {OFFSETS_TOPIC} cannot be read: {error}") from error
    return group, TopicPartition(topic, number)


def decode_value(value: bytes) -> int:
    """The offset in an OffsetCommitValue. Raises `CorruptLog`."""
    try:
        (version,) = _SHORT.unpack_from(value)
        (offset,) = _LONG.unpack_from(value, _SHORT.size)
    except struct.error as error:
        raise CorruptLog(f"a value in {OFFSETS_TOPIC} cannot be read: {error}") from error
    if not 0 <= version <= _VALUE_VERSION:
        raise CorruptLog(
            f"a value in {OFFSETS_TOPIC} has version {version}; this release reads 0 to {_VALUE_VERSION}"
        )
    return int(offset)


def _read_string(data: bytes, at: int) -> tuple[str, int]:
    (length,) = _SHORT.unpack_from(data, at)
    start = at + _SHORT.size
    if length < 0 or start + length > len(data):
        raise CorruptLog(f"a key in {OFFSETS_TOPIC} has a text of {length} bytes, which it does not hold")
    return data[start : start + length].decode(), start + length


def groups_with_offsets(partition: Partition) -> set[str]:
    """The groups that have something committed in `partition`. Reads all of it."""
    kept: dict[tuple[str, TopicPartition], bool] = {}
    reader = LogReader(partition, partition.state().log_start_offset)
    while records := reader.read(_READ_BYTES):
        for record in records:
            decoded = decode_key(record.key) if record.key is not None else None
            if decoded is not None:
                kept[decoded] = record.value is not None
    return {group for (group, _), is_there in kept.items() if is_there}


class GroupOffsets:
    """One group's committed offsets. Raises `LogIOError`, `CorruptBatch` or `CorruptLog`."""

    def __init__(self, partition: Partition, group: str) -> None:
        self.group = group
        self._partition = partition
        self._reader = LogReader(partition, partition.state().log_start_offset)
        self._offsets: dict[TopicPartition, int] = {}

    def commit(self, offsets: Mapping[TopicPartition, int], *, sync: bool) -> None:
        """Append the offsets, as one batch: all of them count or none."""
        now = time.time_ns() // 1_000_000
        records: list[NewRecord] = [
            (now, encode_key(self.group, partition), encode_value(offset, now), ())
            for partition, offset in offsets.items()
        ]
        self._partition.append(encode_batch(records), sync=sync)

    def forget(self) -> None:
        """Append a tombstone for each offset that is kept, as one batch, and flush it."""
        now = time.time_ns() // 1_000_000
        keys = [encode_key(self.group, partition) for partition in self.committed()]
        if keys:
            self._partition.append(encode_batch([(now, key, None, ()) for key in keys]), sync=True)

    def committed(self) -> Mapping[TopicPartition, int]:
        """All offsets the group has committed: what was known, and what came since."""
        news: dict[bytes, bytes | None] = {}
        while records := self._read(news):
            for record in records:
                if record.key is not None:
                    news[record.key] = record.value
        for key, value in news.items():  # the last of each: decoding them all would take most of the time
            self._apply(key, value)
        return self._offsets

    def _read(self, news: dict[bytes, bytes | None]) -> list[RawRecord]:
        try:
            return self._reader.read(_READ_BYTES)
        except OffsetOutOfRange:
            start = self._partition.state().log_start_offset
            if self._reader.offset >= start:
                raise
            # Compacted away while nobody read here, tombstones perhaps among it: read all that is left.
            self._offsets.clear()
            news.clear()
            self._reader.seek(start)
            return self._reader.read(_READ_BYTES)

    def _apply(self, key: bytes, value: bytes | None) -> None:
        decoded = decode_key(key)
        if decoded is None or decoded[0] != self.group:
            return
        if value is None:
            self._offsets.pop(decoded[1], None)
        else:
            self._offsets[decoded[1]] = decode_value(value)
