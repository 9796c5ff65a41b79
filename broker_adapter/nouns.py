"""The nouns of a broker: what records, places and promises are. Only types, and no behaviour."""

from collections.abc import Callable
from enum import IntEnum, StrEnum
from typing import Generic, Literal, NamedTuple, Protocol, TypeAlias, TypeVar

K = TypeVar("K")
V = TypeVar("V")
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
    REPLICATED = "replicated"
    """Kafka's ``acks=all``: given to the operating systems of all in-sync replicas."""


class Acknowledgement(NamedTuple):
    """A record's place in the log, and how safe it is there."""

    topic: str
    partition: int
    offset: int
    timestamp: int
    """Milliseconds since 1970-01-01 UTC."""
    durability: Durability


class Delivery(Protocol):
    """The future of one sent record."""

    def done(self) -> bool:
        """Whether the record was written, or has failed."""

    def result(self, timeout: float | None = None) -> Acknowledgement:
        """Wait until the record is written and say where.

        `timeout` is in seconds, None for ever. Raises what the write raised, or `DeliveryTimeout`.
        """


DeliveryCallback: TypeAlias = Callable[[Delivery], None]
"""Called once with a delivery that is done: its `result` returns or raises at once.

It is called by whichever thread finished the record, which may be the
sender's within `send`. It must be quick, and not flush or close. What it
raises is logged.
"""


class Serializer(Protocol[T_contra]):
    """From an object to a record's key or value. May raise anything.

    One that has a true ``takes_headers`` is called with a third argument, the list of the record's headers.
    """

    def __call__(self, data: T_contra, topic: str, /) -> bytes | None:
        """The bytes of `data`, which is not None, for `topic`; None makes a null, in a value a tombstone."""


class Deserializer(Protocol[T_co]):
    """From a record's key or value to an object. May raise anything. Called for nulls, too.

    One that has a true ``takes_headers`` is called with a third argument, the record's headers.
    """

    def __call__(self, data: bytes | None, topic: str, /) -> T_co:
        """The object that `data`, read from `topic`, stands for."""
