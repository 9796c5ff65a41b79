"""Serializers in front of a producer, deserializers behind a consumer.

They are plain callables, so anything will do: ``serde``'s, or a function. A
serializer is made for keys or for values when it is constructed; here it only
gets the object and the topic, and where it has ``takes_headers`` the record's
headers, to which it may add. A deserializer that has ``deserialize_many``, as
``serde``'s have, gets all that a poll brought at once.
"""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from types import TracebackType
from typing import Any, Final, Generic, Self, TypeAlias, TypeVar

from broker_adapter.broker import (
    CommitCallback,
    Consumer,
    Delivery,
    DeliveryCallback,
    Deserializer,
    Header,
    Producer,
    RawRecord,
    Record,
    Serializer,
    TopicPartition,
)
from broker_adapter.errors import BrokerError, SerdeFailed
from serde.errors import DeserializationError, SerdeError

K = TypeVar("K")
V = TypeVar("V")
T = TypeVar("T")

_NOT_YET: Final = object()
"""In place of a key or value that is not deserialized."""

FailureHandler: TypeAlias = Callable[[RawRecord, SerdeFailed], None]
"""Takes a record that cannot be deserialized, and why. What it raises is raised instead."""


class SerializingProducer(Generic[K, V]):
    """A producer that takes objects. Otherwise as `broker_adapter.broker.Producer`, which it closes."""

    def __init__(
        self, producer: Producer[bytes, bytes], key_serializer: Serializer[K], value_serializer: Serializer[V]
    ) -> None:
        """Use `bytes_or_none` for a part that is bytes already. None is a null, and reaches no serializer."""
        self._producer = producer
        self._serialize_key = _with_headers(key_serializer)
        self._serialize_value = _with_headers(value_serializer)

    def send(
        self,
        topic: str,
        value: V | None = None,
        *,
        key: K | None = None,
        headers: Sequence[Header] = (),
        partition: int | None = None,
        timestamp: int | None = None,
        on_delivery: DeliveryCallback | None = None,
    ) -> Delivery:
        """Serialize and send. Raises `SerdeFailed`, and what `Producer.send` raises."""
        what = "key"
        own = list(headers)
        try:
            key_bytes = None if key is None else self._serialize_key(key, topic, own)
            what = "value"
            value_bytes = None if value is None else self._serialize_value(value, topic, own)
        except Exception as error:
            raise SerdeFailed(
                f"the {what} of a record for {topic!r} cannot be serialized: {error}", topic=topic
            ) from error
        return self._producer.send(
            topic,
            value_bytes,
            key=key_bytes,
            headers=own,
            partition=partition,
            timestamp=timestamp,
            on_delivery=on_delivery,
        )

    def flush(self, timeout: float | None = None) -> None:
        """See `broker_adapter.broker.Producer.flush`."""
        self._producer.flush(timeout)

    def close(self) -> None:
        """See `broker_adapter.broker.Producer.close`."""
        self._producer.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class DeserializingConsumer(Generic[K, V]):
    """A consumer that gives objects. Otherwise as `broker_adapter.broker.Consumer`, which it closes.

    A record that cannot be deserialized raises `SerdeFailed`, which names its
    offset, and the position stays before it: to go on without it, seek past
    it, or have it handled by `on_error`.
    """

    def __init__(
        self,
        consumer: Consumer[bytes | None, bytes | None],
        key_deserializer: Deserializer[K],
        value_deserializer: Deserializer[V],
        on_error: FailureHandler | None = None,
    ) -> None:
        """Use `bytes_or_none` for a part that shall stay bytes.

        `on_error` takes a record that cannot be deserialized. When it
        returns, the position goes past the record; what it raises is raised,
        and the position stays. It is not asked where the deserializer's
        registry is at fault.
        """
        self._consumer = consumer
        self._key_deserializer = key_deserializer
        self._value_deserializer = value_deserializer
        self._deserialize_key = _with_headers(key_deserializer)
        self._deserialize_value = _with_headers(value_deserializer)
        self._on_error = on_error

    def poll(self, timeout: float = 0.0, max_records: int = 1000) -> list[Record[K, V]]:
        """See `broker_adapter.broker.Consumer.poll`.

        Records before one that cannot be deserialized are returned first; the next poll raises.
        """
        deadline = time.monotonic() + timeout
        while True:
            raw = self._consumer.poll(max(deadline - time.monotonic(), 0), max_records)
            records = self._deserialize_all(raw)
            if records or not raw:
                return records  # where all were handled as errors, there may be more within the time

    def __iter__(self) -> Iterator[Record[K, V]]:
        """See `broker_adapter.broker.Consumer.__iter__`."""
        for raw in self._consumer:
            try:
                record = self._deserialize_or_handle(raw)
            except BaseException:
                self._give_back([raw])
                raise
            if record is not None:
                yield record

    def batches(self, max_records: int = 1000) -> Iterator[list[Record[K, V]]]:
        """See `broker_adapter.broker.Consumer.batches`."""
        for raw in self._consumer.batches(max_records):
            if records := self._deserialize_all(raw):
                yield records

    def _deserialize_all(self, raw: Sequence[RawRecord]) -> list[Record[K, V]]:
        keys, has_keys = _many(self._key_deserializer, raw, [each.key for each in raw])
        values, has_values = _many(self._value_deserializer, raw, [each.value for each in raw])
        if has_keys and has_values:
            make = Record._make  # half the time of Record(...)
            return [
                make((topic, partition, offset, timestamp, kind, key, value, headers))
                for (topic, partition, offset, timestamp, kind, _, _, headers), key, value in zip(
                    raw, keys, values, strict=True
                )
            ]
        records: list[Record[K, V]] = []
        for place, each in enumerate(raw):
            try:
                record = self._deserialize_or_handle(each, keys[place], values[place])
            except BrokerError:
                self._give_back(raw[place:])
                if records:
                    break
                raise
            except BaseException:
                self._give_back(raw)
                raise
            if record is not None:
                records.append(record)
        return records

    def _deserialize_or_handle(
        self, raw: RawRecord, key: Any = _NOT_YET, value: Any = _NOT_YET
    ) -> Record[K, V] | None:
        if self._on_error is None:
            return self._deserialize(raw, key, value)
        try:
            return self._deserialize(raw, key, value)
        except SerdeFailed as error:
            if _is_not_the_records(error.__cause__):
                raise
            self._on_error(raw, error)
            return None

    def _deserialize(self, record: RawRecord, key: Any, value: Any) -> Record[K, V]:
        topic, partition, offset, timestamp, kind, raw_key, raw_value, headers = record
        what = "key"
        try:
            if key is _NOT_YET:
                key = self._deserialize_key(raw_key, topic, headers)
            what = "value"
            if value is _NOT_YET:
                value = self._deserialize_value(raw_value, topic, headers)
        except Exception as error:
            raise failed(record, what, error) from error
        return Record(topic, partition, offset, timestamp, kind, key, value, headers)

    def _give_back(self, records: Sequence[RawRecord]) -> None:
        give_back(self._consumer, records)

    def assignment(self) -> frozenset[TopicPartition]:
        """See `broker_adapter.broker.Consumer.assignment`."""
        return self._consumer.assignment()

    def assign(self, partitions: Sequence[TopicPartition]) -> None:
        """See `broker_adapter.broker.Consumer.assign`."""
        self._consumer.assign(partitions)

    def position(self, partition: TopicPartition) -> int:
        """See `broker_adapter.broker.Consumer.position`."""
        return self._consumer.position(partition)

    def seek(self, partition: TopicPartition, offset: int) -> None:
        """See `broker_adapter.broker.Consumer.seek`."""
        self._consumer.seek(partition, offset)

    def seek_to_timestamp(self, partition: TopicPartition, timestamp: int) -> int:
        """See `broker_adapter.broker.Consumer.seek_to_timestamp`."""
        return self._consumer.seek_to_timestamp(partition, timestamp)

    def pause(self, partitions: Sequence[TopicPartition]) -> None:
        """See `broker_adapter.broker.Consumer.pause`."""
        self._consumer.pause(partitions)

    def resume(self, partitions: Sequence[TopicPartition]) -> None:
        """See `broker_adapter.broker.Consumer.resume`."""
        self._consumer.resume(partitions)

    def paused(self) -> frozenset[TopicPartition]:
        """See `broker_adapter.broker.Consumer.paused`."""
        return self._consumer.paused()

    def lag(self) -> dict[TopicPartition, int]:
        """See `broker_adapter.broker.Consumer.lag`."""
        return self._consumer.lag()

    def offset_for_timestamp(self, partition: TopicPartition, timestamp: int) -> int | None:
        """See `broker_adapter.broker.Consumer.offset_for_timestamp`."""
        return self._consumer.offset_for_timestamp(partition, timestamp)

    def watermarks(self, partition: TopicPartition) -> tuple[int, int]:
        """See `broker_adapter.broker.Consumer.watermarks`."""
        return self._consumer.watermarks(partition)

    def commit(self, offsets: Mapping[TopicPartition, int] | None = None) -> None:
        """See `broker_adapter.broker.Consumer.commit`."""
        self._consumer.commit(offsets)

    def commit_async(
        self, offsets: Mapping[TopicPartition, int] | None = None, on_commit: CommitCallback | None = None
    ) -> None:
        """See `broker_adapter.broker.Consumer.commit_async`."""
        self._consumer.commit_async(offsets, on_commit)

    def committed(self, partition: TopicPartition) -> int | None:
        """See `broker_adapter.broker.Consumer.committed`."""
        return self._consumer.committed(partition)

    def close(self) -> None:
        """See `broker_adapter.broker.Consumer.close`."""
        self._consumer.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _many(
    deserialize: object, records: Sequence[RawRecord], parts: Sequence[bytes | None]
) -> tuple[Sequence[Any], bool]:
    """What a deserializer makes of the keys or the values, for each topic at once, and whether that is all.

    The rest is `_NOT_YET`: it is asked for one by one, which says what is wrong, or asks again.
    """
    if deserialize is bytes_or_none:
        return parts, True
    found: list[Any] = [_NOT_YET] * len(parts)
    many = getattr(deserialize, "deserialize_many", None)
    if many is None or len(parts) < 2:
        return found, not parts
    is_all = True

    def leave(_index: int, _error: Exception) -> object:
        nonlocal is_all
        is_all = False
        return _NOT_YET

    for topic, places in by_topic(records).items():
        headers = headers_of([records[place] for place in places]) if _takes_headers(deserialize) else None
        try:
            values = many([parts[place] for place in places], topic, headers, on_error=leave)
        except Exception:  # noqa: BLE001 - met again, by the record that raises it
            is_all = False
            continue
        for place, value in zip(places, values, strict=True):
            found[place] = value
    return found, is_all


def by_topic(records: Sequence[RawRecord]) -> Mapping[str, Sequence[int]]:
    """The places of each topic's records."""
    if len(topics := {record[0] for record in records}) == 1:
        return {topics.pop(): range(len(records))}
    places: dict[str, list[int]] = {}
    for place, record in enumerate(records):
        places.setdefault(record.topic, []).append(place)
    return places


def headers_of(records: Sequence[RawRecord]) -> list[Sequence[Header]] | None:
    """The headers of all records; None if none has any."""
    return [record.headers for record in records] if any(record.headers for record in records) else None


def _takes_headers(serde: object) -> bool:
    return bool(getattr(serde, "takes_headers", False))


def failed(record: RawRecord, what: str, error: Exception) -> SerdeFailed:
    """The error of a record whose `what`, key or value, cannot be deserialized."""
    topic, partition, offset = record.topic, record.partition, record.offset
    return SerdeFailed(
        f"the {what} of the record at offset {offset} of {topic}-{partition} cannot be deserialized: {error}",
        topic=topic,
        partition=partition,
        offset=offset,
    )


def give_back(consumer: Consumer[Any, Any], records: Sequence[RawRecord]) -> None:
    """Have a consumer give these records again."""
    first: dict[TopicPartition, int] = {}
    for record in records:
        first.setdefault(TopicPartition(record.topic, record.partition), record.offset)
    for partition, offset in first.items():
        consumer.seek(partition, offset)


def serializing(
    producer: Producer[bytes, bytes],
    key_serializer: Serializer[Any] | None,
    value_serializer: Serializer[Any] | None,
) -> Producer[Any, Any]:
    """`producer` behind the serializers that are given; itself if none is."""
    if key_serializer is None and value_serializer is None:
        return producer
    return SerializingProducer(producer, key_serializer or bytes_or_none, value_serializer or bytes_or_none)


def deserializing(
    consumer: Consumer[bytes | None, bytes | None],
    key_deserializer: Deserializer[Any] | None,
    value_deserializer: Deserializer[Any] | None,
    on_error: FailureHandler | None = None,
) -> Consumer[Any, Any]:
    """`consumer` before the deserializers that are given; itself if none is."""
    if key_deserializer is None and value_deserializer is None:
        return consumer
    return DeserializingConsumer(
        consumer, key_deserializer or bytes_or_none, value_deserializer or bytes_or_none, on_error
    )


def _with_headers(serde: Callable[..., T]) -> Callable[[Any, str, Sequence[Header]], T]:
    """A serializer or deserializer as a function of the data, the topic and the headers."""
    if _takes_headers(serde):
        return serde
    return lambda data, topic, _headers: serde(data, topic)


def _is_not_the_records(error: BaseException | None) -> bool:
    """Whether a deserializer failed for want of its registry: the record may be good."""
    return isinstance(error, SerdeError) and not isinstance(error, DeserializationError)


def bytes_or_none(data: bytes | None, topic: str, /) -> bytes | None:
    """A serializer and deserializer that changes nothing, for any topic."""
    del topic
    return data
