"""Serializers and deserializers in Confluent's wire format, and the client of a schema registry.

from serde import AvroDeserializer, AvroSerializer, RegistryClient

with RegistryClient("http://localhost:8081") as client:
    serialize = AvroSerializer(client, schema_text)
    deserialize = AvroDeserializer(client)
    message = serialize({"id": 7, "price": 9.5}, "orders")
    assert deserialize(message, "orders") == {"id": 7, "price": 9.5}
"""

from serde.async_avro import AsyncAvroDeserializer, AsyncAvroSerializer
from serde.async_client import AsyncRegistryClient
from serde.auth import BasicAuth, BearerToken, ClientCredentials
from serde.avro import AvroDeserializer, AvroSerializer
from serde.classes import schema_of
from serde.client import RegistryClient
from serde.codec import Duration, NanoDatetime
from serde.connections import TlsFiles
from serde.errors import (
    DeserializationError,
    FramingError,
    Incompatible,
    InvalidClass,
    InvalidSchema,
    MissingExtra,
    NotFound,
    Refused,
    RegistryBusy,
    RegistryError,
    RegistryUnreachable,
    SchemaNotFound,
    SerdeError,
    SerializationError,
    SubjectNotFound,
    TokenError,
    Unauthorized,
    VersionNotFound,
)
from serde.model import (
    Compatibility,
    Config,
    ContextId,
    Metadata,
    Reference,
    RegisteredSchema,
    Rule,
    RuleSet,
    Schema,
    SubjectVersion,
)
from serde.subjects import (
    ContextStrategy,
    SubjectStrategy,
    record_name_strategy,
    topic_name_strategy,
    topic_record_name_strategy,
)

__all__ = [
    "AsyncAvroDeserializer",
    "AsyncAvroSerializer",
    "AsyncRegistryClient",
    "AvroDeserializer",
    "AvroSerializer",
    "BasicAuth",
    "BearerToken",
    "ClientCredentials",
    "Compatibility",
    "Config",
    "ContextId",
    "ContextStrategy",
    "DeserializationError",
    "Duration",
    "FramingError",
    "Incompatible",
    "InvalidClass",
    "InvalidSchema",
    "Metadata",
    "MissingExtra",
    "NanoDatetime",
    "NotFound",
    "Reference",
    "Refused",
    "RegisteredSchema",
    "RegistryBusy",
    "RegistryClient",
    "RegistryError",
    "RegistryUnreachable",
    "Rule",
    "RuleSet",
    "Schema",
    "SchemaNotFound",
    "SerdeError",
    "SerializationError",
    "SubjectNotFound",
    "SubjectStrategy",
    "SubjectVersion",
    "TlsFiles",
    "TokenError",
    "Unauthorized",
    "VersionNotFound",
    "record_name_strategy",
    "schema_of",
    "topic_name_strategy",
    "topic_record_name_strategy",
]
