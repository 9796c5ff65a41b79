"""Serializers in front of a producer, deserializers behind a consumer.

They are plain callables, so anything will do: ``serde``'s, or a function. A
serializer is made for keys or for values when it is constructed; here it only
gets the object and the topic.
"""

from collections.abc import Iterator, Mapping, Sequence
from types import TracebackType
from typing import Any, Generic, Self, TypeVar

from broker_adapter.broker import (
    Consumer,
    Delivery,
    Deserializer,
    Header,
    Producer,
    RawRecord,
    Record,
    Serializer,
    TopicPartition,
)
from broker_adapter.errors import SerdeFailed

K = TypeVar("K")
V = TypeVar("V")


class SerializingProducer(Generic[K, V]):
    """A producer that takes objects. Otherwise as `broker_adapter.broker.Producer`, which it closes."""

    def __init__(
        self, producer: Producer[bytes, bytes], key_serializer: Serializer[K], value_serializer: Serializer[V]
    ) -> None:
        """Use `bytes_or_none` for a part that is bytes already. None is a null, and reaches no serializer."""
        self._producer = producer
        self._serialize_key = key_serializer
        self._serialize_value = value_serializer

    def send(
        self,
        topic: str,
        value: V | None = None,
        *,
        key: K | None = None,
        headers: Sequence[Header] = (),
        partition: int | None = None,
        timestamp: int | None = None,
    ) -> Delivery:
        """Serialize and send. Raises `SerdeFailed`, and what `Producer.send` raises."""
        what = "key"
        try:
            key_bytes = None if key is None else self._serialize_key(key, topic)
            what = "value"
            value_bytes = None if value is None else self._serialize_value(value, topic)
        except Exception as error:
            raise SerdeFailed(
                f"the {what} of a record for {topic!r} cannot be serialized: {error}"
            ) from error
        return self._producer.send(
            topic, value_bytes, key=key_bytes, headers=headers, partition=partition, timestamp=timestamp
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
    offset, and the position stays before it: to go on without it, seek past it.
    """

    def __init__(
        self,
        consumer: Consumer[bytes | None, bytes | None],
        key_deserializer: Deserializer[K],
        value_deserializer: Deserializer[V],
    ) -> None:
        """Use `bytes_or_none` for a part that shall stay bytes."""
        self._consumer = consumer
        self._deserialize_key = key_deserializer
        self._deserialize_value = value_deserializer

    def poll(self, timeout: float = 0.0, max_records: int = 1000) -> list[Record[K, V]]:
        """See `broker_adapter.broker.Consumer.poll`.

        Records before one that cannot be deserialized are returned first; the next poll raises.
        """
        raw = self._consumer.poll(timeout, max_records)
        records: list[Record[K, V]] = []
        for record in raw:
            try:
                records.append(self._deserialize(record))
            except SerdeFailed:
                self._give_back(raw[len(records) :])
                if records:
                    break
                raise
        return records

    def __iter__(self) -> Iterator[Record[K, V]]:
        """See `broker_adapter.broker.Consumer.__iter__`."""
        for record in self._consumer:
            try:
                yield self._deserialize(record)
            except SerdeFailed:
                self._give_back([record])
                raise

    def _deserialize(self, record: RawRecord) -> Record[K, V]:
        topic, partition, offset, timestamp, kind, raw_key, raw_value, headers = record
        what = "key"
        try:
            key = self._deserialize_key(raw_key, topic)
            what = "value"
            value = self._deserialize_value(raw_value, topic)
        except Exception as error:
            raise SerdeFailed(
                f"the {what} of the record at offset {offset} of {topic}-{partition} cannot be deserialized: "
                f"{error}"
            ) from error
        return Record(topic, partition, offset, timestamp, kind, key, value, headers)

    def _give_back(self, records: Sequence[RawRecord]) -> None:
        for record in reversed(records):
            self._consumer.seek(TopicPartition(record.topic, record.partition), record.offset)

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

    def offset_for_timestamp(self, partition: TopicPartition, timestamp: int) -> int | None:
        """See `broker_adapter.broker.Consumer.offset_for_timestamp`."""
        return self._consumer.offset_for_timestamp(partition, timestamp)

    def watermarks(self, partition: TopicPartition) -> tuple[int, int]:
        """See `broker_adapter.broker.Consumer.watermarks`."""
        return self._consumer.watermarks(partition)

    def commit(self, offsets: Mapping[TopicPartition, int] | None = None) -> None:
        """See `broker_adapter.broker.Consumer.commit`."""
        self._consumer.commit(offsets)

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
) -> Consumer[Any, Any]:
    """`consumer` before the deserializers that are given; itself if none is."""
    if key_deserializer is None and value_deserializer is None:
        return consumer
    return DeserializingConsumer(
        consumer, key_deserializer or bytes_or_none, value_deserializer or bytes_or_none
    )


def bytes_or_none(data: bytes | None, topic: str, /) -> bytes | None:
    """A serializer and deserializer that changes nothing, for any topic."""
    del topic
    return data
