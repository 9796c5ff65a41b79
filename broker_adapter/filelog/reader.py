"""Reading a partition in order, from any offset.

Owns no file. A `LogReader` is one reader's place in one partition: for one
thread at a time. Any number of them may read a partition while it is written.
"""

from broker_adapter.broker import RawRecord
from broker_adapter.errors import CorruptBatch
from broker_adapter.filelog.batch import HEADER_SIZE, decode_batch, read_header
from broker_adapter.filelog.files import reporting
from broker_adapter.filelog.partition import Partition
from broker_adapter.filelog.segment import LogSegment


class LogReader:
    """A place in a partition. Reading on costs no search: the place in the file is remembered."""

    def __init__(self, partition: Partition, offset: int) -> None:
        """Read `partition` from `offset`, which is looked at by the first `read`."""
        self.partition = partition
        self.offset = offset
        """The offset of the next record to be read."""
        self._segment: LogSegment | None = None
        self._position = 0

    def seek(self, offset: int) -> None:
        """Go on at `offset`."""
        if offset != self.offset:
            self.offset = offset
            self._segment = None

    def read(self, max_bytes: int) -> list[RawRecord]:
        """The records of the next whole batches within `max_bytes`, of one batch at least; [] at the log's end.

        Raises `OffsetOutOfRange`, `CorruptBatch` or `LogIOError`, and stays where it is.
        """
        records: list[RawRecord] = []
        while not records:
            data = self._fetch(max_bytes)
            if not data:
                break
            records = self._decode(data)
        return records

    def _fetch(self, max_bytes: int) -> bytes:
        state = self.partition.state()
        if self.offset == state.log_end_offset:
            return b""
        if self._segment is None or not state.log_start_offset <= self.offset <= state.log_end_offset:
            self._segment, self._position = self.partition.locate(self.offset)
        segment = self._segment
        with reporting("read", segment.path):
            while self._position >= (limit := self.partition.limit(segment, state)):
                if segment.base_offset == state.active_base:
                    return b""
                bases = self.partition.bases(state)
                segment = self.partition.segment(bases[bases.index(segment.base_offset) + 1])
                self._segment, self._position = segment, 0
            data = segment.read(self._position, min(max_bytes, limit - self._position))
            size = read_header(data).size
            if size > len(data):
                # A batch larger than asked for is read whole: a reader could not go on otherwise.
                data = segment.read(self._position, min(size, limit - self._position))
        return data

    def _decode(self, data: bytes) -> list[RawRecord]:
        topic, partition = self.partition.name
        records: list[RawRecord] = []
        at, offset = 0, self.offset
        while at == 0 or len(data) - at >= HEADER_SIZE:
            header = read_header(data, at)
            if at and at + header.size > len(data):
                break
            if header.last_offset < offset or (at and header.base_offset < offset):
                raise CorruptBatch(
                    f"{self.partition.name}: a batch of offsets {header.base_offset} to {header.last_offset} stands "
                    f"where offset {offset} is due"
                )
            records += decode_batch(data, at, topic=topic, partition=partition, from_offset=offset)
            at += header.size
            offset = header.last_offset + 1
        self._position += at
        self.offset = offset
        return records
