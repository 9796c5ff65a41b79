"""Compaction: of each key only the last record is kept, and a tombstone only for a while.

Owns ``<base>.log.cleaned`` and its indexes while it writes them; called within
`Partition.cleaning`, by any process. Only closed segments are compacted, so
writers are held up for nothing but the renaming at the end, and readers for
nothing at all: what they have open they read to its end.

The rules are Kafka's, and so is what is left on the disk. Offsets never change.
A batch keeps its first and last offset, its producer and its sequence numbers,
whatever of its records is left. One of which nothing is left goes, unless it is
the last of its producer, which then still tells where that producer is. A
tombstone's batch is marked, when it is first met, with the time from which on
the tombstone may go.
"""

import logging
import time
from collections.abc import Iterator
from hashlib import blake2b
from typing import Final, NamedTuple

from broker_adapter.broker import RawRecord, TimestampType
from broker_adapter.errors import Closed, CorruptBatch
from broker_adapter.filelog.batch import (
    HEADER_SIZE,
    BatchHeader,
    NewRecord,
    check_batch,
    decode_batch,
    empty_batch,
    read_header,
    replacement_batch,
)
from broker_adapter.filelog.checkpoints import CLEANER
from broker_adapter.filelog.files import reporting
from broker_adapter.filelog.partition import Partition
from broker_adapter.filelog.segment import MAX_RELATIVE_OFFSET, LogSegment
from broker_adapter.filelog.segments import CLEANED, drop_unfinished, swap_in
from broker_adapter.filelog.state import LogState

MOST_KEYS: Final = 1_000_000
"""How many keys are remembered in one pass, about 200 MB. Where there are more, there are more passes."""
_KEY_BYTES: Final = 16
"""Keys are remembered by a hash so long that no two are alike."""

_log = logging.getLogger(__name__)


class _Work(NamedTuple):
    """What one pass knows."""

    last: dict[bytes, int]
    """The last offset of each key in the dirty part, by the key's hash."""
    producers: dict[int, int]
    """The last offset of each producer's last batch."""
    now: int
    horizon: int
    """The time (ms) from which on a tombstone that is met now may go."""


def compact(partition: Partition, now: int | None = None, *, force: bool = False) -> int:
    """Compact `partition`'s closed segments, if its settings say so; return how many bytes that saved.

    `now` is in ms since 1970, by default the machine's clock. With `force` it is done however little was
    never compacted. Raises `LogIOError`, `CorruptBatch`, `CorruptLog`, or `Closed`;
    then the log is as it was.
    """
    if not partition.config.is_compacted:
        return 0
    if now is None:
        now = time.time_ns() // 1_000_000
    saved = 0
    _roll_overdue(partition, now)
    while True:
        state = partition.state()
        closed = _cleanable(partition, state, now)
        dirty_from = partition.checkpoints.get(CLEANER, partition.name)
        dirty_from = dirty_from if state.log_start_offset <= dirty_from <= state.log_end_offset else 0
        sizes = [(base, partition.segment(base, state).file_size()) for base in closed]
        dirty = sum(size for base, size in sizes if base >= dirty_from)
        total = sum(size for _, size in sizes)
        if not dirty and not (force and total):
            return saved
        is_enough = dirty > total * partition.config.min_cleanable_dirty_ratio
        if not (force or is_enough or _is_overdue(partition, state, dirty_from, now)):
            return saved
        end = _end(partition, state, closed[-1])
        done, until = _pass(partition, state, closed, dirty_from, now)
        saved += done
        partition.checkpoints.put(CLEANER, partition.name, until)
        if until >= end:
            return saved


def _cleanable(partition: Partition, state: LogState, now: int) -> list[int]:
    """The bases of the closed segments up to the first that has a record too young."""
    cleanable: list[int] = []
    lag = partition.config.min_compaction_lag_ms
    for base in partition.bases(state)[:-1]:
        newest = partition.segment(base, state).time_index.last()
        if lag and (newest is None or newest.timestamp > now - lag):
            break
        cleanable.append(base)
    return cleanable


def _roll_overdue(partition: Partition, now: int) -> None:
    """Close the active segment if what it begins with may wait for its compaction no longer."""
    state = partition.state()
    if 0 < state.first_timestamp < now - partition.config.max_compaction_lag_ms:
        partition.roll()


def _is_overdue(partition: Partition, state: LogState, dirty_from: int, now: int) -> bool:
    """Whether a closed segment that was never compacted begins with a batch that is too old for that."""
    oldest = now - partition.config.max_compaction_lag_ms
    if oldest <= 0:
        return False
    for base in partition.bases(state)[:-1]:
        segment = partition.segment(base, state)
        if base < dirty_from or not segment.file_size():
            continue
        if 0 < read_header(segment.read(0, HEADER_SIZE)).max_timestamp < oldest:
            return True
    return False


def _end(partition: Partition, state: LogState, base: int) -> int:
    """The base offset of the segment after a closed one."""
    return next(each for each in partition.bases(state) if each > base)


def _pass(
    partition: Partition, state: LogState, closed: list[int], dirty_from: int, now: int
) -> tuple[int, int]:
    """Compact as far as there is room for keys; the bytes saved, and the offset up to which it came."""
    last: dict[bytes, int] = {}
    until = dirty_from
    used = [base for base in closed if base < dirty_from]
    for base in closed[len(used) :]:
        _remember_keys(partition, partition.segment(base, state), state.log_start_offset, last)
        used.append(base)
        until = _end(partition, state, base)
        if len(last) >= MOST_KEYS:
            break
    producers = _last_of_producers(partition, state)
    work = _Work(last, producers, now, now + partition.config.delete_retention_ms)
    saved = sum(_replace(partition, state, group, work) for group in _groups(partition, state, used))
    return saved, until


def _remember_keys(partition: Partition, segment: LogSegment, log_start: int, last: dict[bytes, int]) -> None:
    for header, data in _whole_batches(partition, segment):
        # What a transaction wrote may have been taken back: it replaces nothing.
        if header.last_offset >= log_start and not header.is_transactional:
            for record in decode_batch(data, from_offset=log_start):
                if record.key is not None:
                    last[_hash(record.key)] = record.offset


def _hash(key: bytes) -> bytes:
    return blake2b(key, digest_size=_KEY_BYTES).digest()


def _whole_batches(partition: Partition, segment: LogSegment) -> Iterator[tuple[BatchHeader, bytes]]:
    """Every batch of a closed segment, checked. Raises `CorruptBatch`, and `Closed` if it is to end now."""
    size, position = segment.file_size(), 0
    try:
        for position, _ in segment.batches(0, size):
            if partition.is_closing:
                raise Closed(f"{partition.name} is being closed: its compaction is left to others")
            data = segment.read_batch(position, size)
            yield check_batch(data), data
    except CorruptBatch as error:
        raise CorruptBatch(
            f"{segment.path}, at or after byte {position}: {error}. The log is as it was; restore that file "
            "from a copy, or delete the records in it"
        ) from error


def _last_of_producers(partition: Partition, state: LogState) -> dict[int, int]:
    """The last offset of each producer's last batch, as far as the log goes now."""
    producers: dict[int, int] = {}
    for base in partition.bases(state):
        segment = partition.segment(base, state)
        for _, header in segment.batches(0, partition.limit(segment, state)):
            if header.producer_id >= 0:
                producers[header.producer_id] = header.last_offset
    return producers


def _groups(partition: Partition, state: LogState, bases: list[int]) -> list[list[int]]:
    """Neighbours that become one segment, since together they are not larger than one may be."""
    config = partition.config
    groups: list[list[int]] = []
    size = entries = 0
    for base in bases:
        segment = partition.segment(base, state)
        own, own_entries = segment.file_size(), segment.index_bytes()
        if (
            groups
            and size + own <= config.segment_bytes
            and entries + own_entries <= config.segment_index_bytes
            and _end(partition, state, base) - 1 - groups[-1][0] <= MAX_RELATIVE_OFFSET
        ):
            groups[-1].append(base)
        else:
            groups.append([base])
            size = entries = 0
        size += own
        entries += own_entries
    return groups


def _replace(partition: Partition, state: LogState, group: list[int], work: _Work) -> int:
    """Write what is left of a group of segments as one, and put it in their place. The bytes saved."""
    before = 0
    with reporting("compact", partition.directory):
        cleaned = LogSegment(partition.directory, group[0], fresh=True, added_suffix=CLEANED)
        try:
            size = 0
            for base in group:
                segment = partition.segment(base, state)
                before += segment.file_size()
                for header, data in _whole_batches(partition, segment):
                    left = _compacted(header, data, work)
                    if left:
                        cleaned.write((left, memoryview(b"")), size)
                        size += len(left)
            cleaned.rebuild_indexes(cleaned.scan(size, partition.config.index_interval_bytes, check=False))
            cleaned.sync()
            cleaned.sync_indexes()
        except (OSError, CorruptBatch, Closed):
            drop_unfinished(partition.directory)
            raise
        finally:
            cleaned.close()
    partition.replace_segments(lambda: swap_in(partition.directory, group[0], group))
    _log.info("%s: segments %s were compacted from %d to %d bytes", partition.name, group, before, size)
    return before - size


def _compacted(header: BatchHeader, data: bytes, work: _Work) -> bytes:
    """What is left of a batch: all of it as it was, some of its records, its header, or nothing."""
    if header.is_control or header.is_transactional:
        return data  # which of these count is for a transaction's markers to say, and those we do not follow
    may_go = header.delete_horizon is not None and work.now >= header.delete_horizon
    records = decode_batch(data)
    kept = [record for record in records if _is_kept(record, work, tombstones_go=may_go)]
    has_tombstones = any(record.value is None for record in kept)
    is_marked_now = has_tombstones and header.delete_horizon is None
    if not kept:
        is_last = header.producer_id >= 0 and work.producers.get(header.producer_id) == header.last_offset
        return empty_batch(header) if is_last else b""
    if len(kept) == header.records_count and not is_marked_now:
        return data
    new: list[tuple[int, NewRecord]] = [
        (each.offset - header.base_offset, (each.timestamp, each.key, each.value, each.headers))
        for each in kept
    ]
    if header.timestamp_type is TimestampType.LOG_APPEND_TIME:
        newest = header.max_timestamp
    else:
        newest = max(each.timestamp for each in kept)
    horizon = work.horizon if is_marked_now else header.delete_horizon
    return replacement_batch(header, new, newest, horizon)


def _is_kept(record: RawRecord, work: _Work, *, tombstones_go: bool) -> bool:
    if record.key is None:
        return False  # nothing can ever replace it: Kafka drops it, too
    if record.offset < work.last.get(_hash(record.key), -1):
        return False
    return record.value is not None or not tombstones_go
