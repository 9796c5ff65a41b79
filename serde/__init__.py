"""Serializers and deserializers in Confluent's wire format, and the client of a schema registry.

from serde import AvroDeserializer, AvroSerializer, RegistryClient

with RegistryClient("http://localhost:8081") as client:
    serialize = AvroSerializer(client, schema_text)
    deserialize = AvroDeserializer(client)
    message = serialize({"id": 7, "price": 9.5}, "orders")
    assert deserialize(message, "orders") == {"id": 7, "price": 9.5}
"""

from serde.avro import AvroDeserializer, AvroSerializer
from serde.client import RegistryClient
from serde.errors import (
    DeserializationError,
    FramingError,
    Incompatible,
    InvalidSchema,
    NotFound,
    Refused,
    RegistryError,
    RegistryUnreachable,
    SchemaNotFound,
    SerdeError,
    SerializationError,
)
from serde.model import Compatibility, Config, Reference, RegisteredSchema, Schema
from serde.subjects import (
    SubjectStrategy,
    record_name_strategy,
    topic_name_strategy,
    topic_record_name_strategy,
)

__all__ = [
    "AvroDeserializer",
    "AvroSerializer",
    "Compatibility",
    "Config",
    "DeserializationError",
    "FramingError",
    "Incompatible",
    "InvalidSchema",
    "NotFound",
    "Reference",
    "Refused",
    "RegisteredSchema",
    "RegistryClient",
    "RegistryError",
    "RegistryUnreachable",
    "Schema",
    "SchemaNotFound",
    "SerdeError",
    "SerializationError",
    "SubjectStrategy",
    "record_name_strategy",
    "topic_name_strategy",
    "topic_record_name_strategy",
]
