"""librdkafka's errors as this package's, with librdkafka's code kept in the message."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from confluent_kafka import KafkaError, KafkaException

from broker_adapter.errors import (
    AccessDenied,
    BrokerError,
    BrokerUnavailable,
    CorruptBatch,
    FencedMember,
    GroupBusy,
    InvalidConfig,
    InvalidGroup,
    InvalidRecord,
    InvalidTopic,
    OffsetOutOfRange,
    RecordTooLarge,
    RequestFailed,
    TopicExists,
    UnknownGroup,
    UnknownPartition,
    UnknownTopic,
)

_NAMES: Final[dict[type[BrokerError], str]] = {
    BrokerUnavailable: "_ALL_BROKERS_DOWN _DESTROY_BROKER _MSG_TIMED_OUT _RESOLVE _TIMED_OUT "
    "_TIMED_OUT_QUEUE _TRANSPORT _WAIT_COORD BROKER_NOT_AVAILABLE COORDINATOR_LOAD_IN_PROGRESS "
    "COORDINATOR_NOT_AVAILABLE LEADER_NOT_AVAILABLE NETWORK_EXCEPTION NOT_CONTROLLER NOT_COORDINATOR "
    "NOT_ENOUGH_REPLICAS NOT_ENOUGH_REPLICAS_AFTER_APPEND NOT_LEADER_FOR_PARTITION REQUEST_TIMED_OUT",
    AccessDenied: "_AUTHENTICATION _SSL CLUSTER_AUTHORIZATION_FAILED GROUP_AUTHORIZATION_FAILED "
    "ILLEGAL_SASL_STATE SASL_AUTHENTICATION_FAILED TOPIC_AUTHORIZATION_FAILED "
    "TRANSACTIONAL_ID_AUTHORIZATION_FAILED UNSUPPORTED_SASL_MECHANISM",
    InvalidConfig: "_INVALID_ARG INVALID_CONFIG POLICY_VIOLATION",
    InvalidTopic: "TOPIC_EXCEPTION INVALID_PARTITIONS INVALID_REPLICATION_FACTOR",
    TopicExists: "TOPIC_ALREADY_EXISTS",
    UnknownTopic: "_UNKNOWN_TOPIC UNKNOWN_TOPIC_OR_PART UNKNOWN_TOPIC_ID",
    UnknownPartition: "_UNKNOWN_PARTITION",
    InvalidRecord: "INVALID_RECORD INVALID_TIMESTAMP",
    RecordTooLarge: "MSG_SIZE_TOO_LARGE RECORD_LIST_TOO_LARGE INVALID_MSG_SIZE",
    OffsetOutOfRange: "_AUTO_OFFSET_RESET OFFSET_OUT_OF_RANGE",
    CorruptBatch: "_BAD_MSG _BAD_COMPRESSION INVALID_MSG",
    InvalidGroup: "INVALID_GROUP_ID _UNKNOWN_GROUP",
    UnknownGroup: "GROUP_ID_NOT_FOUND",
    GroupBusy: "NON_EMPTY_GROUP GROUP_SUBSCRIBED_TO_TOPIC",
    FencedMember: "_ASSIGNMENT_LOST _FENCED _MAX_POLL_EXCEEDED FENCED_INSTANCE_ID FENCED_MEMBER_EPOCH "
    "ILLEGAL_GENERATION REBALANCE_IN_PROGRESS STALE_MEMBER_EPOCH UNKNOWN_MEMBER_ID",
}
_ADVICE: Final[dict[type[BrokerError], str]] = {
    BrokerUnavailable: "is the cluster up, and the address right?",
    AccessDenied: "check security.protocol, the credentials and this user's rights",
    UnknownTopic: "create it first",
    RecordTooLarge: "send less, or raise the topic's max.message.bytes and message.max.bytes in the URL",
    OffsetOutOfRange: "seek to an offset within watermarks()",
    GroupBusy: "close its consumers first",
    FencedMember: "the group has gone on without this consumer; poll to join it again",
}
_BY_CODE: Final = {
    getattr(KafkaError, name): kind
    for kind, names in _NAMES.items()
    for name in names.split()
    if hasattr(KafkaError, name)  # an older librdkafka lacks some
}


def translated(error: KafkaError, doing: str) -> BrokerError:
    """The error of this package that `error` is. `doing` is what failed, as in "describe topic 'a'"."""
    kind = _BY_CODE.get(error.code(), RequestFailed)
    text = error.str().strip() or "no reason given"
    message = f"could not {doing}: {text} ({error.name()})"
    if error.fatal():
        return RequestFailed(f"{message}; make another: this one has failed for good")
    if kind is RequestFailed:
        return RequestFailed(message, retriable=error.retriable())
    advice = _ADVICE.get(kind)
    return kind(f"{message}; {advice}" if advice else message)


@contextmanager
def translating(doing: str) -> Iterator[None]:
    """Raise what librdkafka and its binding raise within as this package's errors."""
    try:
        yield
    except KafkaException as failure:
        error = failure.args[0]
        if isinstance(error, KafkaError):
            raise translated(error, doing) from None
        raise RequestFailed(f"could not {doing}: {error}") from None
    except (RuntimeError, TypeError, ValueError) as refused:
        # What the binding itself refuses, such as a setting that is no text.
        raise RequestFailed(f"could not {doing}: {refused}") from None
