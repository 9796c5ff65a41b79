"""librdkafka's message as a record of this package."""

from collections.abc import Callable
from functools import partial
from typing import Final

from confluent_kafka import TIMESTAMP_LOG_APPEND_TIME, Message

from broker_adapter.broker import RawRecord, Record, TimestampType

_make: Final[Callable[[tuple[object, ...]], RawRecord]] = partial(tuple.__new__, Record)


def record_of(message: Message) -> RawRecord:
    """The record that `message`, which is no error, holds."""
    kind, timestamp = message.timestamp()
    headers = message.headers()
    return _make(
        (
            message.topic(),
            message.partition(),
            message.offset(),
            timestamp,
            TimestampType.LOG_APPEND_TIME if kind == TIMESTAMP_LOG_APPEND_TIME else TimestampType.CREATE_TIME,
            message.key(),
            message.value(),
            tuple(headers) if headers else (),
        )
    )
