"""The tail of a partition: batches written behind what is valid, their index entries, and the next segment.

Owns the active segment's files while ``.wlock`` is held, which every caller
holds. What is written here is not valid until the state that `write` returns
is published; a `roll` publishes by itself.
"""

import logging

from broker_adapter.filelog.batch import PREFIX, BatchHeader
from broker_adapter.filelog.checkpoints import RECOVERY_POINT
from broker_adapter.filelog.files import sync_directory
from broker_adapter.filelog.index import OffsetPosition
from broker_adapter.filelog.numbering import Numbering
from broker_adapter.filelog.open_log import OpenLog
from broker_adapter.filelog.segment import MAX_RELATIVE_OFFSET, LogSegment
from broker_adapter.filelog.state import LogState

_log = logging.getLogger(__name__)


class Tail:
    """Where a partition grows."""

    def __init__(self, log: OpenLog, numbering: Numbering) -> None:
        self._log = log
        self._numbering = numbering
        self._last_entry = OffsetPosition(-1, -1)
        self.has_rolled = False
        """Set by a roll, for whoever wants to know of it."""

    def write(self, segment: LogSegment, state: LogState, header: BatchHeader, batch: bytes) -> LogState:
        """Write a batch behind `state`, and give the state with it. Raises OSError; then it is not there."""
        position = state.committed_bytes
        prefix = PREFIX.pack(state.log_end_offset, header.batch_length, 0)
        try:
            segment.write((prefix, memoryview(batch)[PREFIX.size :]), position)
        except OSError:
            segment.cut(position)
            raise
        end = state.log_end_offset + header.records_count
        is_first = position == 0
        is_newest = header.max_timestamp > state.max_timestamp
        return state._replace(
            committed_bytes=position + header.size,
            log_end_offset=end,
            first_timestamp=header.max_timestamp if is_first else state.first_timestamp,
            max_timestamp=header.max_timestamp if is_newest else state.max_timestamp,
            max_timestamp_offset=end - 1 if is_newest else state.max_timestamp_offset,
        )

    # ---------------------------------------------------------------- index entries

    def index(self, segment: LogSegment, state: LogState, position: int) -> None:
        """Add the index entries that are due for the batch at `position`, the last in `state`."""
        try:
            self._add_entries(segment, state, position)
        except OSError as error:
            # The batch is published; an entry that is missing only makes a search longer.
            _log.warning("%s: no index entry at byte %d: %s", segment.path, position, error)

    def _add_entries(self, segment: LogSegment, state: LogState, position: int) -> None:
        # Another process may have indexed a batch since our last one; the entry we remember then is too old,
        # which only means that we look at the file.
        interval = self._log.config.index_interval_bytes
        if (
            position - self._last_entry.position <= interval
            and self._last_entry.offset >= segment.base_offset
        ):
            return
        last = segment.offset_index.last() or OffsetPosition(segment.base_offset, 0)
        if position - last.position > interval:
            last = OffsetPosition(state.log_end_offset - 1, position)
            segment.offset_index.append(*last)
            _index_time(segment, state)
        self._last_entry = last

    # ---------------------------------------------------------------- the next segment

    def is_roll_due(self, segment: LogSegment, state: LogState, header: BatchHeader) -> bool:
        """Whether a batch is to begin a segment rather than to go into this one."""
        if state.committed_bytes == 0:
            return False
        config = self._log.config
        return (
            state.committed_bytes + header.size > config.segment_bytes
            or (0 <= state.first_timestamp < header.max_timestamp - config.segment_ms)
            or state.log_end_offset + header.last_offset_delta - state.active_base > MAX_RELATIVE_OFFSET
            or segment.offset_index.is_full(config.segment_index_bytes)
            or segment.time_index.is_full(config.segment_index_bytes)
        )

    def roll(self, segment: LogSegment, state: LogState) -> tuple[LogSegment, LogState]:
        """Close the active segment, begin another, and publish it. Raises `OSError`."""
        log = self._log
        _index_time(segment, state)
        # Closed segments are on the disk, so a recovery may always begin with the active one.
        segment.sync()
        segment.sync_indexes()
        self._numbering.save(state)
        base = state.log_end_offset
        fresh = LogSegment(log.directory, base, fresh=True)
        sync_directory(log.directory)
        log.segments.add(fresh)
        state = state._replace(
            active_base=base,
            committed_bytes=0,
            first_timestamp=-1,
            max_timestamp=-1,
            max_timestamp_offset=-1,
            recovery_point=base,
        )
        log.checkpoints.put(RECOVERY_POINT, log.name, base)
        log.page.publish(state)
        self.has_rolled = True
        return fresh, state


def _index_time(segment: LogSegment, state: LogState) -> None:
    """Add the newest timestamp to the index unless it has one that is as new."""
    newest = segment.time_index.last()
    if newest is None or state.max_timestamp > newest.timestamp:
        segment.time_index.append(state.max_timestamp, state.max_timestamp_offset)
