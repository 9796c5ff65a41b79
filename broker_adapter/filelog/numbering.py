"""What a batch gets when it is appended: its offset, its time, and whether it was there before.

Owns, through `ProducerStates`, the snapshots of producers. A `Numbering` is for
the holder of the partition's ``.wlock``; what other processes appended
meanwhile it reads from the log's batch headers.
"""

import logging
import time
from typing import NamedTuple

from broker_adapter.broker import TimestampType
from broker_adapter.errors import CorruptBatch
from broker_adapter.filelog.batch import BatchHeader, read_header, with_append_time
from broker_adapter.filelog.lookup import locate_in
from broker_adapter.filelog.open_log import OpenLog, limit_of
from broker_adapter.filelog.producers import ProducerStates, drop_snapshots, snapshots
from broker_adapter.filelog.segment import segment_bases
from broker_adapter.filelog.state import LogState

_log = logging.getLogger(__name__)


class Appended(NamedTuple):
    """Where a batch is in the log."""

    base_offset: int
    append_time: int | None
    """The timestamp (ms) that its records have now; None where they kept their own."""
    is_duplicate: bool = False
    """Whether it was there before: its producer sent it again."""


class Numbering:
    """What this process knows of a partition's producers, and the numbers that batches get."""

    def __init__(self, log: OpenLog) -> None:
        self._log = log
        self._producers: ProducerStates | None = None
        self._place: tuple[int, int] | None = None
        """The segment, by its base, and the byte up to which the producers are known; None: look for it."""

    def numbered(
        self, state: LogState, header: BatchHeader, batch: bytes
    ) -> tuple[BatchHeader, bytes, Appended]:
        """The batch as it is to be written at the end of `state`, and what to say of it."""
        has_append_time = self._log.config.timestamp_type is TimestampType.LOG_APPEND_TIME
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

    def note(self, header: BatchHeader, base: int, state: LogState) -> None:
        """Remember a batch that is at offset `base` now, the last in `state`, as its producer's."""
        if self._producers is not None and self._producers.offset == base:
            self._producers.apply(header._replace(base_offset=base))
            self._place = state.active_base, state.committed_bytes

    def forget(self) -> None:
        """Forget what was noted, since it may not be in the log: the log is read again for it."""
        self._producers = self._place = None

    def save(self, state: LogState) -> None:
        """Write the snapshot of the producers at the end of `state`. Raises `OSError`."""
        self._producers_at(state).save(self._log.directory)

    def drop_old_snapshots(self, state: LogState) -> None:
        """Keep those at a segment's base, one each as Kafka does, and the newest. Raises `OSError`."""
        directory = self._log.directory
        kept = {*segment_bases(directory), state.log_end_offset}
        drop_snapshots(directory, [each for each in snapshots(directory) if each not in kept])

    def _producers_at(self, state: LogState) -> ProducerStates:
        """What is known of producers at the log's end: what was known, and what others wrote since."""
        log = self._log
        first_base = log.bases(state)[0]
        if self._producers is None or self._producers.offset < first_base:
            # What was written since is deleted by now; who deleted it left a snapshot.
            self._producers, self._place = ProducerStates.load(log.directory, state.log_end_offset), None
            if self._producers.offset < first_base:
                self._producers = ProducerStates(first_base)
        producers = self._producers
        if producers.offset < state.log_end_offset:
            try:
                self._read_on(producers, state)
            except CorruptBatch as error:
                # Who is not known may begin with any number. Writing must go on beside old damage.
                _log.warning("%s: what producers wrote before the damage is forgotten: %s", log.name, error)
            producers.offset = state.log_end_offset
            self._place = state.active_base, state.committed_bytes
        return producers

    def _read_on(self, producers: ProducerStates, state: LogState) -> None:
        log = self._log
        if self._place is not None and self._place[0] == state.active_base:
            # What others have appended since: writers who take turns come here with every batch.
            first, position = log.active(state), self._place[1]
        else:
            first, position = locate_in(log, producers.offset, state)
        for base in log.bases(state):
            if base >= first.base_offset:
                segment = log.segment(base, state)
                for _, header in segment.batches(position, limit_of(segment, state)):
                    producers.apply(header)
                position = 0
