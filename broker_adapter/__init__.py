"""One interface to a broker: a file log in a folder, or Apache Kafka."""

from broker_adapter.broker import (
    Acknowledgement,
    Admin,
    Broker,
    Consumer,
    Delivery,
    Deserializer,
    Durability,
    Header,
    Producer,
    RawRecord,
    Record,
    Serializer,
    TimestampType,
    TopicDescription,
    TopicPartition,
)
from broker_adapter.connect import connect
from broker_adapter.errors import BrokerError
from broker_adapter.serializing import DeserializingConsumer, SerializingProducer, bytes_or_none

__all__ = [
    "Acknowledgement",
    "Admin",
    "Broker",
    "BrokerError",
    "Consumer",
    "Delivery",
    "Deserializer",
    "DeserializingConsumer",
    "Durability",
    "Header",
    "Producer",
    "RawRecord",
    "Record",
    "Serializer",
    "SerializingProducer",
    "TimestampType",
    "TopicDescription",
    "TopicPartition",
    "bytes_or_none",
    "connect",
]
