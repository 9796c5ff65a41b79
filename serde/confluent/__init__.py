"""`confluent_kafka.schema_registry` with another engine: the same names, constructors, keys and calls.

    from serde.confluent import MessageField, SchemaRegistryClient, SerializationContext
    from serde.confluent.avro import AvroDeserializer, AvroSerializer

A program changes its imports and nothing else. `confluent_kafka` itself is not
needed, and its `SerializingProducer` and `DeserializingConsumer` take these
serializers. What differs is in docs/from-confluent-kafka.md.
"""

from serde.confluent.error import OAuthTokenError, SchemaRegistryError, SerializationError
from serde.confluent.model import (
    ConfigCompatibilityLevel,
    Metadata,
    MetadataProperties,
    MetadataTags,
    RegisteredSchema,
    Rule,
    RuleKind,
    RuleMode,
    RuleParams,
    RuleSet,
    Schema,
    SchemaReference,
    SchemaVersion,
    ServerConfig,
)
from serde.confluent.schema_id import (
    dual_schema_id_deserializer,
    header_schema_id_serializer,
    prefix_schema_id_deserializer,
    prefix_schema_id_serializer,
)
from serde.confluent.schema_registry_client import SchemaRegistryClient
from serde.confluent.serialization import MessageField, SerializationContext
from serde.confluent.subjects import (
    record_subject_name_strategy,
    topic_record_subject_name_strategy,
    topic_subject_name_strategy,
)

__all__ = [
    "ConfigCompatibilityLevel",
    "MessageField",
    "Metadata",
    "MetadataProperties",
    "MetadataTags",
    "OAuthTokenError",
    "RegisteredSchema",
    "Rule",
    "RuleKind",
    "RuleMode",
    "RuleParams",
    "RuleSet",
    "Schema",
    "SchemaReference",
    "SchemaRegistryClient",
    "SchemaRegistryError",
    "SchemaVersion",
    "SerializationContext",
    "SerializationError",
    "ServerConfig",
    "dual_schema_id_deserializer",
    "header_schema_id_serializer",
    "prefix_schema_id_deserializer",
    "prefix_schema_id_serializer",
    "record_subject_name_strategy",
    "topic_record_subject_name_strategy",
    "topic_subject_name_strategy",
]
