"""What one process has open of a partition, and what is valid in it: shared by who writes, reads and cleans.

Owns ``.wlock``, ``.clean.lock`` and ``.state`` in the directory ``<topic>-<p>/``,
which Kafka passes over, and through `OpenSegments` the segments beside them.
Any number of processes may have the directory open, and any thread of any of
them may call any method; what changes the log is for the holder of `lock`.
"""

from bisect import bisect_right
from collections.abc import Callable
from pathlib import Path

from broker_adapter.errors import CorruptBatch, CorruptLog, UnknownTopic
from broker_adapter.filelog.batch import HEADER_SIZE, BatchHeader, read_header
from broker_adapter.filelog.checkpoints import Checkpoints
from broker_adapter.filelog.config import TopicConfig
from broker_adapter.filelog.files import reporting
from broker_adapter.filelog.locks import FileLock
from broker_adapter.filelog.segment import LogSegment
from broker_adapter.filelog.segments import OpenSegments, finish_swaps
from broker_adapter.filelog.state import LogState, StatePage
from broker_adapter.forks import reset_in_child
from broker_adapter.nouns import TopicPartition


def limit_of(segment: LogSegment, state: LogState) -> int:
    """How many bytes of `segment` are valid in `state`."""
    return state.committed_bytes if segment.base_offset == state.active_base else segment.file_size()


class OpenLog:
    """An open partition's files. Made by `opening.open_log`."""

    def __init__(
        self,
        directory: Path,
        name: TopicPartition,
        config: TopicConfig,
        *,
        checkpoints: Checkpoints,
        reload: Callable[[], TopicConfig] | None,
        lock: FileLock,
        page: StatePage,
    ) -> None:
        self.directory = directory
        self.name = name
        self.config = config
        """The topic's settings, as `refresh_config` found them last."""
        self.checkpoints = checkpoints
        self.lock = lock
        """Held by who changes the log: one thread of all processes."""
        self.clean_lock = FileLock(directory / ".clean.lock")
        """Held by who replaces or deletes segments, all the while."""
        self.page = page
        self.segments = OpenSegments(directory)
        self._reload = reload
        self._settings_seen = page.settings_changes
        reset_in_child(self)

    def after_fork(self) -> None:
        """In a forked child nobody holds a lock; files and the mapped page are shared with the parent."""
        self.segments.reset()

    def refresh_config(self) -> None:
        """Read the topic's settings again if somebody altered them."""
        changes = self.page.settings_changes
        if changes != self._settings_seen:
            self._settings_seen = changes
            if self._reload is not None:
                with reporting("read the settings of", self.directory):
                    self.config = self._reload()

    # ---------------------------------------------------------------- what is there

    def state(self) -> LogState:
        """What is valid now, by whichever process. Costs about a microsecond."""
        return self.page.published()

    def bases(self, state: LogState) -> list[int]:
        """The base offsets of the segments in `state`, rising. Raises `CorruptLog` or `LogIOError`."""
        with reporting("list", self.directory):
            return self.segments.bases(state)

    def segment(self, base: int, state: LogState) -> LogSegment:
        """The open segment of that base offset. Raises `FileNotFoundError` if it is gone."""
        # Of a deleted topic only what is open can be read: the names may be another topic's by now.
        return self.segments.get(base, state, self.check_there)

    def active(self, state: LogState) -> LogSegment:
        """The open active segment. Raises `UnknownTopic` where the topic is gone, or `OSError`."""
        try:
            return self.segment(state.active_base, state)
        except FileNotFoundError:
            self.check_there()
            raise

    def confirm(self, segment: LogSegment, position: int, header: BatchHeader, state: LogState) -> None:
        """Raise `CorruptBatch` unless what follows the batch at `position` agrees with the batch's offsets.

        Offsets stand outside a batch's checksum, so this is how a change of one is found. Needed where a
        batch is not simply the next that is due.
        """
        end = position + header.size
        if end < limit_of(segment, state):
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

    @property
    def is_deleted(self) -> bool:
        """Whether the topic was deleted since this was opened. The path may be another topic's by now."""
        return self.page.is_retired

    def check_there(self) -> None:
        """Raise `UnknownTopic` if the topic was deleted."""
        if self.is_deleted:
            raise UnknownTopic(f"topic {self.name.topic!r} was deleted while it was open; create it first")

    # ---------------------------------------------------------------- for the holder of the lock

    def writable(self) -> tuple[LogSegment, LogState]:
        """The active segment, with nothing behind what is valid, and the state. For the holder of `lock`."""
        self.check_there()
        state = self.page.published()
        segment = self.active(state)
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

    def settle(self) -> None:
        """Wait for who replaces segments now, finish what one left who died at it, and look again."""
        with reporting("open", self.directory), self.lock:
            self.check_there()
            finish_swaps(self.directory)
            state = self.page.published()
            self.page.publish(state._replace(layout=state.layout + 1))

    def close(self) -> None:
        """Close the files. Nothing else may be called after it."""
        self.segments.close()
        self.page.close()
        self.lock.close()
        self.clean_lock.close()
