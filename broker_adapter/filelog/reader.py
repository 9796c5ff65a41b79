"""Reading a partition in order, from any offset.

Owns no file. A `LogReader` is one reader's place in one partition: for one
thread at a time. Any number of them may read a partition while it is written.
"""

import logging

from broker_adapter.broker import RawRecord
from broker_adapter.errors import CorruptBatch
from broker_adapter.filelog.batch import HEADER_SIZE, BatchHeader, decode_batch, read_header
from broker_adapter.filelog.damage import find_behind
from broker_adapter.filelog.files import reporting
from broker_adapter.filelog.partition import Partition
from broker_adapter.filelog.segment import LogSegment
from broker_adapter.filelog.state import LogState

_log = logging.getLogger(__name__)


class LogReader:
    """A place in a partition. Reading on costs no search: the place in the file is remembered."""

    def __init__(self, partition: Partition, offset: int, *, skips_damage: bool = False) -> None:
        """Read `partition` from `offset`, which is looked at by the first `read`.

        With `skips_damage` a batch that is damaged is passed over, and logged; otherwise it is an error.
        """
        self.partition = partition
        self.offset = offset
        """The offset of the next record to be read."""
        self._segment: LogSegment | None = None
        self._position = 0
        self._is_within_batch = False
        self._skips_damage = skips_damage

    def seek(self, offset: int) -> None:
        """Go on at `offset`."""
        if offset != self.offset:
            self.offset = offset
            self._segment = None

    def read(self, max_bytes: int) -> list[RawRecord]:
        """The records of the next whole batches within `max_bytes`, at least of one; [] at the log's end.

        Raises `OffsetOutOfRange`, `CorruptBatch` or `LogIOError`, and stays where it is.
        """
        records: list[RawRecord] = []
        while not records:
            state = self.partition.state()
            segment = None
            try:
                segment = self._segment_to_read(state)
                if segment is None:
                    break
                # The segment may be newer than the state was: then its size would not be its valid size.
                state = self.partition.state()
                records = self._decode(segment, self._fetch(segment, max_bytes, state), state)
            except CorruptBatch as error:
                if not self._skips_damage:
                    raise
                self._pass_over(segment, state, error)
        return records

    def _pass_over(self, segment: LogSegment | None, state: LogState, error: CorruptBatch) -> None:
        with reporting("read", self.partition.directory):
            found = find_behind(self.partition, state, self.offset, segment, self._position)
        before = self.offset
        if found is None:
            self._segment, self.offset = None, state.log_end_offset
        else:
            self._segment, self._position, header = found
            self.offset = max(self.offset, header.base_offset)
            self._is_within_batch = True
        _log.warning(
            "%s: offsets %d to %d were passed over: %s", self.partition.name, before, self.offset - 1, error
        )

    def _segment_to_read(self, state: LogState) -> LogSegment | None:
        """The segment with the next batch, with `_position` there; None at the log's end."""
        if self.offset == state.log_end_offset:
            return None
        segment = self._segment
        if segment is not None and self._may_go_on(segment, state):
            if self._position < self.partition.limit(segment, state):
                return segment
            if segment.base_offset == state.active_base:
                return None
        else:
            self._is_within_batch = True
        self._segment, self._position = self.partition.locate(self.offset)
        state = self.partition.state()
        return self._segment if self._position < self.partition.limit(self._segment, state) else None

    def _may_go_on(self, segment: LogSegment, state: LogState) -> bool:
        """Whether the remembered place still holds: a segment that retention deleted is read to its end."""
        first = state.log_start_offset
        if self.offset < first and self._position < self.partition.limit(segment, state):
            first = state.deleted_before
        return first <= self.offset <= state.log_end_offset

    def _fetch(self, segment: LogSegment, max_bytes: int, state: LogState) -> bytes:
        with reporting("read", segment.path):
            left = self.partition.limit(segment, state) - self._position
            data = segment.read(self._position, min(max(max_bytes, HEADER_SIZE), left))
            size = self._first_size(segment, data)
            if size > len(data):
                # A batch larger than asked for is read whole: a reader could not go on otherwise.
                data = segment.read(self._position, min(size, left))
        return data

    def _first_size(self, segment: LogSegment, data: bytes) -> int:
        try:
            return read_header(data).size
        except CorruptBatch as error:
            raise self._damage(segment, error) from error

    def _decode(self, segment: LogSegment, data: bytes, state: LogState) -> list[RawRecord]:
        topic, partition = self.partition.name
        records: list[RawRecord] = []
        at, offset = 0, self.offset
        while at == 0 or len(data) - at >= HEADER_SIZE:
            try:
                header = read_header(data, at)
                if at and at + header.size > len(data):
                    break
                if header.base_offset != offset:
                    self._check_place(segment, self._position + at, header, offset, state)
                records += decode_batch(data, at, topic=topic, partition=partition, from_offset=offset)
            except CorruptBatch as error:
                if records:
                    break  # these are sound; the next read comes back to this batch
                raise self._damage(segment, error) from error
            at += header.size
            offset = header.last_offset + 1
        self._position += at
        self.offset = offset
        self._is_within_batch = False
        return records

    def _check_place(
        self, segment: LogSegment, position: int, header: BatchHeader, offset: int, state: LogState
    ) -> None:
        # After a seek a reader may begin within a batch; a gap may be what compaction left. Anything else
        # is damage, and a gap may be as well.
        if header.last_offset < offset or (header.base_offset < offset and not self._is_within_batch):
            raise CorruptBatch(
                f"a batch says that it has offsets {header.base_offset} to {header.last_offset}, "
                f"where offset {offset} is due"
            )
        self.partition.confirm(segment, position, header, state)

    def _damage(self, segment: LogSegment, error: CorruptBatch) -> CorruptBatch:
        return CorruptBatch(
            f"offset {self.offset} of {self.partition.name} cannot be read ({segment.path}, byte "
            f"{self._position}): {error}. Restore that file from a copy, or seek to behind the damage, or "
            'connect with "?damaged=skip"'
        )
