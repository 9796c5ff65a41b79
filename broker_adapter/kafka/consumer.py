"""Reading records from Kafka: librdkafka fetches, this keeps the place.

For one thread at a time, in the process that made it.

Where to begin is decided here, not by librdkafka, whose own rule would answer
a seek to an offset that is not there by jumping elsewhere: a partition is
assigned with the offset to begin at, and any other loss of place is an error.
"""

import logging
import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from types import TracebackType
from typing import Final, Self

from confluent_kafka import Consumer as Librdkafka
from confluent_kafka import KafkaError, Message
from confluent_kafka import TopicPartition as Place

from broker_adapter.broker import AutoOffsetReset, CommitCallback, RawRecord, TopicPartition
from broker_adapter.errors import (
    BrokerError,
    Closed,
    InvalidConfig,
    InvalidGroup,
    NoOffset,
    UnknownPartition,
)
from broker_adapter.kafka.commits import Commits, tell
from broker_adapter.kafka.offsets import Offsets
from broker_adapter.kafka.places import Places
from broker_adapter.kafka.records import record_of
from broker_adapter.kafka.settings import Settings, librdkafka_log
from broker_adapter.kafka.translation import translated, translating
from broker_adapter.rebalancing import Listener
from broker_adapter.subscription import is_pattern

_SLICE_SECONDS: Final = 0.5
"""librdkafka hears no Ctrl-C while it waits, so it never waits for longer."""
_FETCH_RECORDS: Final = 1000
_NOBODY: Final = "fivebyte-no-group"
"""librdkafka wants a group's name even where partitions are assigned by hand; nothing is done with it."""
_PASSING: Final = {
    KafkaError._ALL_BROKERS_DOWN,
    KafkaError._TRANSPORT,
    KafkaError._RESOLVE,
    KafkaError._TIMED_OUT,
    KafkaError._PARTITION_EOF,
}
"""librdkafka tries again by itself, and says so as if it were a record."""

_log = logging.getLogger(__name__)


def _settings(given: Settings, group: str | None) -> Settings:
    """librdkafka's settings of a consumer: our defaults, what was given, and what must be."""
    settings = {
        "fetch.queue.backoff.ms": 5,  # librdkafka's second is a second without records
        "fetch.wait.max.ms": 100,  # a seek waits for the fetch that is under way
        "partition.assignment.strategy": "cooperative-sticky",
        **given,
        "group.id": group or _NOBODY,
        "enable.auto.commit": False,
        "enable.auto.offset.store": False,
        "auto.offset.reset": "error",
    }
    if settings.get("group.protocol") == "consumer":
        del settings["partition.assignment.strategy"]  # the brokers assign
    return settings


def _is_incremental(settings: Settings) -> bool:
    """Whether the group gives and takes single partitions, not all at once."""
    return "cooperative" in str(settings.get("partition.assignment.strategy", "cooperative"))


class KafkaConsumer:
    """A consumer from Kafka. See `broker_adapter.broker.Consumer`."""

    def __init__(
        self,
        settings: Settings,
        count_partitions: Callable[[str], int],
        topics: Sequence[str],
        *,
        group: str | None,
        auto_offset_reset: AutoOffsetReset,
        idle_timeout: float | None,
        timeout: float,
        listener: Listener | None = None,
        on_close: Callable[["KafkaConsumer"], None] = lambda _: None,
    ) -> None:
        """`count_partitions` asks the cluster; it raises `UnknownTopic`. `timeout` is a request's."""
        if auto_offset_reset not in {"earliest", "latest", "error"}:
            raise InvalidConfig(
                f"auto_offset_reset={auto_offset_reset!r}: use 'earliest', 'latest' or 'error'"
            )
        if group is not None and not group:
            raise InvalidGroup("'' cannot name a group: give a name that is not empty")
        self._group = group
        self._reset = auto_offset_reset
        self._idle_timeout = idle_timeout
        self._count_partitions = count_partitions
        self._on_close = on_close
        self._owner = os.getpid()
        self._closing = self._closed = False
        self._listener = listener or Listener()
        self._objection: BaseException | None = None
        """What a callback of the listener raised, which librdkafka must not meet."""
        counts = {topic: count_partitions(topic) for topic in topics if not is_pattern(topic)}
        self._commits = Commits(group)
        settings = {**_settings(settings, group), "on_commit": self._commits.reported}
        with translating("make a consumer"):
            self._librdkafka = Librdkafka(settings, logger=librdkafka_log)
        self._places = Places(self._librdkafka, incremental=group is None or _is_incremental(settings))
        self._offsets = Offsets(self._librdkafka, timeout)
        if group is None:
            self._take(
                [TopicPartition(topic, number) for topic, count in counts.items() for number in range(count)]
            )
        elif topics:
            with translating(f"subscribe to {', '.join(topics)}"):
                self._librdkafka.subscribe(
                    list(topics), on_assign=self._assigned, on_revoke=self._revoked, on_lost=self._lost
                )

    # ---------------------------------------------------------------- which partitions

    def assignment(self) -> frozenset[TopicPartition]:
        """See `broker_adapter.broker.Consumer.assignment`."""
        return frozenset(self._places.positions)

    def assign(self, partitions: Sequence[TopicPartition]) -> None:
        """See `broker_adapter.broker.Consumer.assign`."""
        self._check_open()
        if self._group is not None:
            raise InvalidGroup(
                f"partitions are given by group {self._group!r} here; assign() is for a consumer without one"
            )
        partitions = [TopicPartition(*each) for each in partitions]
        for topic, number in partitions:
            count = self._count_partitions(topic)
            if not 0 <= number < count:
                raise UnknownPartition(f"topic {topic!r} has no partition {number}; it has 0 to {count - 1}")
        with translating("assign partitions"):
            self._librdkafka.unassign()
        self._places.drop(self._places.positions)
        self._take(partitions)

    def _assigned(self, librdkafka: Librdkafka, places: list[Place]) -> None:
        del librdkafka
        self._places.replace()
        partitions = [TopicPartition(each.topic, each.partition) for each in places]
        self._take(partitions)
        self._tell(self._listener.assigned, partitions)

    def _revoked(self, librdkafka: Librdkafka, places: list[Place]) -> None:
        del librdkafka
        partitions = [TopicPartition(each.topic, each.partition) for each in places]
        self._tell(self._listener.revoked, partitions)
        self._places.drop(partitions)

    def _lost(self, librdkafka: Librdkafka, places: list[Place]) -> None:
        del librdkafka
        partitions = [TopicPartition(each.topic, each.partition) for each in places]
        self._places.drop(partitions)
        self._tell(self._listener.lost, partitions)

    def _tell(
        self, tell: Callable[[Sequence[TopicPartition]], None], partitions: list[TopicPartition]
    ) -> None:
        try:
            tell(partitions)
        except BaseException as objection:  # noqa: BLE001 - raised where the caller called us
            self._objection = objection

    def _raise_objection(self) -> None:
        if self._objection is not None:
            objection, self._objection = self._objection, None
            raise objection

    def _take(self, partitions: Sequence[TopicPartition]) -> None:
        """Begin to read `partitions`, those whose place can be told; the next poll tries with the others."""
        starts: Mapping[TopicPartition, int] = {}
        try:
            starts = self._starts(partitions)
        except BrokerError as error:
            _log.info("%s", error)
        self._places.take(partitions, starts)

    # ---------------------------------------------------------------- where to begin

    def _starts(self, partitions: Sequence[TopicPartition]) -> dict[TopicPartition, int]:
        """Where to begin: at what was committed, or where the reset says; none where it says "error"."""
        if not partitions:
            return {}
        committed = self._offsets.committed(partitions) if self._group is not None else {}
        begins, ends = self._offsets.starts(partitions), self._offsets.ends(partitions)
        starts: dict[TopicPartition, int] = {}
        for name in partitions:
            begin, end = begins[name], ends[name]
            offset = committed.get(name)
            if offset is not None and begin <= offset <= end:
                starts[name] = offset
            elif self._reset != "error":
                starts[name] = begin if self._reset == "earliest" else end
        return starts

    def _place_all(self) -> None:
        """Give a place to partitions that have none yet. Raises why that cannot be."""
        without = self._places.unplaced()
        if not without:
            return
        starts = self._starts(without)
        for name in without:
            if name not in starts:
                raise NoOffset(
                    f'{name}: nothing that is in the log is committed, and auto_offset_reset is "error"; '
                    "seek() to where to start"
                )
            self._places.go_to(name, starts[name])

    # ---------------------------------------------------------------- reading

    def poll(self, timeout: float = 0.0, max_records: int = 1000) -> list[RawRecord]:
        """See `broker_adapter.broker.Consumer.poll`."""
        self._check_open()
        if ahead := self._places.ahead:
            records = [ahead.popleft() for _ in range(min(len(ahead), max_records))]
        else:
            records = self._fetch(timeout, max_records)
        for record in records:
            self._places.passed(record)
        return records

    def __iter__(self) -> Iterator[RawRecord]:
        """See `broker_adapter.broker.Consumer.__iter__`."""
        while True:
            self._check_open()
            if not self._places.ahead:
                fetched = self._fetch(self._idle_timeout, _FETCH_RECORDS)
                if not fetched:
                    return
                self._places.ahead.extend(fetched)
            # One at a time, and looked up each time: the caller may seek, commit or close in between.
            record = self._places.ahead.popleft()
            self._places.passed(record)
            yield record

    def batches(self, max_records: int = 1000) -> Iterator[list[RawRecord]]:
        """See `broker_adapter.broker.Consumer.batches`."""
        while True:
            if not self._places.ahead:
                self._check_open()
                fetched = self._fetch(self._idle_timeout, max_records)
                self._places.ahead.extend(fetched)
            records = self.poll(0, max_records)
            if not records:
                return
            yield records

    def _fetch(self, timeout: float | None, max_records: int) -> list[RawRecord]:
        """The next records, waiting for the first of them; [] when the time is over."""
        deadline = None if timeout is None else time.monotonic() + timeout
        while True:
            self._raise_trouble()
            self._place_all()
            with translating("read records"):
                messages = self._librdkafka.consume(max_records, 0)
                if not messages:
                    left = _SLICE_SECONDS if deadline is None else max(deadline - time.monotonic(), 0)
                    messages = self._librdkafka.consume(1, min(left, _SLICE_SECONDS))
                    if messages and max_records > 1:
                        messages += self._librdkafka.consume(max_records - 1, 0)
            # Kept before an objection is raised: the next poll gives them.
            self._places.ahead.extend(self._records(messages))
            self._raise_objection()
            if self._places.ahead:
                records = list(self._places.ahead)
                self._places.ahead.clear()
                return records
            self._raise_trouble()
            if deadline is not None and time.monotonic() >= deadline:
                return []

    def _records(self, messages: Sequence[Message]) -> list[RawRecord]:
        records: list[RawRecord] = []
        places = self._places
        for message in messages:
            error = message.error()
            if error is None:
                record = record_of(message)
                if (record[0], record[1]) in places.positions:  # not of one that was taken away meanwhile
                    records.append(record)
            elif error.code() not in _PASSING and places.trouble is None:
                places.trouble = TopicPartition(message.topic() or "", message.partition() or 0), error
        return records

    def _raise_trouble(self) -> None:
        """Raise an error that came among the messages, if one did."""
        if self._places.trouble is None:
            return
        (name, error), self._places.trouble = self._places.trouble, None
        position = self._places.positions.get(name)
        if position is None:
            raise translated(error, "read records")
        # The partition stands still after an error: go on where the caller is, and perhaps meet it again.
        self._places.go_to(name, position)
        if error.code() == KafkaError._AUTO_OFFSET_RESET and self._is_in_log(name, position):
            return  # it was said of where the caller was before a seek
        raise translated(error, f"read offset {position} of {name}")

    def _is_in_log(self, name: TopicPartition, offset: int) -> bool:
        return self._offsets.starts([name])[name] <= offset <= self._offsets.ends([name])[name]

    # ---------------------------------------------------------------- positions

    def _known(self, partition: TopicPartition) -> TopicPartition:
        self._check_open()
        if partition not in self._places.positions:
            raise UnknownPartition(
                f"this consumer does not read {TopicPartition(*partition)}; see assignment()"
            )
        return TopicPartition(*partition)

    def position(self, partition: TopicPartition) -> int:
        """See `broker_adapter.broker.Consumer.position`."""
        name = self._known(partition)
        self._place_all()
        return self._places.positions[name] or 0

    def seek(self, partition: TopicPartition, offset: int) -> None:
        """See `broker_adapter.broker.Consumer.seek`."""
        self._places.go_to(self._known(partition), offset)

    def seek_to_timestamp(self, partition: TopicPartition, timestamp: int) -> int:
        """See `broker_adapter.broker.Consumer.seek_to_timestamp`."""
        name = self._known(partition)
        end = self._offsets.ends([name])[name]  # before the search, or a record between is passed over
        found = self.offset_for_timestamp(name, timestamp)
        offset = end if found is None else found
        self._places.go_to(name, offset)
        return offset

    def offset_for_timestamp(self, partition: TopicPartition, timestamp: int) -> int | None:
        """See `broker_adapter.broker.Consumer.offset_for_timestamp`."""
        return self._offsets.at_time(self._known(partition), timestamp)

    def watermarks(self, partition: TopicPartition) -> tuple[int, int]:
        """See `broker_adapter.broker.Consumer.watermarks`."""
        name = self._known(partition)
        return self._offsets.starts([name])[name], self._offsets.ends([name])[name]

    def lag(self) -> dict[TopicPartition, int]:
        """See `broker_adapter.broker.Consumer.lag`."""
        self._check_open()
        self._place_all()
        positions = self._places.positions
        if not positions:
            return {}
        ends = self._offsets.ends(list(positions))
        return {name: ends[name] - (offset or 0) for name, offset in positions.items()}

    # ---------------------------------------------------------------- pausing

    def pause(self, partitions: Sequence[TopicPartition]) -> None:
        """See `broker_adapter.broker.Consumer.pause`."""
        self._places.pause([self._known(each) for each in partitions])

    def resume(self, partitions: Sequence[TopicPartition]) -> None:
        """See `broker_adapter.broker.Consumer.resume`."""
        self._places.resume([self._known(each) for each in partitions])

    def paused(self) -> frozenset[TopicPartition]:
        """See `broker_adapter.broker.Consumer.paused`."""
        return frozenset(self._places.paused)

    # ---------------------------------------------------------------- the group

    def commit(self, offsets: Mapping[TopicPartition, int] | None = None) -> None:
        """See `broker_adapter.broker.Consumer.commit`."""
        if to_commit := self._to_commit(offsets):
            self._commits.commit(self._librdkafka, to_commit)

    def commit_async(
        self, offsets: Mapping[TopicPartition, int] | None = None, on_commit: CommitCallback | None = None
    ) -> None:
        """See `broker_adapter.broker.Consumer.commit_async`."""
        if to_commit := self._to_commit(offsets):
            self._commits.commit_async(self._librdkafka, to_commit, on_commit)
        else:
            tell(on_commit, None)

    def _to_commit(self, offsets: Mapping[TopicPartition, int] | None) -> dict[TopicPartition, int]:
        self._require_group()
        if offsets is None:
            return {name: offset for name, offset in self._places.positions.items() if offset is not None}
        return {self._known(name): offset for name, offset in offsets.items()}

    def committed(self, partition: TopicPartition) -> int | None:
        """See `broker_adapter.broker.Consumer.committed`."""
        self._require_group()
        name = self._known(partition)
        return self._offsets.committed([name]).get(name)

    def _require_group(self) -> None:
        self._check_open()
        if self._group is None:
            raise InvalidGroup("this consumer has no group to commit for; make it with group=...")

    # ---------------------------------------------------------------- closing

    def _check_open(self) -> None:
        if self._closed:
            raise Closed("this consumer is closed; ask the broker for another")
        if os.getpid() != self._owner:
            raise Closed("this consumer was made before a fork, and belongs to the parent; make another")

    def close(self) -> None:
        """See `broker_adapter.broker.Consumer.close`."""
        if self._closing or os.getpid() != self._owner:
            return
        self._closing = True
        try:
            with translating("close a consumer"):
                self._librdkafka.close()  # calls the listener, which may commit
        finally:
            self._closed = True
            self._on_close(self)
        self._raise_objection()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
