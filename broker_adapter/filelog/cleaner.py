"""Cleaning a partition: what its topic's settings no longer keep is deleted, or compacted away.

Owns no file. Any process that has a partition open may call `clean`; one does
it at a time, and the others pass over it. Nobody waits for a cleaner, and one
that dies leaves nothing that the next does not put right.
"""

from broker_adapter.filelog.compaction import compact
from broker_adapter.filelog.partition import Partition
from broker_adapter.filelog.retention import delete_old_segments


def clean(partition: Partition, now: int | None = None, *, force: bool = False) -> bool:
    """Apply retention and compaction to `partition`; whether this process did, or another is at it.

    `now` is in ms since 1970, by default the machine's clock. With `force`
    closed segments are compacted however little there is to gain. Raises
    `LogIOError`, `CorruptBatch` or `CorruptLog`.
    """
    with partition.cleaning() as is_ours:
        if is_ours:
            partition.refresh_config()
            delete_old_segments(partition, now)
            compact(partition, now, force=force)
        return is_ours
