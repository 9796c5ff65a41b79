"""One interface to a broker: a file log in a folder, or Apache Kafka."""

from broker_adapter.arrow import ArrowConsumer
from broker_adapter.async_consumer import AsyncConsumer
from broker_adapter.async_producer import AsyncProducer
from broker_adapter.broker import (
    Acknowledgement,
    Admin,
    AutoOffsetReset,
    Broker,
    CommitCallback,
    Consumer,
    Delivery,
    DeliveryCallback,
    Deserializer,
    Durability,
    GroupDescription,
    GroupMember,
    Header,
    Partitioning,
    Producer,
    RawRecord,
    RebalanceCallback,
    Record,
    Serializer,
    TimestampType,
    TopicDescription,
    TopicPartition,
)
from broker_adapter.connect import connect
from broker_adapter.errors import BrokerError
from broker_adapter.partitioner import Partitioner
from broker_adapter.serializing import DeserializingConsumer, SerializingProducer, bytes_or_none

__all__ = [
    "Acknowledgement",
    "Admin",
    "ArrowConsumer",
    "AsyncConsumer",
    "AsyncProducer",
    "AutoOffsetReset",
    "Broker",
    "BrokerError",
    "CommitCallback",
    "Consumer",
    "Delivery",
    "DeliveryCallback",
    "Deserializer",
    "DeserializingConsumer",
    "Durability",
    "GroupDescription",
    "GroupMember",
    "Header",
    "Partitioner",
    "Partitioning",
    "Producer",
    "RawRecord",
    "RebalanceCallback",
    "Record",
    "Serializer",
    "SerializingProducer",
    "TimestampType",
    "TopicDescription",
    "TopicPartition",
    "bytes_or_none",
    "connect",
]
