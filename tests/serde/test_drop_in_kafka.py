"""The drop-in serializers in confluent_kafka's own producer and consumer, over librdkafka's mock broker."""

import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from confluent_kafka import DeserializingConsumer, SerializingProducer, TopicPartition
from confluent_kafka.error import ValueDeserializationError, ValueSerializationError

import serde
from serde.confluent import SchemaRegistryClient, header_schema_id_serializer
from serde.confluent.avro import AvroDeserializer, AvroSerializer
from tests.support.server import running_registry

TEXT = '{"type": "record", "name": "R", "fields": [{"name": "a", "type": "int"}]}'


@pytest.fixture(scope="module")
def client() -> Iterator[SchemaRegistryClient]:
    with running_registry("memory:") as server, SchemaRegistryClient({"url": server.url}) as made:
        yield made


def producer(client: SchemaRegistryClient, **conf: Any) -> Any:
    return SerializingProducer(
        {
            "test.mock.num.brokers": 1,
            "bootstrap.servers": "mock",
            "key.serializer": AvroSerializer(client, '"string"', conf=conf),
            "value.serializer": AvroSerializer(client, TEXT, conf=conf),
        }
    )


def address(made: Any) -> str:
    """Where a producer's own mock cluster listens."""
    (broker,) = made.list_topics(timeout=20).brokers.values()
    return f"{broker.host}:{broker.port}"


def consumed(client: SchemaRegistryClient, servers: str, topic: str, offset: int) -> Any:
    consumer = DeserializingConsumer(
        {
            "bootstrap.servers": servers,
            "group.id": uuid.uuid4().hex,
            "key.deserializer": AvroDeserializer(client),
            "value.deserializer": AvroDeserializer(client),
        }
    )
    try:
        consumer.assign([TopicPartition(topic, 0, offset)])
        for _ in range(40):
            message = consumer.poll(0.5)
            if message is not None:
                return message
        raise AssertionError("no message came")
    finally:
        consumer.close()


@pytest.mark.parametrize("in_header", [False, True])
def test_their_producer_and_consumer_take_them(client: SchemaRegistryClient, in_header: bool) -> None:
    conf = {"schema.id.serializer": header_schema_id_serializer} if in_header else {}
    made = producer(client, **conf)
    topic = f"t-{in_header}"
    headers: list[tuple[str, bytes]] = [("trace", b"1")]
    made.produce(topic, key="k", value={"a": 7}, partition=0, headers=headers)
    with pytest.raises(ValueSerializationError, match="a: expected int, got 'x'"):
        made.produce(topic, key="k", value={"a": "x"}, partition=0, headers=headers)
    assert made.flush(20) == 0

    message = consumed(client, address(made), topic, 0)
    assert (message.key(), message.value()) == ("k", {"a": 7})
    names = ["trace", *(["__key_schema_id", "__value_schema_id"] if in_header else [])]
    assert [name for name, _ in message.headers()] == names


def test_a_poison_message_says_where_it_was(client: SchemaRegistryClient) -> None:
    made = producer(client)
    super(SerializingProducer, made).produce("poison", b"no frame", partition=0)
    assert made.flush(20) == 0
    with pytest.raises(ValueDeserializationError) as caught:
        consumed(client, address(made), "poison", 0)
    assert caught.value.kafka_message is not None
    assert caught.value.kafka_message.offset() == 0
    assert isinstance(caught.value.exception, serde.DeserializationError)
    assert caught.value.exception.data == b"no frame"
