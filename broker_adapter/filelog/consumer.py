"""Reading records: a place in each partition, and the group that gives partitions and keeps the places.

Owns no file; reads through `LogReader`, is in a group through `Membership`.
For one thread at a time, in the process that made it.
"""

import logging
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from types import TracebackType
from typing import Final, Self

from broker_adapter.broker import AutoOffsetReset, CommitCallback, RawRecord, TopicPartition
from broker_adapter.errors import (
    BrokerError,
    Closed,
    FencedMember,
    InvalidConfig,
    InvalidGroup,
    NoOffset,
    TopicError,
    UnknownPartition,
)
from broker_adapter.filelog.group import Membership
from broker_adapter.filelog.partition import Partition
from broker_adapter.filelog.reader import LogReader
from broker_adapter.filelog.waiting import Waiter
from broker_adapter.rebalancing import Listener

_FETCH_BYTES: Final = 1024 * 1024

_log = logging.getLogger(__name__)


class _Place:
    """A reader, and the records it has read that the caller has not had."""

    def __init__(self, partition: Partition, offset: int, *, skips_damage: bool) -> None:
        self.reader = LogReader(partition, offset, skips_damage=skips_damage)
        self.waiting: list[RawRecord] = []
        self.taken = 0

    @property
    def position(self) -> int:
        return self.waiting[self.taken].offset if self.taken < len(self.waiting) else self.reader.offset

    def seek(self, offset: int) -> None:
        self.waiting, self.taken = [], 0
        self.reader.seek(offset)

    def fill(self) -> bool:
        """Read on if all was taken; whether there is a record to take."""
        if self.taken == len(self.waiting):
            self.waiting, self.taken = self.reader.read(_FETCH_BYTES), 0
        return bool(self.waiting)

    def take(self, count: int) -> list[RawRecord]:
        records = self.waiting[self.taken : self.taken + count]
        self.taken += len(records)
        return records


class FileConsumer:
    """A consumer of a file log. See `broker_adapter.broker.Consumer`."""

    def __init__(
        self,
        open_partition: Callable[[TopicPartition], Partition],
        partitions: Sequence[TopicPartition],
        membership: Membership | None,
        *,
        auto_offset_reset: AutoOffsetReset,
        idle_timeout: float | None,
        sync_commits: bool,
        skips_damage: bool = False,
        listener: Listener | None = None,
        on_close: Callable[["FileConsumer"], None] = lambda _: None,
    ) -> None:
        """`open_partition` gives an open partition, or raises `UnknownTopic` or `UnknownPartition`.

        With a `membership` its group gives the partitions; without, they are `partitions`.
        """
        if auto_offset_reset not in {"earliest", "latest", "error"}:
            raise InvalidConfig(
                f"auto_offset_reset={auto_offset_reset!r}: use 'earliest', 'latest' or 'error'"
            )
        self._open_partition = open_partition
        self._membership = membership
        self._reset = auto_offset_reset
        self._idle_timeout = idle_timeout
        self._sync_commits = sync_commits
        self._skips_damage = skips_damage
        self._listener = listener or Listener()
        self._unannounced: set[TopicPartition] = set()
        """Given by the group, and not told to the listener: it hears of them while the caller polls."""
        self._on_close = on_close
        self._closing = self._closed = False
        self._turn = 0
        self._partitions: dict[TopicPartition, Partition] = {}
        self._places: dict[TopicPartition, _Place] = {}
        self._set_partitions(partitions)
        self._waiter = Waiter(
            self._has_record,
            lambda: [self._partitions[name].directory for name, _ in self._open_places()],
            () if membership is None else membership.folders,
            lambda: None if membership is None else membership.hurry(),
        )
        if membership is not None:
            self._take(membership)

    def _set_partitions(self, partitions: Sequence[TopicPartition]) -> None:
        self._partitions = {
            TopicPartition(*each): self._open_partition(TopicPartition(*each)) for each in partitions
        }
        self._places = {}
        self._paused: set[TopicPartition] = set()

    def assignment(self) -> frozenset[TopicPartition]:
        """See `broker_adapter.broker.Consumer.assignment`."""
        return frozenset(self._partitions)

    def assign(self, partitions: Sequence[TopicPartition]) -> None:
        """See `broker_adapter.broker.Consumer.assign`."""
        self._check_open()
        if self._membership is not None:
            raise InvalidGroup(
                f"partitions are given by group {self._membership.group!r} here; assign() is for a consumer "
                "without one"
            )
        self._set_partitions(partitions)

    # ---------------------------------------------------------------- what the group gives

    def _keep_up(self) -> None:
        """Look after the group if it is time to: let go of partitions, and take partitions, as it says.

        Raises `FencedMember` once, when it has gone on without this consumer; the next call joins again.
        """
        membership = self._membership
        if membership is None or not (membership.is_fenced or membership.is_due):
            return
        if membership.is_fenced:
            self._lose_all()
            membership.rejoin()
        else:
            try:
                membership.beat()
            except FencedMember:
                self._lose_all()
                raise
        self._give_up(membership, membership.excess())
        self._take(membership)
        if self._unannounced:
            self._confirm()
            unannounced, self._unannounced = self._unannounced, set()
            self._listener.assigned(unannounced)

    def _take(self, membership: Membership) -> None:
        for name in sorted(membership.take()):
            try:
                self._partitions[name] = self._open_partition(name)
            except TopicError as error:
                membership.release([name])  # deleted just now: the group will hear of it
                _log.info("%s", error)
            else:
                self._unannounced.add(name)

    def _give_up(self, membership: Membership, partitions: Collection[TopicPartition]) -> None:
        known = set(partitions) - self._unannounced
        try:
            self._listener.revoked(known)
        finally:
            self._forget(partitions)
            membership.release(partitions)

    def _lose_all(self) -> None:
        lost = self._partitions.keys() - self._unannounced
        self._forget(list(self._partitions))
        self._listener.lost(lost)

    def _forget(self, partitions: Collection[TopicPartition]) -> None:
        for name in partitions:
            self._partitions.pop(name, None)
            self._places.pop(name, None)
            self._paused.discard(name)
            self._unannounced.discard(name)

    # ---------------------------------------------------------------- reading

    def poll(self, timeout: float = 0.0, max_records: int = 1000) -> list[RawRecord]:
        """See `broker_adapter.broker.Consumer.poll`."""
        self._check_open()
        records: list[RawRecord] = []
        if self._wait_for_record(timeout):
            try:
                for _, place in self._in_turn():
                    while len(records) < max_records and place.fill():
                        records += place.take(max_records - len(records))
            except BrokerError:
                # What was taken must reach the caller, or it would be passed over. The next poll raises.
                if not records:
                    raise
            self._confirm()
        return records

    def _confirm(self) -> None:
        """Make sure that what we have is still ours, if this process was stopped meanwhile."""
        if self._membership is not None:
            try:
                self._membership.confirm()
            except FencedMember:
                self._lose_all()
                raise

    def __iter__(self) -> Iterator[RawRecord]:
        """See `broker_adapter.broker.Consumer.__iter__`."""
        while self._wait_for_record(self._idle_timeout):
            for name, place in self._in_turn():
                # One at a time, and looked up each time: the caller may seek, commit or close in between.
                if place.fill():
                    chunk = place.waiting
                    while (
                        place.waiting is chunk
                        and place.taken < len(chunk)
                        and self._places.get(name) is place
                        and name not in self._paused
                        and not self._closed
                    ):
                        place.taken += 1
                        yield chunk[place.taken - 1]
                        if self._membership is not None and not self._closed:
                            self._keep_up()

    def _wait_for_record(self, timeout: float | None) -> bool:
        self._check_open()
        return self._waiter.wait(timeout)

    def _has_record(self) -> bool:
        self._keep_up()
        return any(place.fill() for _, place in self._open_places())

    def batches(self, max_records: int = 1000) -> Iterator[list[RawRecord]]:
        """See `broker_adapter.broker.Consumer.batches`."""
        while self._wait_for_record(self._idle_timeout):
            if records := self.poll(0, max_records):
                yield records

    def _in_turn(self) -> list[tuple[TopicPartition, _Place]]:
        """All places, another one first each time, so that a busy partition does not starve the others."""
        places = self._open_places()
        self._turn += 1
        first = self._turn % len(places) if places else 0
        return places[first:] + places[:first]

    def _open_places(self) -> list[tuple[TopicPartition, _Place]]:
        """The places that may be read from: those that are not paused."""
        if len(self._places) < len(self._partitions):
            for name in self._partitions:
                self._place(name)
        return [(name, place) for name, place in self._places.items() if name not in self._paused]

    def pause(self, partitions: Sequence[TopicPartition]) -> None:
        """See `broker_adapter.broker.Consumer.pause`."""
        self._check_open()
        for name in partitions:
            self._partition(name)
        self._paused.update(partitions)

    def resume(self, partitions: Sequence[TopicPartition]) -> None:
        """See `broker_adapter.broker.Consumer.resume`."""
        self._check_open()
        for name in partitions:
            self._partition(name)
        self._paused.difference_update(partitions)

    def paused(self) -> frozenset[TopicPartition]:
        """See `broker_adapter.broker.Consumer.paused`."""
        return frozenset(self._paused)

    # ---------------------------------------------------------------- positions

    def _place(self, name: TopicPartition) -> _Place:
        self._check_open()
        place = self._places.get(name)
        if place is None:
            partition = self._partition(name)
            place = self._places[name] = _Place(
                partition, self._first_offset(name, partition), skips_damage=self._skips_damage
            )
        return place

    def _partition(self, name: TopicPartition) -> Partition:
        try:
            return self._partitions[name]
        except KeyError:
            raise UnknownPartition(
                f"this consumer does not read {TopicPartition(*name)}; see assignment()"
            ) from None

    def _first_offset(self, name: TopicPartition, partition: Partition) -> int:
        state = partition.state()
        committed = None if self._membership is None else self._membership.committed().get(name)
        if committed is not None and state.log_start_offset <= committed <= state.log_end_offset:
            return committed
        if self._reset == "earliest":
            return state.log_start_offset
        if self._reset == "latest":
            return state.log_end_offset
        what = (
            "nothing is committed"
            if committed is None
            else f"the committed offset {committed} is not in the log"
        )
        raise NoOffset(f'{name}: {what}, and auto_offset_reset is "error"; seek() to where to start')

    def position(self, partition: TopicPartition) -> int:
        """See `broker_adapter.broker.Consumer.position`."""
        return self._place(partition).position

    def seek(self, partition: TopicPartition, offset: int) -> None:
        """See `broker_adapter.broker.Consumer.seek`."""
        self._check_open()
        if partition in self._places:
            self._places[partition].seek(offset)
        else:
            self._places[partition] = _Place(
                self._partition(partition), offset, skips_damage=self._skips_damage
            )

    def seek_to_timestamp(self, partition: TopicPartition, timestamp: int) -> int:
        """See `broker_adapter.broker.Consumer.seek_to_timestamp`."""
        end = self.watermarks(partition)[
            1
        ]  # before the search, or a record that comes meanwhile is passed over
        offset = self.offset_for_timestamp(partition, timestamp)
        self.seek(partition, end if offset is None else offset)
        return self.position(partition)

    def lag(self) -> dict[TopicPartition, int]:
        """See `broker_adapter.broker.Consumer.lag`."""
        return {name: self.watermarks(name)[1] - self.position(name) for name in self._partitions}

    def offset_for_timestamp(self, partition: TopicPartition, timestamp: int) -> int | None:
        """See `broker_adapter.broker.Consumer.offset_for_timestamp`."""
        self._check_open()
        return self._partition(partition).offset_for_timestamp(timestamp)

    def watermarks(self, partition: TopicPartition) -> tuple[int, int]:
        """See `broker_adapter.broker.Consumer.watermarks`."""
        self._check_open()
        state = self._partition(partition).state()
        return state.log_start_offset, state.log_end_offset

    # ---------------------------------------------------------------- the group

    def commit(self, offsets: Mapping[TopicPartition, int] | None = None) -> None:
        """See `broker_adapter.broker.Consumer.commit`."""
        self._commit(offsets, sync=self._sync_commits)

    def commit_async(
        self, offsets: Mapping[TopicPartition, int] | None = None, on_commit: CommitCallback | None = None
    ) -> None:
        """See `broker_adapter.broker.Consumer.commit_async`."""
        self._require_group()
        failure: BrokerError | None = None
        try:
            # An append takes microseconds; only the disk is worth not waiting for.
            self._commit(offsets, sync=False)
        except BrokerError as error:
            failure = error
        if on_commit is not None:
            on_commit(failure)
        elif failure is not None:
            _log.warning("%s", failure)

    def _commit(self, offsets: Mapping[TopicPartition, int] | None, *, sync: bool) -> None:
        membership = self._require_group()
        if offsets is None:
            offsets = {name: place.position for name, place in self._places.items()}
        for name in offsets:
            self._partition(name)
        if offsets:
            membership.commit(offsets, sync=sync)

    def committed(self, partition: TopicPartition) -> int | None:
        """See `broker_adapter.broker.Consumer.committed`."""
        self._partition(partition)
        return self._require_group().committed().get(partition)

    def _require_group(self) -> Membership:
        self._check_open()
        if self._membership is None:
            raise InvalidGroup("this consumer has no group to commit for; make it with group=...")
        return self._membership

    # ---------------------------------------------------------------- closing

    def _check_open(self) -> None:
        if self._closed:
            raise Closed("this consumer is closed; ask the broker for another")
        if self._membership is not None:
            self._membership.check()

    def close(self) -> None:
        """See `broker_adapter.broker.Consumer.close`."""
        if self._closing:
            return
        self._closing = True
        try:
            self._say_goodbye()
        finally:
            self._closed = True
            self._waiter.close()
            self._on_close(self)
            if self._membership is not None:
                self._membership.leave()

    def _say_goodbye(self) -> None:
        membership = self._membership
        if membership is not None and membership.is_mine:
            known = self._partitions.keys() - self._unannounced
            (self._listener.lost if membership.is_fenced else self._listener.revoked)(known)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
