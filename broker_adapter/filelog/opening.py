"""Opening a partition: its state is taken over where it can be trusted, or else the log is recovered.

Whoever opens holds ``.wlock`` all the while, and puts right what others left
who died: the files of a compaction, a segment that was not published, a tail
that was not acknowledged, index files that are missing or cannot be right.
"""

import logging
from collections.abc import Callable
from pathlib import Path

from broker_adapter.filelog.checkpoints import LOG_START, RECOVERY_POINT, Checkpoints
from broker_adapter.filelog.config import TopicConfig
from broker_adapter.filelog.files import reporting
from broker_adapter.filelog.locks import FileLock
from broker_adapter.filelog.open_log import OpenLog, limit_of
from broker_adapter.filelog.producers import drop_snapshots, snapshots
from broker_adapter.filelog.recovery import drop_unpublished, recover
from broker_adapter.filelog.segment import segment_bases
from broker_adapter.filelog.segments import drop_unfinished, finish_swaps
from broker_adapter.filelog.state import LogState, StatePage
from broker_adapter.nouns import TopicPartition

_log = logging.getLogger(__name__)


def open_log(
    directory: Path,
    name: TopicPartition,
    config: TopicConfig,
    *,
    checkpoints: Checkpoints,
    reload: Callable[[], TopicConfig] | None,
) -> OpenLog:
    """Open the partition kept in `directory`, which exists. Raises `CorruptLog` or `LogIOError`."""
    lock = FileLock(directory / ".wlock")
    with reporting("open", directory):
        try:
            with lock:
                page = StatePage(directory / ".state")
                try:
                    log = OpenLog(
                        directory,
                        name,
                        config,
                        checkpoints=checkpoints,
                        reload=reload,
                        lock=lock,
                        page=page,
                    )
                    _take_over(log)
                except BaseException:
                    page.close()
                    raise
        except BaseException:
            lock.close()
            raise
    return log


def _take_over(log: OpenLog) -> None:
    if log.clean_lock.try_acquire():
        try:
            drop_unfinished(log.directory)
        finally:
            log.clean_lock.release()
    is_settled = finish_swaps(log.directory)
    page = log.page
    state = page.read()
    mark = log.checkpoints.kafkas_mark()
    if state is not None and _size_of(log, state.active_base) >= state.committed_bytes and page.mark == mark:
        if is_settled:
            state = state._replace(layout=state.layout + 1)
            page.publish(state)
    else:
        state = _recover(log)
        before = page.remembered()
        page.mark = mark
        page.begin(state._replace(layout=0 if before is None else before.layout + 1))
        state = page.published()
    drop_unpublished(log.directory, state.active_base)
    log.writable()
    _repair_indexes(log, state)


def _recover(log: OpenLog) -> LogState:
    recovery_point = log.checkpoints.get(RECOVERY_POINT, log.name)
    remembered = log.page.remembered()
    if (
        remembered is not None
        and log.page.mark == log.checkpoints.kafkas_mark()
        and remembered.log_end_offset == remembered.recovery_point == recovery_point
        and segment_bases(log.directory)[-1:] == [remembered.active_base]
        and _size_of(log, remembered.active_base) == remembered.committed_bytes
    ):
        return remembered  # closed, flushed, and not written since
    deleted_before = log.checkpoints.get(LOG_START, log.name)
    state = recover(log.directory, log.config.index_interval_bytes, recovery_point, deleted_before)
    later = [each for each in snapshots(log.directory) if each > state.log_end_offset]
    drop_snapshots(log.directory, later)  # of what was cut
    return state


def _size_of(log: OpenLog, base: int) -> int:
    try:
        return (log.directory / f"{base:020d}.log").stat().st_size
    except FileNotFoundError:
        return -1


def _repair_indexes(log: OpenLog, state: LogState) -> None:
    interval = log.config.index_interval_bytes
    for base in log.bases(state):
        segment = log.segment(base, state)
        limit = limit_of(segment, state)
        if not segment.indexes_are_sound(limit, interval):
            _log.warning("%s: its index files are missing or wrong and were rebuilt", segment.path)
            segment.rebuild_indexes(segment.scan(limit, interval, check=False))
