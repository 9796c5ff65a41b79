"""The interface that every broker here has: a producer, a consumer, an admin.

Kafka's model: a topic is a number of partitions, a partition is a log of
records, and a record's offset is its place in that log. The file log
(``filelog/``) and Kafka (``kafka/``) have this interface, and other code
should name only what is in this file, so that it runs against any broker that
`connect` can give. The nouns are in ``nouns.py``, topics and groups in
``admin.py``; both can be imported from here.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from types import TracebackType
from typing import Any, Literal, Protocol, Self, TypeAlias, TypeVar

from broker_adapter.admin import Admin, GroupDescription, GroupMember, TopicDescription
from broker_adapter.errors import BrokerError
from broker_adapter.nouns import (
    Acknowledgement,
    AutoOffsetReset,
    Delivery,
    DeliveryCallback,
    Deserializer,
    Durability,
    Header,
    RawRecord,
    Record,
    Serializer,
    TimestampType,
    TopicPartition,
)
from broker_adapter.partitioner import Partitioner
from broker_adapter.rebalancing import RebalanceCallback

__all__ = [
    "Acknowledgement",
    "Admin",
    "AutoOffsetReset",
    "Broker",
    "CommitCallback",
    "Consumer",
    "Delivery",
    "DeliveryCallback",
    "Deserializer",
    "Durability",
    "GroupDescription",
    "GroupMember",
    "Header",
    "Partitioning",
    "Producer",
    "RawRecord",
    "RebalanceCallback",
    "Record",
    "Serializer",
    "TimestampType",
    "TopicDescription",
    "TopicPartition",
]

K = TypeVar("K")
V = TypeVar("V")
K_contra = TypeVar("K_contra", contravariant=True)
V_contra = TypeVar("V_contra", contravariant=True)

Partitioning: TypeAlias = Literal["crc32", "murmur2"] | Partitioner
"""librdkafka's rule for keys, Java's, or one's own."""

CommitCallback: TypeAlias = Callable[[BrokerError | None], None]
"""Called once with None when offsets were committed, or with why not."""


class Producer(Protocol[K_contra, V_contra]):
    """Writes records. One producer may be shared by any number of threads.

    A plain one takes keys and values that are bytes; one with serializers takes what they take.
    """

    def send(
        self,
        topic: str,
        value: V_contra | None = None,
        *,
        key: K_contra | None = None,
        headers: Sequence[Header] = (),
        partition: int | None = None,
        timestamp: int | None = None,
        on_delivery: DeliveryCallback | None = None,
    ) -> Delivery:
        """Take a record for writing and return its future.

        Without `partition`, equal keys go to one partition and records
        without a key are spread evenly. `timestamp` is in milliseconds since
        1970, by default now. `on_delivery` is called with the future when it
        is done. Where records come faster than they can be written, this
        waits. Raises `UnknownTopic`, `UnknownPartition`, `InvalidRecord`,
        `RecordTooLarge`, `SerdeFailed`, `BufferFull` or `Closed`; failures to
        write are raised by the future and by `flush`.
        """

    def flush(self, timeout: float | None = None) -> None:
        """Write all that was sent and wait for it, and for each `on_delivery` of it.

        Raises the first failure of a write since the last flush, so that a
        record whose future nobody looked at is not lost silently, and
        `DeliveryTimeout` after `timeout` seconds.
        """

    def close(self) -> None:
        """Flush and let go; a second call does nothing. Raises as `flush`."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None: ...


class Consumer(Protocol[K, V]):
    """Reads records of its partitions, each partition in order. Not for sharing between threads.

    With a group, `commit` keeps the place for the partition's next owner. The
    group gives and takes partitions while `poll` or an iteration waits; on
    Kafka there are none before.
    Nothing is committed unless `commit` is called: what was not committed is
    seen again (at least once).
    """

    def assignment(self) -> frozenset[TopicPartition]:
        """The partitions this consumer reads."""

    def assign(self, partitions: Sequence[TopicPartition]) -> None:
        """Read exactly these partitions, without a group. Raises `UnknownTopic` or `UnknownPartition`."""

    def poll(self, timeout: float = 0.0, max_records: int = 1000) -> list[Record[K, V]]:
        """Return the next records, up to `max_records`, waiting up to `timeout` seconds for the first.

        Raises `OffsetOutOfRange`, `NoOffset`, `CorruptBatch`, `LogIOError`,
        `SerdeFailed` or `Closed`.
        """

    def __iter__(self) -> Iterator[Record[K, V]]:
        """Records one at a time, for ever, or until none came for the consumer's `idle_timeout`."""

    def batches(self, max_records: int = 1000) -> Iterator[list[Record[K, V]]]:
        """Lists of 1 to `max_records` records as `poll` gives them, for as long as iteration goes on."""

    def position(self, partition: TopicPartition) -> int:
        """The offset of the next record that the caller will get."""

    def seek(self, partition: TopicPartition, offset: int) -> None:
        """Go on at `offset`. An offset outside the log is found out by the next `poll`."""

    def seek_to_timestamp(self, partition: TopicPartition, timestamp: int) -> int:
        """Go on at the first record of `timestamp` (ms) or later, or at the log's end; return that offset."""

    def pause(self, partitions: Sequence[TopicPartition]) -> None:
        """Get no records of `partitions` until `resume`. Their positions stay. Raises `UnknownPartition`."""

    def resume(self, partitions: Sequence[TopicPartition]) -> None:
        """Get records of `partitions` again. Raises `UnknownPartition`."""

    def paused(self) -> frozenset[TopicPartition]:
        """The partitions that are paused."""

    def lag(self) -> dict[TopicPartition, int]:
        """How many offsets each assigned partition's position is behind its log's end."""

    def offset_for_timestamp(self, partition: TopicPartition, timestamp: int) -> int | None:
        """The first offset whose record is of `timestamp` (ms) or later; None if there is none."""

    def watermarks(self, partition: TopicPartition) -> tuple[int, int]:
        """The log's start offset and its end offset (the one the next record will get)."""

    def commit(self, offsets: Mapping[TopicPartition, int] | None = None) -> None:
        """Keep `offsets` (the next to read), by default the positions, for the group.

        Returns when they are written. Raises `InvalidGroup` without a group
        and `FencedMember` if the group has gone on without this consumer.
        """

    def commit_async(
        self,
        offsets: Mapping[TopicPartition, int] | None = None,
        on_commit: CommitCallback | None = None,
    ) -> None:
        """As `commit`, without waiting: `on_commit` hears how it went, at the latest within `close`.

        It may be called before this returns, or by `poll`. A file log does
        not wait for the disk. Without `on_commit` a failure is logged.
        """

    def committed(self, partition: TopicPartition) -> int | None:
        """What the group last committed for `partition`; None if nothing. Raises `InvalidGroup`."""

    def close(self) -> None:
        """Leave the group and let go, without committing; a second call does nothing."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None: ...


class Broker(Protocol):
    """A broker: what `connect` returns. May be shared by threads; close it when done."""

    @property
    def admin(self) -> Admin:
        """The topics and groups of this broker."""

    def producer(
        self,
        *,
        key_serializer: Serializer[Any] | None = None,
        value_serializer: Serializer[Any] | None = None,
        linger: float = 0.005,
        batch_size: int = 65536,
        compression: str = "none",
        partitioner: Partitioning = "crc32",
        max_block: float = 60.0,
    ) -> Producer[Any, Any]:
        """A new producer. Keys and values are bytes where it is given no serializer for them.

        A batch is written when it holds `batch_size` bytes, `linger` seconds
        after its first record, or at `flush`. `compression` is one of
        Kafka's: none, gzip, snappy, lz4, zstd. `partitioner` chooses where
        `send` is not told. When the buffer is full, `send` waits up to
        `max_block` seconds for room; a file log has no buffer to fill, since
        there the sender writes. Raises `InvalidConfig`.
        """

    def consumer(
        self,
        topics: str | Sequence[str] = (),
        *,
        key_deserializer: Deserializer[Any] | None = None,
        value_deserializer: Deserializer[Any] | None = None,
        group: str | None = None,
        group_instance_id: str | None = None,
        auto_offset_reset: AutoOffsetReset = "earliest",
        max_poll_interval: float | None = None,
        session_timeout: float | None = None,
        on_assign: RebalanceCallback | None = None,
        on_revoke: RebalanceCallback | None = None,
        on_lost: RebalanceCallback | None = None,
        idle_timeout: float | None = None,
        on_error: str = "raise",
    ) -> Consumer[Any, Any]:
        """A new consumer of all partitions of `topics`; of none yet where `topics` is empty (see `assign`).

        Keys and values are bytes or None where it is given no deserializer
        for them. A name that begins with ``^`` is a regular expression: all
        topics that match. The members of a `group` share the partitions, each
        of which has one live owner; topics and partitions that are new are
        shared out, too.

        `group_instance_id` makes a static member, whose partitions wait for
        `session_timeout` seconds (45) for it to come back. Who does not poll
        or iterate for `max_poll_interval` seconds (300) is put out of the
        group. `on_assign`, `on_revoke` and `on_lost` are called with the
        partitions that were given, are about to be taken, or were taken
        already; without `on_lost`, `on_revoke` is.

        `idle_timeout` ends iteration after that many seconds without a
        record. `on_error` is what becomes of a record that cannot be
        deserialized: ``raise``, ``skip``, or ``dead-letter:TOPIC``, which
        sends it there as it was, with the cause in headers. Raises
        `UnknownTopic`, `InvalidConfig` or `InvalidGroup`.
        """

    def close(self) -> None:
        """Flush and close all that came from this broker; a second call does nothing."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None: ...
