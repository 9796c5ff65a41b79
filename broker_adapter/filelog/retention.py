"""Deleting old segments: by age, and by how much there is.

Owns no file; called within `Partition.cleaning`, by any process. Whole segments
go, the oldest first, so that a log keeps at least what its topic's settings
say. The rules are Kafka's: a segment is as old as its newest record, and the
active segment is rolled and goes, too, where all of its records are too old.
"""

import time

from broker_adapter.filelog.partition import Partition
from broker_adapter.filelog.segment import LogSegment
from broker_adapter.filelog.state import LogState


def delete_old_segments(partition: Partition, now: int | None = None) -> int:
    """Delete what `partition`'s settings no longer keep; return how many segments that were.

    `now` is in ms since 1970, by default the machine's clock. Raises `LogIOError` or `CorruptLog`.
    """
    if now is None:
        now = time.time_ns() // 1_000_000
    partition.drop_before_start()  # what somebody did not come to
    if not partition.config.is_deleted:
        return 0
    state = partition.state()
    bases = partition.bases(state)
    gone = _count_deletable(partition, state, bases, now)
    if gone == len(bases):
        partition.roll()
        following = partition.state().active_base
    else:
        following = bases[gone]
    if gone:
        partition.raise_log_start(following)
    return gone


def _count_deletable(partition: Partition, state: LogState, bases: list[int], now: int) -> int:
    """How many of the oldest segments are too old or too much. An empty active one is neither."""
    config = partition.config
    # Segments are opened one after the other: a long log has more than a process may have open.
    sizes = [partition.limit(partition.segment(base, state), state) for base in bases]
    if sizes[-1] == 0:
        bases, sizes = bases[:-1], sizes[:-1]
    count = 0
    if config.retention_ms >= 0:
        for base in bases:
            is_active = base == state.active_base
            newest = state.max_timestamp if is_active else _newest(partition.segment(base, state))
            if now - newest <= config.retention_ms:
                break
            count += 1
    if config.retention_bytes >= 0:
        over = sum(sizes) - config.retention_bytes
        by_size = 0
        while by_size < len(sizes) and over - sizes[by_size] >= 0:
            over -= sizes[by_size]
            by_size += 1
        count = max(count, by_size)
    return count


def _newest(segment: LogSegment) -> int:
    """The largest timestamp of a closed segment (ms); when its file was written if its records have none."""
    entry = segment.time_index.last()
    if entry is not None and entry.timestamp >= 0:
        return entry.timestamp
    scan = segment.scan(segment.file_size(), 4096, check=False)
    return scan.max_timestamp if scan.max_timestamp >= 0 else segment.modified()
