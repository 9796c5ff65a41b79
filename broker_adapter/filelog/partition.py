"""One partition: the log that all processes append to and read.

Owns the directory ``<topic>-<p>/``: Kafka's files through `LogSegment`, and
``.wlock`` and ``.state`` beside them, which Kafka passes over. Any number of
processes may have the directory open, and any thread of any of them may call
any method.

Writers take ``.wlock`` for the time of one append. The order within it is what
makes a death at any point harmless: cut what a dead writer left, write the
batch, flush it if that was asked for, publish, then add the index entry. What
is not published was never acknowledged; an index entry that is missing only
makes a search a little longer. Readers take no lock: they read the published
state, and no byte beyond it.
"""

import logging
import threading
from bisect import bisect_right
from pathlib import Path

from broker_adapter.broker import TopicPartition
from broker_adapter.errors import (
    CorruptBatch,
    CorruptLog,
    InvalidRecord,
    LogIOError,
    OffsetOutOfRange,
    RecordTooLarge,
    UnknownTopic,
)
from broker_adapter.filelog.batch import HEADER_SIZE, PREFIX, BatchHeader, check_batch, read_header
from broker_adapter.filelog.config import TopicConfig
from broker_adapter.filelog.files import reporting, sync_directory
from broker_adapter.filelog.index import OffsetPosition
from broker_adapter.filelog.locks import FileLock
from broker_adapter.filelog.recovery import drop_unpublished, recover
from broker_adapter.filelog.segment import MAX_RELATIVE_OFFSET, LogSegment, segment_bases
from broker_adapter.filelog.state import LogState, StatePage
from broker_adapter.filelog.waiting import wait_until
from broker_adapter.forks import reset_in_child

_log = logging.getLogger(__name__)


class Partition:
    """An open partition. Raises `LogIOError` where the operating system refuses."""

    def __init__(self, directory: Path, name: TopicPartition, config: TopicConfig) -> None:
        """Open the directory, which exists; an empty one becomes an empty log.

        Cuts what a dead writer left, recovers the log where its published
        state cannot be trusted, and rebuilds index files that are missing or
        cannot be right. Raises `CorruptLog` or `LogIOError`.
        """
        self.directory = directory
        self.name = name
        self.config = config
        self._segments: dict[int, LogSegment] = {}
        self._segments_lock = threading.Lock()
        self._bases: list[int] = [-1]
        self._unflushed = False
        self._last_entry = OffsetPosition(-1, -1)
        self._lock = FileLock(directory / ".wlock")
        reset_in_child(self)
        with reporting("open", directory):
            try:
                with self._lock:
                    self._page = StatePage(directory / ".state")
                    try:
                        self._take_over()
                    except BaseException:
                        self._page.close()
                        raise
            except BaseException:
                self._lock.close()
                raise

    def after_fork(self) -> None:
        """In a forked child nobody holds a lock; files and the mapped page are shared with the parent."""
        self._segments_lock = threading.Lock()

    def state(self) -> LogState:
        """What is valid now, by whichever process. Costs about a microsecond."""
        return self._page.published()

    # ---------------------------------------------------------------- writing

    def append(self, batch: bytes, *, sync: bool = False) -> int:
        """Append one whole batch and return the offset of its first record.

        The batch is stored as it is but for its base offset and leader
        epoch. With `sync` it is on the disk before any reader sees it and
        before this returns. Raises `CorruptBatch`, `InvalidRecord`,
        `RecordTooLarge` or `LogIOError`; then nothing was appended.
        """
        header = self._validate(batch)
        with reporting("append to", self.directory), self._lock:
            segment, state = self._writable()
            if self._is_roll_due(segment, state, header):
                segment, state = self._roll(segment, state)
            base, position = state.log_end_offset, state.committed_bytes
            prefix = PREFIX.pack(base, header.batch_length, 0)
            try:
                segment.write((prefix, memoryview(batch)[PREFIX.size :]), position)
                if sync:
                    segment.sync()
            except OSError:
                segment.cut(position)
                raise
            state = self._after(state, header)
            self._page.publish(state)
            self._unflushed = not sync
            try:
                self._index(segment, state, position)
            except OSError as error:
                # The batch is published; an entry that is missing only makes a search longer.
                _log.warning("%s: no index entry for offset %d: %s", segment.path, base, error)
        return base

    def flush(self) -> None:
        """Flush to the disk what was appended by this process since the last flush."""
        if self._unflushed:
            self._unflushed = False
            try:
                with reporting("flush", self.directory):
                    self.segment(self.state().active_base).sync()
            except LogIOError:
                self._unflushed = True
                raise

    def _validate(self, batch: bytes) -> BatchHeader:
        if len(batch) > self.config.max_message_bytes:
            raise RecordTooLarge(
                f"a batch of {len(batch)} bytes for {self.name} is larger than the topic's "
                f"max.message.bytes={self.config.max_message_bytes}"
            )
        header = check_batch(batch)
        if header.size != len(batch):
            raise InvalidRecord(
                f"an append to {self.name} is one batch; {len(batch) - header.size} bytes follow the first"
            )
        if not header.last_offset_delta + 1 == header.records_count > 0 or header.is_control:
            raise InvalidRecord(
                f"a batch for {self.name} is no producer's: {header.records_count} records, "
                f"last offset delta {header.last_offset_delta}, attributes {header.attributes:#06x}"
            )
        return header

    def _writable(self) -> tuple[LogSegment, LogState]:
        self._check_there()
        state = self._page.published()
        segment = self.segment(state.active_base)
        size = segment.file_size()
        if size > state.committed_bytes:
            segment.cut(state.committed_bytes)  # a dead writer's: nobody was told that it was written
        elif size < state.committed_bytes:
            raise CorruptLog(
                f"{segment.path} has {size} bytes and {state.committed_bytes} were published: something cut "
                "it while it was open. Close every process that uses this log and open it again: the rest is "
                "then recovered"
            )
        return segment, state

    def _is_roll_due(self, segment: LogSegment, state: LogState, header: BatchHeader) -> bool:
        if state.committed_bytes == 0:
            return False
        return (
            state.committed_bytes + header.size > self.config.segment_bytes
            or (0 <= state.first_timestamp < header.max_timestamp - self.config.segment_ms)
            or state.log_end_offset + header.last_offset_delta - state.active_base > MAX_RELATIVE_OFFSET
            or segment.offset_index.is_full
        )

    def _roll(self, segment: LogSegment, state: LogState) -> tuple[LogSegment, LogState]:
        newest = segment.time_index.last()
        if newest is None or state.max_timestamp > newest.timestamp:
            segment.time_index.append(state.max_timestamp, state.max_timestamp_offset)
        # Closed segments are on the disk, so a recovery may always begin with the active one.
        segment.sync()
        segment.sync_indexes()
        base = state.log_end_offset
        fresh = LogSegment(self.directory, base, fresh=True)
        sync_directory(self.directory)
        with self._segments_lock:
            self._segments[base] = fresh
        state = state._replace(
            active_base=base, committed_bytes=0, first_timestamp=-1, max_timestamp=-1, max_timestamp_offset=-1
        )
        self._page.publish(state)
        return fresh, state

    @staticmethod
    def _after(state: LogState, header: BatchHeader) -> LogState:
        end = state.log_end_offset + header.records_count
        is_first = state.committed_bytes == 0
        is_newest = header.max_timestamp > state.max_timestamp
        return LogState(
            active_base=state.active_base,
            committed_bytes=state.committed_bytes + header.size,
            log_end_offset=end,
            log_start_offset=state.log_start_offset,
            first_timestamp=header.max_timestamp if is_first else state.first_timestamp,
            max_timestamp=header.max_timestamp if is_newest else state.max_timestamp,
            max_timestamp_offset=end - 1 if is_newest else state.max_timestamp_offset,
        )

    def _index(self, segment: LogSegment, state: LogState, position: int) -> None:
        # Another process may have indexed a batch since our last one; the entry we remember then is too old,
        # which only means that we look at the file.
        interval = self.config.index_interval_bytes
        if (
            position - self._last_entry.position <= interval
            and self._last_entry.offset >= segment.base_offset
        ):
            return
        last = segment.offset_index.last() or OffsetPosition(segment.base_offset, 0)
        if position - last.position > interval:
            last = OffsetPosition(state.log_end_offset - 1, position)
            segment.offset_index.append(*last)
            newest = segment.time_index.last()
            if newest is None or state.max_timestamp > newest.timestamp:
                segment.time_index.append(state.max_timestamp, state.max_timestamp_offset)
        self._last_entry = last

    def _take_over(self) -> None:
        state = self._page.read()
        if state is None or not self._is_on_disk(state):
            self._page.begin(recover(self.directory, self.config.index_interval_bytes))
            return
        drop_unpublished(self.directory, state.active_base)
        self._writable()
        for base in self.bases(state):
            segment = self.segment(base)
            limit = self.limit(segment, state)
            if not segment.indexes_are_sound(limit, self.config.index_interval_bytes):
                _log.warning("%s: its index files are missing or wrong and were rebuilt", segment.path)
                segment.rebuild_indexes(segment.scan(limit, self.config.index_interval_bytes, check=False))

    def _is_on_disk(self, state: LogState) -> bool:
        path = self.directory / f"{state.active_base:020d}.log"
        try:
            return path.stat().st_size >= state.committed_bytes
        except FileNotFoundError:
            return False

    # ---------------------------------------------------------------- reading

    def bases(self, state: LogState) -> list[int]:
        """The base offsets of the segments in `state`, rising."""
        if self._bases[-1] != state.active_base:
            with reporting("list", self.directory):
                found = segment_bases(self.directory)
            self._bases = found[: bisect_right(found, state.active_base)]
            if not self._bases or self._bases[-1] != state.active_base:
                raise CorruptLog(
                    f"{self.directory} has no segment {state.active_base}, which is published as active"
                )
        return self._bases

    def segment(self, base: int) -> LogSegment:
        """The open segment of that base offset. It stays open until the partition is closed."""
        segment = self._segments.get(base)
        if segment is None:
            with self._segments_lock, reporting("open", self.directory / f"{base:020d}.log"):
                segment = self._segments.get(base)
                if segment is None:
                    segment = self._open_segment(base)
                    self._segments[base] = segment
        return segment

    def _open_segment(self, base: int) -> LogSegment:
        try:
            segment = LogSegment(self.directory, base)
        except FileNotFoundError:
            self._check_there()
            raise
        if self.is_deleted:
            segment.close()  # of another topic, of the same name
            self._check_there()
        return segment

    @staticmethod
    def limit(segment: LogSegment, state: LogState) -> int:
        """How many bytes of `segment` are valid in `state`."""
        return state.committed_bytes if segment.base_offset == state.active_base else segment.file_size()

    def locate(self, offset: int) -> tuple[LogSegment, int]:
        """The segment and the position of the batch with `offset`, or of the first after it.

        The log's end is a place, too: the end of the active segment. Raises
        `OffsetOutOfRange`, `CorruptBatch` or `LogIOError`.
        """
        state = self.state()
        if not state.log_start_offset <= offset <= state.log_end_offset:
            raise OffsetOutOfRange(
                f"offset {offset} of {self.name} is out of range: the log has {state.log_start_offset} to "
                f"{state.log_end_offset} (its end); seek to one of these"
            )
        with reporting("read", self.directory):
            bases = self.bases(state)
            for base in bases[max(bisect_right(bases, offset) - 1, 0) :]:
                segment = self.segment(base)
                found = segment.locate(offset, self.limit(segment, state))
                if found is not None:
                    self.confirm(segment, *found, state)
                    return segment, found[0]
        return self.segment(state.active_base), state.committed_bytes

    def confirm(self, segment: LogSegment, position: int, header: BatchHeader, state: LogState) -> None:
        """Raise `CorruptBatch` unless what follows the batch at `position` agrees with the batch's offsets.

        Offsets stand outside a batch's checksum, so this is how a change of one is found. Needed where a
        batch is not simply the next that is due.
        """
        end = position + header.size
        if end < self.limit(segment, state):
            bound = read_header(segment.read(end, HEADER_SIZE)).base_offset
        elif segment.base_offset == state.active_base:
            bound = state.log_end_offset
        else:
            bases = self.bases(state)
            bound = bases[bases.index(segment.base_offset) + 1]
        if header.last_offset >= bound:
            raise CorruptBatch(
                f"{segment.path} at byte {position}: a batch has offsets {header.base_offset} to "
                f"{header.last_offset}, and offset {bound} follows it"
            )

    def offset_for_timestamp(self, timestamp: int) -> int | None:
        """The first offset whose record is of `timestamp` (ms) or later; None if there is none.

        Raises `CorruptBatch` or `LogIOError`.
        """
        state = self.state()
        with reporting("read", self.directory):
            for base in self.bases(state):
                segment = self.segment(base)
                offset = segment.offset_for_timestamp(timestamp, self.limit(segment, state))
                if offset is not None:
                    return offset
        return None

    def wait(self, offset: int, timeout: float) -> bool:
        """Wait up to `timeout` seconds until the log goes beyond `offset`; whether it does."""
        return wait_until(lambda: self.state().log_end_offset > offset, timeout)

    @property
    def is_deleted(self) -> bool:
        """Whether the topic was deleted since this was opened. The path may be another topic's by now."""
        return self._page.is_retired

    def _check_there(self) -> None:
        if self.is_deleted:
            raise UnknownTopic(f"topic {self.name.topic!r} was deleted while it was open; create it first")

    def close(self) -> None:
        """Close the files. Nothing else may be called after it."""
        with self._segments_lock:
            for segment in self._segments.values():
                segment.close()
            self._segments.clear()
        self._page.close()
        self._lock.close()
