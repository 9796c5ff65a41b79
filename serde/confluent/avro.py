"""`AvroSerializer` and `AvroDeserializer` with the constructors, keys and calls of `confluent_kafka`'s."""

import json
from collections.abc import Callable, Mapping
from typing import Any, Final, TypeVar

from serde import avro
from serde.client import RegistryClient
from serde.codec import Fault
from serde.confluent.error import SerializationError, theirs
from serde.confluent.model import Schema, references_of
from serde.confluent.schema_id import (
    SchemaId,
    SchemaIdDeserializer,
    SchemaIdSerializer,
    dual_schema_id_deserializer,
    header_schema_id_serializer,
    prefix_schema_id_deserializer,
    prefix_schema_id_serializer,
)
from serde.confluent.schema_registry_client import SchemaRegistryClient
from serde.confluent.serialization import MessageField, SerializationContext
from serde.confluent.settings import Settings
from serde.errors import SerdeError
from serde.framing import guid_bytes, prefix
from serde.subjects import (
    SubjectStrategy,
    record_name_strategy,
    topic_name_strategy,
    topic_record_name_strategy,
)

F = TypeVar("F", bound=Callable[..., Any])

_USUAL_HEADERS: Final = (list, dict)

_STRATEGIES: Final[dict[str, SubjectStrategy]] = {
    "TOPIC": topic_name_strategy,
    "RECORD": record_name_strategy,
    "TOPIC_RECORD": topic_record_name_strategy,
}


class AvroSerializer:
    """Writes values in Confluent's wire formats.

        serializer = AvroSerializer(client, schema_str, to_dict)
        message = serializer(order, SerializationContext("orders", MessageField.VALUE))

    schema_str: Avro schema text, a Schema, which may have references, or, beyond theirs, a class.
    to_dict: ``to_dict(obj, ctx)`` turns an object into what Avro writes.
    conf: `confluent_kafka`'s keys. ``validate.strict`` and ``validate.strict.allow.default`` are one: True is
    serde's ``strict``, in which a field that is missing has its default. Types are checked without them too.
    The subject is the topic's where none is said: associations are not asked for.
    rule_conf, rule_registry: None; rules are not carried out here.

    Raises ValueError for a key that there is not, and for values that cannot be.
    """

    def __init__(
        self,
        schema_registry_client: SchemaRegistryClient | RegistryClient,
        schema_str: str | Schema | type | None = None,
        to_dict: Callable[[Any, Any], Any] | None = None,
        conf: Mapping[str, Any] | None = None,
        rule_conf: Mapping[str, Any] | None = None,
        rule_registry: Any = None,
    ) -> None:
        _without_rules(rule_conf, rule_registry)
        if to_dict is not None and not callable(to_dict):
            raise ValueError("to_dict must be callable: to_dict(object, SerializationContext)->dict")
        settings = Settings(
            conf or {},
            {
                "auto.register.schemas": True,
                "normalize.schemas": False,
                "use.latest.version": False,
                "validate.strict": False,
                "validate.strict.allow.default": False,
            },
        )
        text, references = _text(schema_str)
        auto_register = settings.flag("auto.register.schemas")
        use_latest, metadata = _latest(settings)
        if use_latest and auto_register:
            raise ValueError("cannot enable both use.latest.version and auto.register.schemas")
        fixed = settings.take("use.schema.id")
        if fixed is not None and not isinstance(fixed, int):
            raise ValueError("use.schema.id must be an int value")
        strict = [settings.flag(key) for key in ("validate.strict", "validate.strict.allow.default")]
        self._write_id: SchemaIdSerializer = _callable(
            settings, "schema.id.serializer", prefix_schema_id_serializer
        )
        self._to_dict = to_dict
        self._in_prefix = self._write_id is prefix_schema_id_serializer
        options: dict[str, Any] = {
            "references": references,
            "subject_strategy": _strategy(settings, _type_of(text)),
            "auto_register": auto_register,
            "normalize": settings.flag("normalize.schemas"),
            "check_compatibility": False,
            "framing": "prefix" if self._in_prefix else "header",
            "strict": any(strict),
            # The one that decides, where several are given.
            "schema_id": None if fixed is None else int(fixed),
            "latest_with_metadata": metadata if fixed is None else None,
            "use_latest": use_latest and metadata is None and fixed is None,
        }
        _no_validation(settings)
        settings.end()
        client = _client(schema_registry_client)
        self._value = avro.AvroSerializer(client, text, **options)
        self._key = avro.AvroSerializer(client, text, is_key=True, **options)

    def __call__(self, obj: Any, ctx: SerializationContext | None = None) -> bytes | None:
        """The message for an object; None for None.

        ctx: the topic, which part of the message it is, and its headers. Without one there is no topic: the
        subject must be the record's.

        Raises SerializationError if the object does not fit the schema; SchemaRegistryError and
        RegistryUnreachable at a topic's first message.
        """
        if obj is None:
            return None
        if self._to_dict is not None:
            obj = self._to_dict(obj, _needed(ctx))
        write = self._key if ctx is not None and ctx.field == "key" else self._value
        try:
            if self._in_prefix:
                return write(obj, "") if ctx is None else write(obj, ctx.topic, ctx.headers)
            if (
                self._write_id is header_schema_id_serializer
                and ctx is not None
                and isinstance(ctx.headers, _USUAL_HEADERS)
            ):
                return write(obj, ctx.topic, ctx.headers)
            return self._write_id(*self._bare(write, obj, ctx))
        except SerdeError as error:
            other = theirs(error)
            if other is error:
                raise
            raise other from error.__cause__

    def _bare(
        self, write: avro.AvroSerializer, obj: Any, ctx: SerializationContext | None
    ) -> tuple[bytes, SerializationContext | None, SchemaId]:
        topic = "" if ctx is None else ctx.topic
        entry = write._entry(topic)
        try:
            body = entry.encode(obj)
        except Fault as fault:
            raise write._refusal(fault, topic) from None
        return body, ctx, SchemaId("AVRO", entry.schema.id, entry.schema.guid)


class AvroDeserializer:
    """Reads messages in Confluent's wire formats.

        deserializer = AvroDeserializer(client)
        order = deserializer(message, SerializationContext("orders", MessageField.VALUE, headers))

    schema_str: Avro schema text, or a Schema, to give all values in; or, beyond theirs, a class.
    from_dict: ``from_dict(value, ctx)`` turns what was read into an object.
    return_record_name: give a union's record as ``(name, value)``.
    conf: `confluent_kafka`'s keys. rule_conf, rule_registry: None; rules are not carried out here.

    Raises ValueError for a key that there is not, and for values that cannot be.
    """

    def __init__(
        self,
        schema_registry_client: SchemaRegistryClient | RegistryClient,
        schema_str: str | Schema | type | None = None,
        from_dict: Callable[[Any, Any], Any] | None = None,
        return_record_name: bool = False,
        conf: Mapping[str, Any] | None = None,
        rule_conf: Mapping[str, Any] | None = None,
        rule_registry: Any = None,
    ) -> None:
        _without_rules(rule_conf, rule_registry)
        if from_dict is not None and not callable(from_dict):
            raise ValueError("from_dict must be callable: from_dict(dict, SerializationContext)->object")
        if not isinstance(return_record_name, bool):
            raise ValueError("return_record_name must be a boolean value")
        settings = Settings(conf or {}, {"use.latest.version": False})
        use_latest, metadata = _latest(settings)
        self._read_id: SchemaIdDeserializer = _callable(
            settings, "schema.id.deserializer", dual_schema_id_deserializer
        )
        self._is_own = self._read_id in {dual_schema_id_deserializer, prefix_schema_id_deserializer}
        self._from_dict = from_dict
        text, references = _text(schema_str)
        newest = use_latest or metadata is not None
        options: dict[str, Any] = {
            "subject_strategy": _strategy(settings),
            "use_latest": use_latest and metadata is None,
            "latest_with_metadata": metadata,
            "named_records": return_record_name,
            "reader_schema": None if newest else text,
            "into": text if isinstance(text, type) else None,
            "references": () if newest else references,
        }
        settings.end()
        client = _client(schema_registry_client)
        self._value = avro.AvroDeserializer(client, **options)
        self._key = avro.AvroDeserializer(client, is_key=True, **options)

    def __call__(self, data: bytes | None, ctx: SerializationContext | None = None) -> Any:
        """The value of a message; None for None.

        Raises SerializationError, which keeps the message, where it cannot be read: UnknownSchema, which is a
        SchemaRegistryError too, where the registry does not have its schema. Another SchemaRegistryError and
        RegistryUnreachable say nothing of the message.
        """
        if data is None:
            return None
        read = self._key if ctx is not None and ctx.field == "key" else self._value
        topic, headers = (None, None) if ctx is None else (ctx.topic, ctx.headers)
        try:
            if not self._is_own:
                data, headers = self._framed(data, ctx), None
            elif self._read_id is prefix_schema_id_deserializer:
                headers = None
            value = read(data, topic, headers)
        except SerdeError as error:
            other = theirs(error)
            if other is error:
                raise
            raise other from error.__cause__
        return value if self._from_dict is None else self._from_dict(value, _needed(ctx))

    def _framed(self, data: bytes, ctx: SerializationContext | None) -> bytes:
        """The message with in front what a function of the user's says of its schema."""
        schema_id = SchemaId("AVRO")
        body = self._read_id(data, ctx, schema_id).read()
        if schema_id.guid is not None:
            return guid_bytes(str(schema_id.guid)) + body
        if schema_id.id is None:
            raise SerializationError("schema.id.deserializer did not say the schema's id")
        return prefix(schema_id.id) + body


def _client(given: object) -> RegistryClient:
    if isinstance(given, SchemaRegistryClient):
        return given.client
    if isinstance(given, RegistryClient):
        return given
    kind = f"{type(given).__module__}.{type(given).__name__}"
    raise TypeError(f"give serde.confluent's SchemaRegistryClient, not {kind}")


def _text(schema: Any) -> tuple[Any, Any]:
    """The text of a schema, or the class that stands for one, and its references."""
    if schema is None or isinstance(schema, str | type):
        return schema, ()
    if not hasattr(schema, "schema_str"):
        raise TypeError("You must pass either schema string or schema object")
    return schema.schema_str, references_of(schema)


def _needed(ctx: SerializationContext | None) -> SerializationContext:
    if ctx is None:
        raise TypeError("SerializationContext cannot be None")
    return ctx


def _without_rules(rule_conf: Mapping[str, Any] | None, rule_registry: Any) -> None:
    if rule_conf or rule_registry is not None:
        raise ValueError("rules are not carried out here: leave rule_conf and rule_registry out")


def _no_validation(settings: Settings) -> None:
    execution = settings.take("validation.rules.execution", "DISABLED")
    if getattr(execution, "value", execution) != "DISABLED":
        raise ValueError("validation.rules.execution: rules are not carried out here")
    settings.take("validation.rules.fail.fast")
    settings.take("validation.rules.executor")


def _latest(settings: Settings) -> tuple[bool, dict[str, str] | None]:
    metadata = settings.take("use.latest.with.metadata")
    if metadata is not None and not isinstance(metadata, dict):
        raise ValueError("use.latest.with.metadata must be a dict value")
    return settings.flag("use.latest.version"), metadata


def _callable(settings: Settings, key: str, default: F) -> F:
    found = settings.take(key, default)
    if not callable(found):
        raise ValueError(f"{key} must be callable")
    return found  # type: ignore[no-any-return]


def _type_of(text: Any) -> str | None:
    """What stands for the name of a schema that has none: ``string``, ``array``; None for a union."""
    try:
        parsed = json.loads(text) if isinstance(text, str) else None
    except ValueError:
        return None  # the serializer says what is wrong with it
    kind = parsed.get("type") if isinstance(parsed, dict) else parsed
    return kind if isinstance(kind, str) else None


def _strategy(settings: Settings, unnamed: str | None = None) -> SubjectStrategy:
    """The strategy that the settings say. unnamed: the name of a schema that has none."""
    own, kind = settings.take("subject.name.strategy"), settings.take("subject.name.strategy.type")
    if settings.take("subject.name.strategy.conf"):
        raise ValueError("subject.name.strategy.conf is of the type ASSOCIATED, which is not supported")
    if own is None:
        return _topic_needed(_by_type(kind), unnamed)
    if not callable(own):
        raise ValueError("subject.name.strategy must be callable")

    def strategy(topic: str, is_key: bool, record_name: str | None) -> str:
        field = MessageField.KEY if is_key else MessageField.VALUE
        subject = own(SerializationContext(topic, field) if topic else None, record_name or unnamed)
        if not isinstance(subject, str):
            raise ValueError("subject.name.strategy gave no subject")
        return subject

    return strategy


def _by_type(kind: Any) -> SubjectStrategy:
    name = "TOPIC" if kind is None else str(getattr(kind, "value", kind)).upper()
    if name == "ASSOCIATED":
        raise ValueError(
            "subject.name.strategy.type ASSOCIATED is not supported: associations are not asked for"
        )
    if name not in _STRATEGIES:
        known = ", ".join(_STRATEGIES)
        raise ValueError(f"Invalid subject.name.strategy.type: {kind}. Valid values are: {known}")
    return _STRATEGIES[name]


def _topic_needed(strategy: SubjectStrategy, unnamed: str | None) -> SubjectStrategy:
    def checked(topic: str, is_key: bool, record_name: str | None) -> str:
        if not topic and strategy is not record_name_strategy:
            raise ValueError("a SerializationContext is needed: the subject is the topic's")
        return strategy(topic, is_key, record_name or unnamed)

    return checked
