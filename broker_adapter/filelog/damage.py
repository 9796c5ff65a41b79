"""Finding the next sound batch behind damage: by its looks, byte by byte, and by its checksum.

Owns no file. Functions over a segment's bytes: any thread, any process.
"""

from typing import Final

from broker_adapter.errors import CorruptBatch
from broker_adapter.filelog.batch import HEADER_SIZE, BatchHeader, check_batch, read_header
from broker_adapter.filelog.partition import Partition
from broker_adapter.filelog.segment import LogSegment
from broker_adapter.filelog.state import LogState

_CHUNK: Final = 1024 * 1024
_MAGIC_AT: Final = 16
_MAGIC: Final = b"\x02"


def find_behind(
    partition: Partition, state: LogState, offset: int, damaged: LogSegment | None, position: int
) -> tuple[LogSegment, int, BatchHeader] | None:
    """The first sound batch that reaches to `offset` or beyond; None if the log has none.

    It is looked for in the segment `damaged` behind `position`, and then in those that follow; in the one
    that should have `offset` where no segment is given. Raises `OSError` or `CorruptLog`.
    """
    bases = partition.bases(state)
    if damaged is None:
        first = max((base for base in bases if base <= offset), default=bases[0])
    else:
        first = damaged.base_offset
        found = _find(damaged, position + 1, partition.limit(damaged, state), offset, state.log_end_offset)
        if found is not None:
            return damaged, *found
    for base in bases:
        if base > first or (base == first and damaged is None):
            segment = partition.segment(base, state)
            found = _find(segment, 0, partition.limit(segment, state), offset, state.log_end_offset)
            if found is not None:
                return segment, *found
    return None


def _find(
    segment: LogSegment, position: int, limit: int, offset: int, log_end: int
) -> tuple[int, BatchHeader] | None:
    while limit - position >= HEADER_SIZE:
        chunk = segment.read(position, min(_CHUNK, limit - position))
        at = chunk.find(_MAGIC, _MAGIC_AT)
        while at >= 0:
            header = _sound_batch(segment, chunk, position, at - _MAGIC_AT, limit)
            if (
                header is not None
                and segment.base_offset <= header.base_offset
                and header.last_offset < log_end
            ):
                if header.last_offset >= offset:
                    return position + at - _MAGIC_AT, header
                at += header.size  # what is sound and before the place is not looked into
            else:
                at += 1
            at = chunk.find(_MAGIC, at)
        # A header may lie over the end of this chunk.
        position += max(len(chunk) - HEADER_SIZE + 1, 1)
    return None


def _sound_batch(segment: LogSegment, chunk: bytes, start: int, at: int, limit: int) -> BatchHeader | None:
    """The header of the batch at byte `at` of a chunk that begins at `start`, if one is there and whole."""
    try:
        header = read_header(chunk, at)
        if start + at + header.size > limit or header.records_count > header.last_offset_delta + 1:
            return None
        return check_batch(segment.read(start + at, header.size))
    except CorruptBatch:
        return None
