"""Reading a partition in order, from any offset.

Owns no file. A `LogReader` is one reader's place in one partition: for one
thread at a time. Any number of them may read a partition while it is written.
"""

from broker_adapter.broker import RawRecord
from broker_adapter.errors import CorruptBatch
from broker_adapter.filelog.batch import HEADER_SIZE, BatchHeader, decode_batch, read_header
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
        """The records of the next whole batches within `max_bytes`, at least of one; [] at the log's end.

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
            size = self._first_size(data)
            if size > len(data):
                # A batch larger than asked for is read whole: a reader could not go on otherwise.
                data = segment.read(self._position, min(size, limit - self._position))
        return data

    def _first_size(self, data: bytes) -> int:
        try:
            return read_header(data).size
        except CorruptBatch as error:
            raise self._damage(self.offset, error) from error

    def _decode(self, data: bytes) -> list[RawRecord]:
        topic, partition = self.partition.name
        records: list[RawRecord] = []
        at, offset = 0, self.offset
        while at == 0 or len(data) - at >= HEADER_SIZE:
            try:
                header = read_header(data, at)
                if at and at + header.size > len(data):
                    break
                self._check_order(header, offset, is_first=at == 0)
                records += decode_batch(data, at, topic=topic, partition=partition, from_offset=offset)
            except CorruptBatch as error:
                if records:
                    break  # these are sound; the next read comes back to this batch
                raise self._damage(offset, error) from error
            at += header.size
            offset = header.last_offset + 1
        self._position += at
        self.offset = offset
        return records

    @staticmethod
    def _check_order(header: BatchHeader, offset: int, *, is_first: bool) -> None:
        # The checksum does not cover a batch's offset: its neighbours' offsets do. A gap is no damage,
        # since compaction leaves some. A reader may begin within a batch.
        if header.last_offset < offset or (not is_first and header.base_offset < offset):
            raise CorruptBatch(
                f"a batch says that it has offsets {header.base_offset} to {header.last_offset}, "
                f"where offset {offset} is due"
            )

    def _damage(self, offset: int, error: CorruptBatch) -> CorruptBatch:
        path = self._segment.path if self._segment is not None else self.partition.directory
        return CorruptBatch(
            f"offset {offset} of {self.partition.name} cannot be read ({path}, near byte {self._position}): "
            f"{error}. Restore that file from a copy, or seek to an offset after the damage"
        )
