"""One partition: the log that all processes append to and read.

The directory ``<topic>-<p>/`` holds Kafka's files, and ``.wlock``,
``.clean.lock`` and ``.state`` beside them, which Kafka passes over. Any number
of processes may have it open, and any thread of any of them may call any
method.

This is the face; behind it `opening` takes a directory over, `appending` writes
under a lock, `lookup` finds places without one, and `deletion` takes segments
away. What they share is an `OpenLog`. Readers take no lock: they read the
published state, and no byte beyond it.
"""

from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

from broker_adapter.filelog import deletion, lookup
from broker_adapter.filelog.appending import Appender
from broker_adapter.filelog.batch import BatchHeader
from broker_adapter.filelog.checkpoints import Checkpoints
from broker_adapter.filelog.config import TopicConfig
from broker_adapter.filelog.numbering import Appended
from broker_adapter.filelog.open_log import limit_of
from broker_adapter.filelog.opening import open_log
from broker_adapter.filelog.segment import LogSegment
from broker_adapter.filelog.state import LogState
from broker_adapter.filelog.validation import validated
from broker_adapter.filelog.waiting import Waiter, wake
from broker_adapter.nouns import TopicPartition

__all__ = ["Appended", "Partition"]


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
        self.checkpoints = checkpoints or Checkpoints(directory)
        self._log = open_log(directory, name, config, checkpoints=self.checkpoints, reload=reload)
        self._page = self._log.page
        self._appender = Appender(self._log)
        self.on_roll: Callable[[], None] | None = None
        """Called when this process has begun a segment: there may be something to clean."""
        self.is_closing = False
        """Set by who is about to close it: a compaction that is under way ends without a result."""

    @property
    def config(self) -> TopicConfig:
        """The topic's settings, as this process knows them."""
        return self._log.config

    def refresh_config(self) -> None:
        """Read the topic's settings again if somebody altered them."""
        self._log.refresh_config()

    def state(self) -> LogState:
        """What is valid now, by whichever process. Costs about a microsecond."""
        # Readers ask for it all the time: not by way of the log.
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
        log, appender = self._log, self._appender
        log.refresh_config()
        header = validated(batch, log.config, self.name)
        appended = appender.append_synced(batch, header) if sync else appender.append(batch, header)
        wake(self.directory)
        if appender.take_rolled() and self.on_roll is not None:
            self.on_roll()
        return appended

    def flush(self) -> None:
        """Flush to the disk what was appended by this process since the last flush."""
        self._appender.flush()

    def mark_clean(self) -> None:
        """Flush all, and note that it is, if this process appended: the next opening has nothing to recover.

        Raises `LogIOError`.
        """
        self._appender.mark_clean()

    def roll(self) -> None:
        """Close the active segment and begin another, unless it is empty."""
        self._appender.roll()

    # ---------------------------------------------------------------- deleting and replacing segments

    def cleaning(self) -> AbstractContextManager[bool]:
        """A context that says whether this process may replace and delete segments: one may at a time."""
        return deletion.cleaning(self._log)

    def delete_records(self, before: int) -> int:
        """Delete the records before offset `before`, and return the log's new start.

        Whole segments go from the disk, at once or, while somebody compacts, with the next cleaning. Raises
        `OffsetOutOfRange` or `LogIOError`.
        """
        return deletion.delete_records(self._log, before)

    def raise_log_start(self, base: int) -> None:
        """Have the log begin with the segment `base`, and delete those before it. Within `cleaning`."""
        deletion.raise_log_start(self._log, base)

    def drop_before_start(self) -> None:
        """Delete the segments that are wholly before the log's start. Within `cleaning`."""
        deletion.drop_before_start(self._log)

    def replace_segments(self, swap: Callable[[], None]) -> None:
        """Call `swap`, which replaces closed segments, while nobody writes. Within `cleaning`."""
        deletion.replace_segments(self._log, swap)

    # ---------------------------------------------------------------- reading

    def bases(self, state: LogState) -> list[int]:
        """The base offsets of the segments in `state`, rising. Raises `CorruptLog` or `LogIOError`."""
        return self._log.bases(state)

    def segment(self, base: int, state: LogState) -> LogSegment:
        """The open segment of that base offset. Raises `FileNotFoundError` if it is gone."""
        return self._log.segment(base, state)

    limit = staticmethod(limit_of)

    def locate(self, offset: int) -> tuple[LogSegment, int]:
        """The segment and the position of the batch with `offset`, or of the first after it.

        The log's end is a place, too: the end of the active segment. Raises
        `OffsetOutOfRange`, `CorruptBatch` or `LogIOError`.
        """
        return lookup.locate(self._log, offset)

    def confirm(self, segment: LogSegment, position: int, header: BatchHeader, state: LogState) -> None:
        """Raise `CorruptBatch` unless what follows a batch agrees with its offsets. See `OpenLog.confirm`."""
        self._log.confirm(segment, position, header, state)

    def offset_for_timestamp(self, timestamp: int) -> int | None:
        """The first offset whose record is of `timestamp` (ms) or later; None if there is none.

        Raises `CorruptBatch` or `LogIOError`.
        """
        return lookup.offset_for_timestamp(self._log, timestamp)

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
        return self._log.is_deleted

    def close(self) -> None:
        """Close the files. Nothing else may be called after it."""
        self._log.close()
