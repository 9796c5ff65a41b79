"""What a batch must be that a producer appends. The rules are Kafka's.

Owns no file. A function of a batch and a topic's settings: any thread, any process.
"""

import time
from typing import Final

from broker_adapter.broker import TimestampType
from broker_adapter.errors import InvalidRecord, RecordTooLarge
from broker_adapter.filelog.batch import BatchHeader, check_batch, decode_batch
from broker_adapter.filelog.config import TopicConfig
from broker_adapter.filelog.setting_values import LONG_MAX
from broker_adapter.nouns import TopicPartition

NO_TIMESTAMP: Final = -1
"""What a record has for a timestamp that has none. Kafka lets it pass."""


def validated(batch: bytes, config: TopicConfig, name: TopicPartition) -> BatchHeader:
    """The header of one whole batch for partition `name`.

    Raises `CorruptBatch`, `InvalidRecord` or `RecordTooLarge`.
    """
    if len(batch) > config.max_message_bytes:
        raise RecordTooLarge(
            f"a batch of {len(batch)} bytes for {name} is larger than the topic's "
            f"max.message.bytes={config.max_message_bytes}"
        )
    header = check_batch(batch)
    if header.size != len(batch):
        raise InvalidRecord(
            f"an append to {name} is one batch; {len(batch) - header.size} bytes follow the first"
        )
    if not header.last_offset_delta + 1 == header.records_count > 0 or header.is_control:
        raise InvalidRecord(
            f"a batch for {name} is no producer's: {header.records_count} records, "
            f"last offset delta {header.last_offset_delta}, attributes {header.attributes:#06x}"
        )
    now = time.time_ns() // 1_000_000
    ahead = header.max_timestamp - now
    if ahead > config.message_timestamp_after_max_ms and config.timestamp_type is TimestampType.CREATE_TIME:
        raise InvalidRecord(
            f"a record for {name} has a timestamp that is {ahead} ms in the future, more than the "
            f"topic's message.timestamp.after.max.ms={config.message_timestamp_after_max_ms}"
        )
    if config.message_timestamp_before_max_ms != LONG_MAX:
        _check_age(batch, now, config, name)
    return header


def _check_age(batch: bytes, now: int, config: TopicConfig, name: TopicPartition) -> None:
    # A header has the first record's timestamp and the largest: the smallest is for the records to say.
    if config.timestamp_type is TimestampType.CREATE_TIME:
        times = (record.timestamp for record in decode_batch(batch))
        behind = now - min((each for each in times if each != NO_TIMESTAMP), default=now)
        if behind > config.message_timestamp_before_max_ms:
            raise InvalidRecord(
                f"a record for {name} has a timestamp that is {behind} ms in the past, more than the "
                f"topic's message.timestamp.before.max.ms={config.message_timestamp_before_max_ms}"
            )
