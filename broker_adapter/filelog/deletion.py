"""Taking segments away from a partition, or putting others in their place.

Owns the names of closed segments while ``.clean.lock`` is held, and the log's
start. What is to go is decided elsewhere (`retention`, `compaction`, or whoever
asks for a deletion); here it is done so that readers and writers go on: the
published state changes first, under ``.wlock``, then the files.
"""

from bisect import bisect_right
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from broker_adapter.errors import OffsetOutOfRange
from broker_adapter.filelog.checkpoints import LOG_START
from broker_adapter.filelog.files import reporting, sync_directory
from broker_adapter.filelog.open_log import OpenLog
from broker_adapter.filelog.segment import segment_bases
from broker_adapter.filelog.segments import remove_segment


@contextmanager
def cleaning(log: OpenLog) -> Iterator[bool]:
    """Whether this process may replace and delete segments, which one may at a time."""
    with reporting("clean", log.directory):
        is_ours = log.clean_lock.try_acquire()
    try:
        yield is_ours
    finally:
        if is_ours:
            log.clean_lock.release()


def delete_records(log: OpenLog, before: int) -> int:
    """Delete the records before offset `before`, and return the log's new start.

    Raises `OffsetOutOfRange` or `LogIOError`.
    """
    with reporting("delete records of", log.directory), log.lock:
        _, state = log.writable()
        if not 0 <= before <= state.log_end_offset:
            raise OffsetOutOfRange(
                f"offset {before} of {log.name} is out of range: records before 0 to "
                f"{state.log_end_offset} can be deleted"
            )
        if before > state.log_start_offset:
            log.checkpoints.put(LOG_START, log.name, before)
            state = state._replace(log_start_offset=before, deleted_before=before)
            log.page.publish(state)
    with cleaning(log) as is_ours:
        if is_ours:
            drop_before_start(log)
    return state.log_start_offset


def raise_log_start(log: OpenLog, base: int) -> None:
    """Have the log begin with the segment `base`, and delete those before it. Within `cleaning`."""
    with reporting("delete segments of", log.directory), log.lock:
        _, state = log.writable()
        log.page.publish(state._replace(log_start_offset=max(base, state.log_start_offset)))
    drop_before_start(log)


def drop_before_start(log: OpenLog) -> None:
    """Delete the segments that are wholly before the log's start. Within `cleaning`."""
    with reporting("delete segments of", log.directory), log.lock:
        _, state = log.writable()
        bases = segment_bases(log.directory)
        gone = bases[: max(bisect_right(bases, state.log_start_offset) - 1, 0)]
        if gone:
            log.page.publish(state._replace(layout=state.layout + 1))
            for base in gone:
                remove_segment(log.directory, base)
            sync_directory(log.directory)


def replace_segments(log: OpenLog, swap: Callable[[], None]) -> None:
    """Call `swap`, which replaces closed segments, while nobody writes. Within `cleaning`."""
    with reporting("replace segments of", log.directory), log.lock:
        _, state = log.writable()
        swap()
        log.page.publish(state._replace(layout=state.layout + 1))
