"""Appending to a partition, and flushing what was appended.

Writers take ``.wlock`` for the time of one append. The order within it is what
makes a death at any point harmless: cut what a dead writer left, write the
batch, flush it if that was asked for, publish, then add the index entry. What
is not published was never acknowledged; an index entry that is missing only
makes a search a little longer. Batches that several threads want flushed share
a flush: who gets the lock writes for all that wait.

Processes flush in turn, since a flush is made under the lock. So at any time the
log is in one of two states: all of it published, or with a tail that belongs to
the lock's holder alone. Nobody else has a batch in that tail, so a holder that
fails or dies takes nothing from others, and offsets that were given out in it
were told to nobody.
"""

from collections import deque
from contextlib import suppress
from typing import NamedTuple

from broker_adapter.errors import BrokerError, LogIOError
from broker_adapter.filelog.batch import BatchHeader
from broker_adapter.filelog.checkpoints import RECOVERY_POINT
from broker_adapter.filelog.files import reporting
from broker_adapter.filelog.numbering import Appended, Numbering
from broker_adapter.filelog.open_log import OpenLog
from broker_adapter.filelog.segment import LogSegment
from broker_adapter.filelog.state import LogState
from broker_adapter.filelog.tail import Tail
from broker_adapter.forks import reset_in_child


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


class Appender:
    """The writer of one partition in this process. Any thread."""

    def __init__(self, log: OpenLog) -> None:
        self._log = log
        self._numbering = Numbering(log)
        self._tail = Tail(log, self._numbering)
        self.waiting: deque[_Waiting] = deque()
        """Batches whose threads wait for the next flush."""
        self._unflushed = False
        self._was_appended = False
        reset_in_child(self)

    def after_fork(self) -> None:
        """In a forked child: those who wait are the parent's threads."""
        self.waiting.clear()

    # ---------------------------------------------------------------- appending

    def append(self, batch: bytes, header: BatchHeader) -> Appended:
        """Append a batch that was validated, and publish it, whenever it may come to the disk."""
        log, tail = self._log, self._tail
        with reporting("append to", log.directory), log.lock:
            segment, state = log.writable()
            header, batch, appended = self._numbering.numbered(state, header, batch)
            if not appended.is_duplicate:
                if tail.is_roll_due(segment, state, header):
                    segment, state = tail.roll(segment, state)
                position = state.committed_bytes
                state = tail.write(segment, state, header, batch)
                if state.log_end_offset - state.recovery_point >= log.config.flush_messages:
                    state = self._flushed(segment, state, position)
                log.page.publish(state)
                self._numbering.note(header, appended.base_offset, state)
                self._unflushed = self._was_appended = True
                tail.index(segment, state, position)
            return appended

    @staticmethod
    def _flushed(segment: LogSegment, state: LogState, position: int) -> LogState:
        """Flush what was written, the last of it at `position`. Raises OSError; then that is not there."""
        try:
            segment.sync()
        except OSError:
            segment.cut(position)
            raise
        return state._replace(recovery_point=state.log_end_offset)

    def append_synced(self, batch: bytes, header: BatchHeader) -> Appended:
        """Append and flush a batch, with those of all threads that wait for the same: one flush for all."""
        mine = _Waiting(batch, header)
        self.waiting.append(mine)
        try:
            with reporting("append to", self._log.directory), self._log.lock:
                if mine.outcome is None:  # or else it went with another thread's
                    self._append_waiting()
                return mine.result()
        except BaseException:
            with suppress(ValueError):  # it is there still if this thread was interrupted while it waited
                self.waiting.remove(mine)
            raise

    def _append_waiting(self) -> None:
        group = [self.waiting.popleft() for _ in range(len(self.waiting))]
        try:
            self._append_group(group)
        except (BrokerError, OSError) as error:
            self._numbering.forget()
            for each in group:
                each.outcome = each.outcome or error
        except BaseException:
            # What was written and not published is cut by the next writer, who may be of those that wait.
            self._numbering.forget()
            self.waiting.extendleft(each for each in reversed(group) if each.outcome is None)
            raise

    def _append_group(self, group: list[_Waiting]) -> None:
        tail = self._tail
        segment, state = self._log.writable()
        published, written = state, list[_Written]()
        for each in group:
            try:
                header, batch, appended = self._numbering.numbered(state, each.header, each.batch)
            except BrokerError as error:
                each.outcome = error
                continue
            position = None
            if not appended.is_duplicate:
                if tail.is_roll_due(segment, state, header):
                    self._publish_flushed(segment, published, written)
                    segment, state = tail.roll(segment, state)
                    published, written = state, []
                position = state.committed_bytes
                try:
                    state = tail.write(segment, state, header, batch)
                except OSError as error:
                    each.outcome = error
                    continue
                self._numbering.note(header, appended.base_offset, state)
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
            self._log.page.publish(written[-1].state)
            self._was_appended = True
        self._unflushed = False
        for each in written:
            each.waiting.outcome = each.appended
            if each.position is not None:
                self._tail.index(segment, each.state, each.position)

    def roll(self) -> None:
        """Close the active segment and begin another, unless it is empty. Raises `LogIOError`."""
        with reporting("roll", self._log.directory), self._log.lock:
            segment, state = self._log.writable()
            if state.committed_bytes:
                self._tail.roll(segment, state)

    def take_rolled(self) -> bool:
        """Whether a segment was begun since this was asked last."""
        if not self._tail.has_rolled:
            return False
        self._tail.has_rolled = False
        return True

    # ---------------------------------------------------------------- flushing

    def flush(self) -> None:
        """Flush to the disk what was appended by this process since the last flush. Raises `LogIOError`."""
        if self._unflushed:
            self._unflushed = False
            log = self._log
            try:
                with reporting("flush", log.directory):
                    log.active(log.state()).sync()
            except LogIOError:
                self._unflushed = True
                raise

    def mark_clean(self) -> None:
        """Flush all, and note that it is, if this process appended. Raises `LogIOError`."""
        log = self._log
        if not self._was_appended or log.is_deleted:
            return
        with reporting("flush", log.directory), log.lock:
            segment, state = log.writable()
            segment.sync()
            segment.sync_indexes()
            log.page.publish(state._replace(recovery_point=state.log_end_offset))
            log.page.sync()
            log.checkpoints.put(RECOVERY_POINT, log.name, state.log_end_offset)
            self._numbering.save(state)
            self._numbering.drop_old_snapshots(state)
        self._unflushed = self._was_appended = False
