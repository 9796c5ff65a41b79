"""The nouns of a broker, and the interface that every broker here has.

Kafka's model: a topic is a number of partitions, a partition is a log of
records, and a record's offset is its place in that log. The file log
(``filelog/``) has this interface, and other code should name only what is in
this file, so that it runs against any broker that `connect` can give.
"""

from collections.abc import Iterator, Mapping, Sequence
from enum import IntEnum, StrEnum
from types import TracebackType
from typing import Any, Generic, Literal, NamedTuple, Protocol, Self, TypeAlias, TypeVar

K = TypeVar("K")
V = TypeVar("V")
K_contra = TypeVar("K_contra", contravariant=True)
V_contra = TypeVar("V_contra", contravariant=True)
T_contra = TypeVar("T_contra", contravariant=True)
T_co = TypeVar("T_co", covariant=True)

Header: TypeAlias = tuple[str, bytes | None]
"""A record header: a name, and bytes or nothing. Names may repeat and their order is kept."""

AutoOffsetReset: TypeAlias = Literal["earliest", "latest", "error"]
"""Where to start in a partition where nothing is committed, or where what is committed is gone."""


class TopicPartition(NamedTuple):
    """One log: the partition numbered `partition` (from 0) of `topic`."""

    topic: str
    partition: int

    def __str__(self) -> str:
        return f"{self.topic}-{self.partition}"


class TimestampType(IntEnum):
    """Who set a record's timestamp."""

    CREATE_TIME = 0
    """The producer, when the record was made."""
    LOG_APPEND_TIME = 1
    """The broker, when the record's batch was appended."""


class Record(NamedTuple, Generic[K, V]):
    """One record as it was read.

    From a plain consumer `key` and `value` are bytes or None; from a
    deserializing one they are what the deserializers returned.
    """

    topic: str
    partition: int
    offset: int
    timestamp: int
    """Milliseconds since 1970-01-01 UTC."""
    timestamp_type: TimestampType
    key: K
    value: V
    headers: tuple[Header, ...]


RawRecord: TypeAlias = Record[bytes | None, bytes | None]


class Durability(StrEnum):
    """What an acknowledgement promises beyond "a killed process does not lose it"."""

    NONE = "none"
    """Given to the operating system: lost if the machine stops before it writes its cache out."""
    INTERVAL = "interval"
    """As `NONE`, and flushed to the disk within about a second."""
    BATCH = "batch"
    """On the disk before it was acknowledged and before any reader saw it."""


class Acknowledgement(NamedTuple):
    """A record's place in the log, and how safe it is there."""

    topic: str
    partition: int
    offset: int
    timestamp: int
    """Milliseconds since 1970-01-01 UTC."""
    durability: Durability


class TopicDescription(NamedTuple):
    """A topic as the broker knows it."""

    name: str
    partitions: int
    topic_id: str
    """Kafka's form of the topic's UUID: 22 characters of base64url."""
    config: Mapping[str, int]
    """Every setting by Kafka's name, defaults included."""


class Delivery(Protocol):
    """The future of one sent record."""

    def done(self) -> bool:
        """Whether the record was written, or has failed."""

    def result(self, timeout: float | None = None) -> Acknowledgement:
        """Wait until the record is written and say where.

        `timeout` is in seconds, None for ever. Raises what the write raised, or `DeliveryTimeout`.
        """


class Serializer(Protocol[T_contra]):
    """From an object to a record's key or value. May raise anything."""

    def __call__(self, data: T_contra, topic: str, /) -> bytes | None:
        """The bytes of `data`, which is not None, for `topic`; None makes a null, in a value a tombstone."""


class Deserializer(Protocol[T_co]):
    """From a record's key or value to an object. May raise anything. Called for nulls, too."""

    def __call__(self, data: bytes | None, topic: str, /) -> T_co:
        """The object that `data`, read from `topic`, stands for."""


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
    ) -> Delivery:
        """Take a record for writing and return its future.

        Without `partition`, equal keys go to one partition and records
        without a key are spread evenly. `timestamp` is in milliseconds since
        1970, by default now. Raises `UnknownTopic`, `UnknownPartition`,
        `InvalidRecord`, `RecordTooLarge`, `SerdeFailed` or `Closed`; failures
        to write are raised by the future and by `flush`.
        """

    def flush(self, timeout: float | None = None) -> None:
        """Write all that was sent and wait for it.

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

    With a group, `commit` keeps the place for the group's next consumer.
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

    def position(self, partition: TopicPartition) -> int:
        """The offset of the next record that the caller will get."""

    def seek(self, partition: TopicPartition, offset: int) -> None:
        """Go on at `offset`. An offset outside the log is found out by the next `poll`."""

    def offset_for_timestamp(self, partition: TopicPartition, timestamp: int) -> int | None:
        """The first offset whose record is of `timestamp` (ms) or later; None if there is none."""

    def watermarks(self, partition: TopicPartition) -> tuple[int, int]:
        """The log's start offset and its end offset (the one the next record will get)."""

    def commit(self, offsets: Mapping[TopicPartition, int] | None = None) -> None:
        """Keep `offsets` (the next to read), by default the positions, for the group.

        Returns when they are written. Raises `InvalidGroup` without a group
        and `FencedMember` if the group has gone on without this consumer.
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


class Admin(Protocol):
    """Topics: make, list, describe."""

    def create_topic(
        self, name: str, partitions: int = 1, config: Mapping[str, int | str] | None = None
    ) -> TopicDescription:
        """Make a topic; `config` has Kafka's names, such as ``segment.bytes``.

        Raises `InvalidTopic`, `InvalidConfig` or `TopicExists`.
        """

    def topics(self) -> list[str]:
        """The names of all topics but internal ones, sorted."""

    def describe_topic(self, name: str) -> TopicDescription:
        """What the broker knows of a topic. Raises `UnknownTopic`."""


class Broker(Protocol):
    """A broker: what `connect` returns. May be shared by threads; close it when done."""

    @property
    def admin(self) -> Admin:
        """The topics of this broker."""

    def producer(
        self,
        *,
        key_serializer: Serializer[Any] | None = None,
        value_serializer: Serializer[Any] | None = None,
        linger: float = 0.005,
        batch_size: int = 65536,
        compression: str = "none",
    ) -> Producer[Any, Any]:
        """A new producer. Keys and values are bytes where it is given no serializer for them.

        A batch is written when it holds `batch_size` bytes, `linger` seconds
        after its first record, or at `flush`. `compression` is one of
        Kafka's: none, gzip, snappy, lz4, zstd.
        """

    def consumer(
        self,
        topics: str | Sequence[str] = (),
        *,
        key_deserializer: Deserializer[Any] | None = None,
        value_deserializer: Deserializer[Any] | None = None,
        group: str | None = None,
        auto_offset_reset: AutoOffsetReset = "earliest",
        idle_timeout: float | None = None,
    ) -> Consumer[Any, Any]:
        """A new consumer of all partitions of `topics`; of none yet where `topics` is empty (see `assign`).

        Keys and values are bytes or None where it is given no deserializer
        for them. `idle_timeout` ends iteration after that many seconds
        without a record. Raises `UnknownTopic`, and `GroupBusy` if the group
        has a live member.
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
