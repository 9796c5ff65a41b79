"""What can go wrong with a broker, as one tree; nothing else leaves a public call.

::

    BrokerError
    ├── UnsupportedURL        a URL that connect() does not know
    ├── InvalidConfig         a setting that does not exist, or a value out of its range
    ├── Closed                used after close(), or in a forked child
    ├── TopicError
    │   ├── InvalidTopic      not a legal topic name or partition count
    │   ├── TopicExists
    │   ├── UnknownTopic
    │   └── UnknownPartition
    ├── RecordError
    │   ├── InvalidRecord     a key, value, header or timestamp of a wrong type or range
    │   ├── RecordTooLarge    above the topic's max.message.bytes
    │   └── SerdeFailed       a serializer or deserializer raised; its error is the cause
    ├── DeliveryTimeout       not yet written after the time the caller gave
    ├── OffsetError
    │   ├── OffsetOutOfRange  before the log's start or past its end
    │   └── NoOffset          nothing committed, and auto_offset_reset is "error"
    ├── GroupError
    │   ├── InvalidGroup      a group name that cannot be used, or no group at all
    │   ├── GroupBusy         another live member holds the group
    │   └── FencedMember      the group has moved on to a newer generation
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


class InvalidConfig(BrokerError):
    """A setting is unknown, or its value is out of range."""


class Closed(BrokerError):
    """A broker, producer or consumer was used after `close`, or in a process forked from its owner."""


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


class SerdeFailed(RecordError):
    """A serializer or deserializer raised. The message says for which record; ``__cause__`` is its error."""


class DeliveryTimeout(BrokerError):
    """The record was not written within the time the caller gave. It may still be written later."""

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


class GroupBusy(GroupError):
    """Another live member holds the group, and this release gives a group one member at a time."""

    retriable = True


class FencedMember(GroupError):
    """The group is at another generation than this member joined: somebody else owns its partitions."""


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
