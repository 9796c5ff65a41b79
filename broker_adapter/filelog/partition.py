"""One partition: the log that all processes append to and read.

Owns the directory ``<topic>-<p>/``: Kafka's files through `LogSegment`, and
``.wlock``, ``.clean.lock`` and ``.state`` beside them, which Kafka passes over.
Any number of processes may have the directory open, and any thread of any of
them may call any method.

Writers take ``.wlock`` for the time of one append. The order within it is what
makes a death at any point harmless: cut what a dead writer left, write the
batch, flush it if that was asked for, publish, then add the index entry. What
is not published was never acknowledged; an index entry that is missing only
makes a search a little longer. Batches that several threads want flushed share
a flush: who gets the lock writes for all that wait. Readers take no lock: they
read the published state, and no byte beyond it.
"""

import logging
import time
from bisect import bisect_right
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final, NamedTuple

from broker_adapter.broker import TimestampType, TopicPartition
from broker_adapter.errors import (
    BrokerError,
    CorruptBatch,
    CorruptLog,
    InvalidRecord,
    LogIOError,
    OffsetOutOfRange,
    RecordTooLarge,
    UnknownTopic,
)
from broker_adapter.filelog.batch import (
    HEADER_SIZE,
    PREFIX,
    BatchHeader,
    check_batch,
    read_header,
    with_append_time,
)
from broker_adapter.filelog.checkpoints import LOG_START, RECOVERY_POINT, Checkpoints
from broker_adapter.filelog.config import TopicConfig
from broker_adapter.filelog.files import reporting, sync_directory
from broker_adapter.filelog.index import OffsetPosition
from broker_adapter.filelog.locks import FileLock
from broker_adapter.filelog.producers import ProducerStates, drop_snapshots, snapshots
from broker_adapter.filelog.recovery import drop_unpublished, recover
from broker_adapter.filelog.segment import MAX_RELATIVE_OFFSET, LogSegment, segment_bases
from broker_adapter.filelog.segments import OpenSegments, drop_unfinished, finish_swaps, remove_segment
from broker_adapter.filelog.state import LogState, StatePage
from broker_adapter.filelog.waiting import Waiter, wake
from broker_adapter.forks import reset_in_child

_log = logging.getLogger(__name__)
_TRIES: Final = 5


class Appended(NamedTuple):
    """Where a batch is in the log."""

    base_offset: int
    append_time: int | None
    """The timestamp (ms) that its records have now; None where they kept their own."""
    is_duplicate: bool = False
    """Whether it was there before: its producer sent it again."""


class _Waiting:
    """A batch that is to be on the disk, and then what came of it."""

    __slots__ = ("batch", "header", "outcome")

    def __init__(self, batch: bytes, header: BatchHeader) -> None:
        self.batch = batch
        self.header = header
        self.outcome: Appended | Exception | None = None

    def result(self) -> Appended:
        """Where it is. Raises what kept it from being there."""
        if isinstance(self.outcome, Exception):
            raise self.outcome
        assert self.outcome is not None
        return self.outcome


class _Written(NamedTuple):
    """One of them in the file, not flushed nor published yet. `position`: None for a duplicate."""

    waiting: _Waiting
    appended: Appended
    state: LogState
    position: int | None


class Partition:
    """An open partition. Raises `LogIOError` where the operating system refuses."""

    def __init__(
        self,
        directory: Path,
        name: TopicPartition,
        config: TopicConfig,
        *,
        checkpoints: Checkpoints | None = None,
        reload: Callable[[], TopicConfig] | None = None,
    ) -> None:
        """Open the directory, which exists; an empty one becomes an empty log.

        Cuts what a dead writer left, recovers the log where its published
        state cannot be trusted, and rebuilds index files that are missing or
        cannot be right. `checkpoints` are the root folder's, by default kept
        in the directory itself; `reload` gives the settings after they were
        altered. Raises `CorruptLog` or `LogIOError`.
        """
        self.directory = directory
        self.name = name
        self.config = config
        self.checkpoints = checkpoints or Checkpoints(directory)
        self._reload = reload
        self._segments = OpenSegments(directory)
        self._waiting: deque[_Waiting] = deque()
        self._unflushed = False
        self._was_appended = False
        self._has_rolled = False
        self._producers: ProducerStates | None = None
        self._last_entry = OffsetPosition(-1, -1)
        self._lock = FileLock(directory / ".wlock")
        self._clean_lock = FileLock(directory / ".clean.lock")
        self.on_roll: Callable[[], None] | None = None
        """Called when this process has begun a segment: there may be something to clean."""
        self.is_closing = False
        """Set by who is about to close it: a compaction that is under way ends without a result."""
        reset_in_child(self)
        with reporting("open", directory):
            try:
                with self._lock:
                    self._page = StatePage(directory / ".state")
                    try:
                        self._settings_seen = self._page.settings_changes
                        self._take_over()
                    except BaseException:
                        self._page.close()
                        raise
            except BaseException:
                self._lock.close()
                raise

    def after_fork(self) -> None:
        """In a forked child nobody holds a lock; files and the mapped page are shared with the parent."""
        self._segments.reset()
        self._waiting.clear()

    def state(self) -> LogState:
        """What is valid now, by whichever process. Costs about a microsecond."""
        return self._page.published()

    # ---------------------------------------------------------------- writing

    def append(self, batch: bytes, *, sync: bool = False) -> int:
        """Append one whole batch and return the offset of its first record. See `append_batch`."""
        return self.append_batch(batch, sync=sync).base_offset

    def append_batch(self, batch: bytes, *, sync: bool = False) -> Appended:
        """Append one whole batch.

        The batch is stored as it is but for its base offset and leader
        epoch, and its timestamp where the topic's are of the append. With
        `sync` it is on the disk before any reader sees it and before this
        returns. Raises `CorruptBatch`, `InvalidRecord`, `RecordTooLarge` or
        `LogIOError`; then nothing was appended. A batch of an idempotent
        producer that was appended before is not appended again; one that
        leaves a gap, or is of an older epoch, raises `OutOfOrderSequence` or
        `FencedProducer`.
        """
        self.refresh_config()
        header = self._validate(batch)
        if sync:
            appended = self._append_synced(_Waiting(batch, header))
        else:
            with reporting("append to", self.directory), self._lock:
                segment, state = self._writable()
                header, batch, appended = self._numbered(state, header, batch)
                if not appended.is_duplicate:
                    if self._is_roll_due(segment, state, header):
                        segment, state = self._roll(segment, state)
                    position = state.committed_bytes
                    state = self._write(segment, state, header, batch)
                    self._page.publish(state)
                    self._note(header, appended.base_offset)
                    self._unflushed = self._was_appended = True
                    self._index(segment, state, position)
        wake(self.directory)
        if self._has_rolled:
            self._has_rolled = False
            if self.on_roll is not None:
                self.on_roll()
        return appended

    def _append_synced(self, mine: _Waiting) -> Appended:
        """Append and flush a batch, with those of all threads that wait for the same: one flush for all."""
        self._waiting.append(mine)
        try:
            with reporting("append to", self.directory), self._lock:
                if mine.outcome is None:  # or else it went with another thread's
                    self._append_waiting()
                return mine.result()
        except BaseException:
            with suppress(ValueError):  # it is there still if this thread was interrupted while it waited
                self._waiting.remove(mine)
            raise

    def _append_waiting(self) -> None:
        group = [self._waiting.popleft() for _ in range(len(self._waiting))]
        try:
            self._append_group(group)
        except (BrokerError, OSError) as error:
            self._producers = None
            for each in group:
                each.outcome = each.outcome or error
        except BaseException:
            # What was written and not published is cut by the next writer, who may be of those that wait.
            self._producers = None
            self._waiting.extendleft(each for each in reversed(group) if each.outcome is None)
            raise

    def _append_group(self, group: list[_Waiting]) -> None:
        segment, state = self._writable()
        published, written = state, list[_Written]()
        for each in group:
            try:
                header, batch, appended = self._numbered(state, each.header, each.batch)
            except BrokerError as error:
                each.outcome = error
                continue
            position = None
            if not appended.is_duplicate:
                if self._is_roll_due(segment, state, header):
                    self._publish_flushed(segment, published, written)
                    segment, state = self._roll(segment, state)
                    published, written = state, []
                position = state.committed_bytes
                try:
                    state = self._write(segment, state, header, batch)
                except OSError as error:
                    each.outcome = error
                    continue
                self._note(header, appended.base_offset)
            written.append(_Written(each, appended, state, position))
        self._publish_flushed(segment, published, written)

    def _publish_flushed(self, segment: LogSegment, published: LogState, written: list[_Written]) -> None:
        """Flush what was written, then publish it. Raises OSError; then nothing of it is in the log."""
        if not written:
            return
        try:
            segment.sync()
        except OSError:
            segment.cut(published.committed_bytes)
            raise
        if written[-1].state != published:
            self._page.publish(written[-1].state)
            self._was_appended = True
        self._unflushed = False
        for each in written:
            each.waiting.outcome = each.appended
            if each.position is not None:
                self._index(segment, each.state, each.position)

    def _numbered(
        self, state: LogState, header: BatchHeader, batch: bytes
    ) -> tuple[BatchHeader, bytes, Appended]:
        """The batch as it is to be written at the end of `state`, and what to say of it."""
        has_append_time = self.config.timestamp_type is TimestampType.LOG_APPEND_TIME
        if header.producer_id >= 0:
            there = self._producers_at(state).find_duplicate(header)
            if there is not None:
                time_there = there.timestamp if has_append_time else None
                return header, batch, Appended(there.base_offset, time_there, True)
        if not has_append_time:
            return header, batch, Appended(state.log_end_offset, None)
        append_time = time.time_ns() // 1_000_000
        batch = with_append_time(batch, append_time)
        return read_header(batch), batch, Appended(state.log_end_offset, append_time)

    def _producers_at(self, state: LogState) -> ProducerStates:
        """What is known of producers at the log's end: what was known, and what others wrote since."""
        first_base = self.bases(state)[0]
        if self._producers is None or self._producers.offset < first_base:
            # What was written since is deleted by now; who deleted it left a snapshot.
            self._producers = ProducerStates.load(self.directory, state.log_end_offset)
            if self._producers.offset < first_base:
                self._producers = ProducerStates(first_base)
        producers = self._producers
        if producers.offset < state.log_end_offset:
            try:
                first, position = self._locate(producers.offset, state)
                for base in self.bases(state):
                    if base >= first.base_offset:
                        segment = self.segment(base, state)
                        for _, header in segment.batches(position, self.limit(segment, state)):
                            producers.apply(header)
                        position = 0
            except CorruptBatch as error:
                # Who is not known may begin with any number. Writing must go on beside old damage.
                _log.warning("%s: what producers wrote before the damage is forgotten: %s", self.name, error)
            producers.offset = state.log_end_offset
        return producers

    def _write(self, segment: LogSegment, state: LogState, header: BatchHeader, batch: bytes) -> LogState:
        """Write a batch behind `state`, and give the state with it. Raises OSError; then it is not there."""
        position = state.committed_bytes
        prefix = PREFIX.pack(state.log_end_offset, header.batch_length, 0)
        try:
            segment.write((prefix, memoryview(batch)[PREFIX.size :]), position)
        except OSError:
            segment.cut(position)
            raise
        return self._after(state, header)

    def _note(self, header: BatchHeader, base: int) -> None:
        """Remember a batch that is at offset `base` now as its producer's."""
        if self._producers is not None and self._producers.offset == base:
            self._producers.apply(header._replace(base_offset=base))

    def flush(self) -> None:
        """Flush to the disk what was appended by this process since the last flush."""
        if self._unflushed:
            self._unflushed = False
            try:
                with reporting("flush", self.directory):
                    self._active(self.state()).sync()
            except LogIOError:
                self._unflushed = True
                raise

    def mark_clean(self) -> None:
        """Flush all, and note that it is, if this process appended: the next opening has nothing to recover.

        Raises `LogIOError`.
        """
        if not self._was_appended or self.is_deleted:
            return
        with reporting("flush", self.directory), self._lock:
            segment, state = self._writable()
            segment.sync()
            segment.sync_indexes()
            self._page.publish(state._replace(recovery_point=state.log_end_offset))
            self._page.sync()
            self.checkpoints.put(RECOVERY_POINT, self.name, state.log_end_offset)
            self._producers_at(state).save(self.directory)
            # Of those at a segment's base one each is kept, as Kafka does, and the newest.
            kept = {*segment_bases(self.directory), state.log_end_offset}
            drop_snapshots(self.directory, [each for each in snapshots(self.directory) if each not in kept])
        self._unflushed = self._was_appended = False

    def refresh_config(self) -> None:
        """Read the topic's settings again if somebody altered them."""
        changes = self._page.settings_changes
        if changes != self._settings_seen:
            self._settings_seen = changes
            if self._reload is not None:
                with reporting("read the settings of", self.directory):
                    self.config = self._reload()

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
        ahead = header.max_timestamp - time.time_ns() // 1_000_000
        if (
            ahead > self.config.message_timestamp_after_max_ms
            and self.config.timestamp_type is TimestampType.CREATE_TIME
        ):
            raise InvalidRecord(
                f"a record for {self.name} has a timestamp that is {ahead} ms in the future, more than the "
                f"topic's message.timestamp.after.max.ms={self.config.message_timestamp_after_max_ms}"
            )
        return header

    def _writable(self) -> tuple[LogSegment, LogState]:
        self._check_there()
        state = self._page.published()
        segment = self._active(state)
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
            or segment.offset_index.is_full(self.config.segment_index_bytes)
            or segment.time_index.is_full(self.config.segment_index_bytes)
        )

    def _roll(self, segment: LogSegment, state: LogState) -> tuple[LogSegment, LogState]:
        newest = segment.time_index.last()
        if newest is None or state.max_timestamp > newest.timestamp:
            segment.time_index.append(state.max_timestamp, state.max_timestamp_offset)
        # Closed segments are on the disk, so a recovery may always begin with the active one.
        segment.sync()
        segment.sync_indexes()
        self._producers_at(state).save(self.directory)
        base = state.log_end_offset
        fresh = LogSegment(self.directory, base, fresh=True)
        sync_directory(self.directory)
        self._segments.add(fresh)
        state = state._replace(
            active_base=base,
            committed_bytes=0,
            first_timestamp=-1,
            max_timestamp=-1,
            max_timestamp_offset=-1,
            recovery_point=base,
        )
        self.checkpoints.put(RECOVERY_POINT, self.name, base)
        self._page.publish(state)
        self._has_rolled = True
        return fresh, state

    @staticmethod
    def _after(state: LogState, header: BatchHeader) -> LogState:
        end = state.log_end_offset + header.records_count
        is_first = state.committed_bytes == 0
        is_newest = header.max_timestamp > state.max_timestamp
        return state._replace(
            committed_bytes=state.committed_bytes + header.size,
            log_end_offset=end,
            first_timestamp=header.max_timestamp if is_first else state.first_timestamp,
            max_timestamp=header.max_timestamp if is_newest else state.max_timestamp,
            max_timestamp_offset=end - 1 if is_newest else state.max_timestamp_offset,
        )

    def _index(self, segment: LogSegment, state: LogState, position: int) -> None:
        """Add the index entries that are due for the batch at `position`, the last in `state`."""
        try:
            self._add_entries(segment, state, position)
        except OSError as error:
            # The batch is published; an entry that is missing only makes a search longer.
            _log.warning("%s: no index entry at byte %d: %s", segment.path, position, error)

    def _add_entries(self, segment: LogSegment, state: LogState, position: int) -> None:
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
        if self._clean_lock.try_acquire():
            try:
                drop_unfinished(self.directory)
            finally:
                self._clean_lock.release()
        is_settled = finish_swaps(self.directory)
        state = self._page.read()
        mark = self.checkpoints.kafkas_mark()
        if state is not None and self._is_on_disk(state) and self._page.mark == mark:
            if is_settled:
                state = state._replace(layout=state.layout + 1)
                self._page.publish(state)
        else:
            state = self._recover()
            before = self._page.remembered()
            self._page.mark = mark
            self._page.begin(state._replace(layout=0 if before is None else before.layout + 1))
            state = self._page.published()
        drop_unpublished(self.directory, state.active_base)
        self._writable()
        for base in self.bases(state):
            segment = self.segment(base, state)
            limit = self.limit(segment, state)
            if not segment.indexes_are_sound(limit, self.config.index_interval_bytes):
                _log.warning("%s: its index files are missing or wrong and were rebuilt", segment.path)
                segment.rebuild_indexes(segment.scan(limit, self.config.index_interval_bytes, check=False))

    def _recover(self) -> LogState:
        recovery_point = self.checkpoints.get(RECOVERY_POINT, self.name)
        remembered = self._page.remembered()
        if (
            remembered is not None
            and self._page.mark == self.checkpoints.kafkas_mark()
            and remembered.log_end_offset == remembered.recovery_point == recovery_point
            and segment_bases(self.directory)[-1:] == [remembered.active_base]
            and self._size_of(remembered.active_base) == remembered.committed_bytes
        ):
            return remembered  # closed, flushed, and not written since
        deleted_before = self.checkpoints.get(LOG_START, self.name)
        state = recover(self.directory, self.config.index_interval_bytes, recovery_point, deleted_before)
        later = [each for each in snapshots(self.directory) if each > state.log_end_offset]
        drop_snapshots(self.directory, later)  # of what was cut
        return state

    def _is_on_disk(self, state: LogState) -> bool:
        return self._size_of(state.active_base) >= state.committed_bytes

    def _size_of(self, base: int) -> int:
        try:
            return (self.directory / f"{base:020d}.log").stat().st_size
        except FileNotFoundError:
            return -1

    # ---------------------------------------------------------------- deleting and replacing segments

    @contextmanager
    def cleaning(self) -> Iterator[bool]:
        """Whether this process may replace and delete segments, which one may at a time."""
        with reporting("clean", self.directory):
            is_ours = self._clean_lock.try_acquire()
        try:
            yield is_ours
        finally:
            if is_ours:
                self._clean_lock.release()

    def delete_records(self, before: int) -> int:
        """Delete the records before offset `before`, and return the log's new start.

        Whole segments go from the disk, at once or, while somebody compacts, with the next cleaning. Raises
        `OffsetOutOfRange` or `LogIOError`.
        """
        with reporting("delete records of", self.directory), self._lock:
            _, state = self._writable()
            if not 0 <= before <= state.log_end_offset:
                raise OffsetOutOfRange(
                    f"offset {before} of {self.name} is out of range: records before 0 to "
                    f"{state.log_end_offset} can be deleted"
                )
            if before > state.log_start_offset:
                self.checkpoints.put(LOG_START, self.name, before)
                state = state._replace(log_start_offset=before, deleted_before=before)
                self._page.publish(state)
        with self.cleaning() as is_ours:
            if is_ours:
                self.drop_before_start()
        return state.log_start_offset

    def raise_log_start(self, base: int) -> None:
        """Have the log begin with the segment `base`, and delete those before it. Within `cleaning`."""
        with reporting("delete segments of", self.directory), self._lock:
            _, state = self._writable()
            self._page.publish(state._replace(log_start_offset=max(base, state.log_start_offset)))
        self.drop_before_start()

    def drop_before_start(self) -> None:
        """Delete the segments that are wholly before the log's start. Within `cleaning`."""
        with reporting("delete segments of", self.directory), self._lock:
            _, state = self._writable()
            bases = segment_bases(self.directory)
            gone = bases[: max(bisect_right(bases, state.log_start_offset) - 1, 0)]
            if gone:
                self._page.publish(state._replace(layout=state.layout + 1))
                for base in gone:
                    remove_segment(self.directory, base)
                sync_directory(self.directory)

    def roll(self) -> None:
        """Close the active segment and begin another, unless it is empty."""
        with reporting("roll", self.directory), self._lock:
            segment, state = self._writable()
            if state.committed_bytes:
                self._roll(segment, state)

    def replace_segments(self, swap: Callable[[], None]) -> None:
        """Call `swap`, which replaces closed segments, while nobody writes. Within `cleaning`."""
        with reporting("replace segments of", self.directory), self._lock:
            _, state = self._writable()
            swap()
            self._page.publish(state._replace(layout=state.layout + 1))

    def _settle(self) -> None:
        """Wait for who replaces segments now, finish what one left who died at it, and look again."""
        with reporting("open", self.directory), self._lock:
            self._check_there()
            finish_swaps(self.directory)
            state = self._page.published()
            self._page.publish(state._replace(layout=state.layout + 1))

    # ---------------------------------------------------------------- reading

    def bases(self, state: LogState) -> list[int]:
        """The base offsets of the segments in `state`, rising. Raises `CorruptLog` or `LogIOError`."""
        with reporting("list", self.directory):
            return self._segments.bases(state)

    def segment(self, base: int, state: LogState) -> LogSegment:
        """The open segment of that base offset. Raises `FileNotFoundError` if it is gone."""
        # Of a deleted topic only what is open can be read: the names may be another topic's by now.
        return self._segments.get(base, state, self._check_there)

    def _active(self, state: LogState) -> LogSegment:
        try:
            return self.segment(state.active_base, state)
        except FileNotFoundError:
            self._check_there()
            raise

    @staticmethod
    def limit(segment: LogSegment, state: LogState) -> int:
        """How many bytes of `segment` are valid in `state`."""
        return state.committed_bytes if segment.base_offset == state.active_base else segment.file_size()

    def locate(self, offset: int) -> tuple[LogSegment, int]:
        """The segment and the position of the batch with `offset`, or of the first after it.

        The log's end is a place, too: the end of the active segment. Raises
        `OffsetOutOfRange`, `CorruptBatch` or `LogIOError`.
        """
        for _ in range(_TRIES):
            state = self.state()
            if not state.log_start_offset <= offset <= state.log_end_offset:
                raise OffsetOutOfRange(
                    f"offset {offset} of {self.name} is out of range: the log has "
                    f"{state.log_start_offset} to {state.log_end_offset} (its end); seek to one of these"
                )
            try:
                return self._locate(offset, state)
            except FileNotFoundError as error:
                failure = error
                self._settle()
            except OSError as error:
                raise LogIOError("open a segment of", self.directory, error) from error
        raise LogIOError("open", self.directory, failure)

    def _locate(self, offset: int, state: LogState) -> tuple[LogSegment, int]:
        bases = self.bases(state)
        for base in bases[max(bisect_right(bases, offset) - 1, 0) :]:
            segment = self.segment(base, state)
            with reporting("read", segment.path):
                found = segment.locate(offset, self.limit(segment, state))
            if found is not None:
                self.confirm(segment, *found, state)
                return segment, found[0]
        return self.segment(state.active_base, state), state.committed_bytes

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
            bound = bases[min(bisect_right(bases, segment.base_offset), len(bases) - 1)]
        if header.last_offset >= bound:
            raise CorruptBatch(
                f"{segment.path} at byte {position}: a batch has offsets {header.base_offset} to "
                f"{header.last_offset}, and offset {bound} follows it"
            )

    def offset_for_timestamp(self, timestamp: int) -> int | None:
        """The first offset whose record is of `timestamp` (ms) or later; None if there is none.

        Raises `CorruptBatch` or `LogIOError`.
        """
        for _ in range(_TRIES):
            state = self.state()
            try:
                return self._offset_for_timestamp(timestamp, state)
            except FileNotFoundError as error:
                failure = error
                self._settle()
            except OSError as error:
                raise LogIOError("open a segment of", self.directory, error) from error
        raise LogIOError("open", self.directory, failure)

    def _offset_for_timestamp(self, timestamp: int, state: LogState) -> int | None:
        for base in self.bases(state):
            segment = self.segment(base, state)
            with reporting("read", segment.path):
                limit = self.limit(segment, state)
                offset = segment.offset_for_timestamp(timestamp, limit, state.log_start_offset)
            if offset is not None:
                return offset
        return None

    def wait(self, offset: int, timeout: float) -> bool:
        """Wait up to `timeout` seconds until the log goes beyond `offset`; whether it does."""
        waiter = Waiter(lambda: self.state().log_end_offset > offset, lambda: [self.directory])
        try:
            return waiter.wait(timeout)
        finally:
            waiter.close()

    @property
    def is_deleted(self) -> bool:
        """Whether the topic was deleted since this was opened. The path may be another topic's by now."""
        return self._page.is_retired

    def _check_there(self) -> None:
        if self.is_deleted:
            raise UnknownTopic(f"topic {self.name.topic!r} was deleted while it was open; create it first")

    def close(self) -> None:
        """Close the files. Nothing else may be called after it."""
        self._segments.close()
        self._page.close()
        self._lock.close()
        self._clean_lock.close()
