"""Finding a place in a partition: by offset, and by time.

Owns no file and takes no lock: any thread, any process. A segment that is gone
from the disk between listing and opening was deleted or replaced by another
process: then the log is settled and looked at again.
"""

from bisect import bisect_right
from collections.abc import Callable
from typing import Final, TypeVar

from broker_adapter.errors import LogIOError, OffsetOutOfRange
from broker_adapter.filelog.files import reporting
from broker_adapter.filelog.open_log import OpenLog, limit_of
from broker_adapter.filelog.segment import LogSegment
from broker_adapter.filelog.state import LogState

_TRIES: Final = 5
_Found = TypeVar("_Found")


def locate(log: OpenLog, offset: int) -> tuple[LogSegment, int]:
    """The segment and the position of the batch with `offset`, or of the first after it.

    The log's end is a place, too: the end of the active segment. Raises
    `OffsetOutOfRange`, `CorruptBatch` or `LogIOError`.
    """

    def look(state: LogState) -> tuple[LogSegment, int]:
        if not state.log_start_offset <= offset <= state.log_end_offset:
            raise OffsetOutOfRange(
                f"offset {offset} of {log.name} is out of range: the log has "
                f"{state.log_start_offset} to {state.log_end_offset} (its end); seek to one of these"
            )
        return locate_in(log, offset, state)

    return _settled(log, look)


def locate_in(log: OpenLog, offset: int, state: LogState) -> tuple[LogSegment, int]:
    """As `locate`, among the segments of `state`. Raises `FileNotFoundError` if one is gone."""
    bases = log.bases(state)
    for base in bases[max(bisect_right(bases, offset) - 1, 0) :]:
        segment = log.segment(base, state)
        with reporting("read", segment.path):
            found = segment.locate(offset, limit_of(segment, state))
        if found is not None:
            log.confirm(segment, *found, state)
            return segment, found[0]
    return log.segment(state.active_base, state), state.committed_bytes


def offset_for_timestamp(log: OpenLog, timestamp: int) -> int | None:
    """The first offset whose record is of `timestamp` (ms) or later; None if there is none.

    Raises `CorruptBatch` or `LogIOError`.
    """

    def look(state: LogState) -> int | None:
        for base in log.bases(state):
            segment = log.segment(base, state)
            with reporting("read", segment.path):
                limit = limit_of(segment, state)
                offset = segment.offset_for_timestamp(timestamp, limit, state.log_start_offset)
            if offset is not None:
                return offset
        return None

    return _settled(log, look)


def _settled(log: OpenLog, look: Callable[[LogState], _Found]) -> _Found:
    """What `look` finds in a state all of whose segments are on the disk. Raises `LogIOError`."""
    for _ in range(_TRIES):
        state = log.state()
        try:
            return look(state)
        except FileNotFoundError as error:
            failure = error
            log.settle()
        except OSError as error:
            raise LogIOError("open a segment of", log.directory, error) from error
    raise LogIOError("open", log.directory, failure)
