"""What can go wrong with a broker, as one tree; nothing else leaves a public call.

::

    BrokerError
    ├── UnsupportedURL        a URL that connect() does not know
    ├── MissingExtra          a part of fivebyte that was not installed
    ├── InvalidConfig         a setting that does not exist, or a value out of its range
    ├── Closed                used after close(), or in a forked child
    ├── BrokerUnavailable     no broker answered in time; retriable
    ├── AccessDenied          the broker does not let this user in, or not do this
    ├── NotSupported          this broker cannot do what was asked
    ├── RequestFailed         anything else that a broker refuses
    ├── TopicError
    │   ├── InvalidTopic      not a legal topic name or partition count
    │   ├── TopicExists
    │   ├── UnknownTopic
    │   └── UnknownPartition
    ├── RecordError
    │   ├── InvalidRecord     a key, value, header or timestamp of a wrong type or range
    │   ├── RecordTooLarge    above the topic's max.message.bytes
    │   ├── OutOfOrderSequence  a producer's batch that is not its next: records are missing
    │   ├── FencedProducer    a producer of that id with a newer epoch has taken over
    │   └── SerdeFailed       a serializer or deserializer raised; its error is the cause
    ├── DeliveryTimeout       not yet written after the time the caller gave
    ├── BufferFull            no room for a record within the producer's max_block; retriable
    ├── OffsetError
    │   ├── OffsetOutOfRange  before the log's start or past its end
    │   └── NoOffset          nothing committed, and auto_offset_reset is "error"
    ├── GroupError
    │   ├── InvalidGroup      a group name that cannot be used, or no group at all
    │   ├── UnknownGroup
    │   ├── GroupBusy         the group has live members: it cannot be reset or deleted
    │   └── FencedMember      the group went on without this member
    └── LogError
        ├── CorruptBatch      bytes that are not a whole, unchanged record batch
        ├── CorruptLog        a log directory that contradicts itself
        └── LogIOError        the operating system refused; retriable once the cause is gone
"""

from pathlib import Path


class BrokerError(Exception):
    """Any failure of a broker. The message says what, where and what to do."""

    retriable = False
    """True where the same call may succeed later without a change by the caller."""


class UnsupportedURL(BrokerError):
    """`connect` was given a URL that names no broker this release can reach."""


class MissingExtra(BrokerError):
    """An optional dependency is not installed. The message has the command that installs it."""


class InvalidConfig(BrokerError):
    """A setting is unknown, or its value is out of range."""


class Closed(BrokerError):
    """A broker, producer or consumer was used after `close`, or in a process forked from its owner."""


class BrokerUnavailable(BrokerError):
    """No broker could be reached, or none answered in time."""

    retriable = True


class AccessDenied(BrokerError):
    """The broker refuses this user's credentials, certificate, or right to do this."""


class NotSupported(BrokerError):
    """The broker behind the interface cannot do this; the message says what to do instead."""


class RequestFailed(BrokerError):
    """A broker refused for a reason that has no class of its own here. The message has its code."""

    def __init__(self, message: str, *, retriable: bool = False) -> None:
        super().__init__(message)
        self.retriable = retriable


class TopicError(BrokerError):
    """Something about a topic or partition."""


class InvalidTopic(TopicError):
    """The name or the number of partitions is not one that Kafka would take."""


class TopicExists(TopicError):
    """A topic of that name is already there."""


class UnknownTopic(TopicError):
    """There is no topic of that name; topics are created explicitly."""


class UnknownPartition(TopicError):
    """The topic exists but has no partition of that number."""


class RecordError(BrokerError):
    """A record cannot be written, or cannot be turned into objects."""


class InvalidRecord(RecordError):
    """A part of the record has the wrong type or is out of range."""


class RecordTooLarge(RecordError):
    """The record alone makes a batch above the topic's ``max.message.bytes``."""


class OutOfOrderSequence(RecordError):
    """An idempotent producer's batch is not the next after its last one: the log would have a gap."""


class FencedProducer(RecordError):
    """An idempotent producer's batch is of an older epoch than its id has now: another took its place."""


class SerdeFailed(RecordError):
    """A serializer or deserializer raised. The message says for which record; ``__cause__`` is its error."""

    def __init__(
        self, message: str, *, topic: str, partition: int | None = None, offset: int | None = None
    ) -> None:
        """`partition` and `offset` are None for a record that was to be sent."""
        super().__init__(message)
        self.topic = topic
        self.partition = partition
        self.offset = offset


class DeliveryTimeout(BrokerError):
    """The record was not written within the time the caller gave. It may still be written later."""

    retriable = True


class BufferFull(BrokerError):
    """The producer's buffer had no room for the record for as long as `send` may wait. It was not taken."""

    retriable = True


class OffsetError(BrokerError):
    """Something about an offset."""


class OffsetOutOfRange(OffsetError):
    """The offset lies before the log's start or past its end."""


class NoOffset(OffsetError):
    """The group has committed nothing for the partition and ``auto_offset_reset`` is "error"."""


class GroupError(BrokerError):
    """Something about a consumer group."""


class InvalidGroup(GroupError):
    """The group's name cannot be used, or the call needs a group and the consumer has none."""


class UnknownGroup(GroupError):
    """There is no group of that name: it has no member and has committed nothing."""


class GroupBusy(GroupError):
    """The group has live members, and cannot be changed from outside while it has."""

    retriable = True


class FencedMember(GroupError):
    """The group went on without this member, and others own its partitions; polling on joins it again."""


class LogError(BrokerError):
    """Something about the files of a log."""


class CorruptBatch(LogError):
    """Bytes that should be a record batch are cut short, changed, or not a batch at all."""


class CorruptLog(LogError):
    """Files of a log contradict each other or cannot be understood."""


class LogIOError(LogError):
    """The operating system refused to read or write. ``__cause__`` is its error; the log is intact."""

    retriable = True

    def __init__(self, doing: str, path: Path, error: OSError) -> None:
        """`doing` is the act that failed, as in "append to"; `path` what it was done to."""
        reason = error.strerror or type(error).__name__
        super().__init__(f"could not {doing} {path}: {reason}{_advice(error)}")
        self.path = path


def _advice(error: OSError) -> str:
    match error:
        case PermissionError():
            return "; check the owner and mode of that path"
        case FileNotFoundError() | NotADirectoryError():
            return "; was the folder moved or deleted?"
        case _:
            return "; nothing was acknowledged, so try again when the cause is gone"
