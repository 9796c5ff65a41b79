"""Values to messages in Confluent's wire format with Avro, and back."""

import threading
from collections.abc import Callable, Collection, Iterable
from typing import Any, Final, TypeVar

from serde.client import RegistryClient
from serde.codec import (
    LOGICAL_TYPES,
    AvroSchema,
    Decode,
    Encode,
    Fault,
    compile_decoder,
    compile_encoder,
    parse_schema,
)
from serde.errors import DeserializationError, InvalidSchema, NotFound, SchemaNotFound, SerializationError
from serde.framing import PREFIX_SIZE, prefix, schema_id
from serde.model import Reference, RegisteredSchema
from serde.subjects import SubjectStrategy, topic_name_strategy

# Far more topics, or schemas of one topic, than a process meets; a table that reaches it starts anew.
_TABLE_SIZE: Final = 10_000

K = TypeVar("K")
V = TypeVar("V")


class AvroSerializer:
    """Writes values of one schema to any number of topics.

        serializer = AvroSerializer(client, schema_text)
        message = serializer({"id": 7}, "orders")

    schema: Avro schema text. None: write with the newest version of the subject (as `use_latest`).
    references: the schemas whose types the text uses.
    is_key: for message keys; it only changes the subject.
    subject_strategy: under which subject to register; see `serde.subjects`.
    auto_register: register the schema at a topic's first message; False: it must be there already.
    use_latest: write with the newest version of the subject as it is at the topic's first message.
    normalize: let the registry bring the text into a normal form first.
    to_dict: turns a value into what Avro writes (dicts, lists, ...), before anything else.
    raw_logical_types: names of logical types (`serde.codec.LOGICAL_TYPES`) whose values are given as Avro
    stores them, and in no other form: an int for a timestamp, a str for a uuid.

    Values are checked, not coerced: see `serde.codec`. The first message of a topic asks the registry;
    the others ask nothing and take no lock. Use one serializer from any number of threads.

    Raises InvalidSchema for text that is no schema, ValueError for options that exclude each other.
    """

    def __init__(
        self,
        client: RegistryClient,
        schema: str | None = None,
        *,
        references: Iterable[Reference] = (),
        is_key: bool = False,
        subject_strategy: SubjectStrategy = topic_name_strategy,
        auto_register: bool = True,
        use_latest: bool = False,
        normalize: bool = False,
        to_dict: Callable[[Any], Any] | None = None,
        raw_logical_types: Collection[str] = (),
    ) -> None:
        if schema is not None and use_latest:
            raise ValueError("give a schema or use_latest=True, not both: one of them says what is written")
        self._client = client
        self._schema = schema
        self._references = tuple(references)
        self._is_key = is_key
        self._strategy = subject_strategy
        self._auto_register = auto_register
        self._normalize = normalize
        self._to_dict = to_dict
        self._raw = _known(raw_logical_types)
        self._parsed = parse_schema(schema) if schema is not None and not self._references else None
        # By topic. Read without a lock, so never changed: a new topic makes a new table.
        self._registered: dict[str, RegisteredSchema] = {}
        self._encode: dict[str, Encode] = {}
        # By schema id, for topics that have one together.
        self._encoders: dict[int, Encode] = {}
        self._lock = threading.Lock()

    def __call__(self, value: Any, topic: str) -> bytes | None:
        """The message for a value; None, which deletes in a compacted topic, for None.

        Raises SerializationError if the value does not fit the schema, with the path; RegistryError and
        RegistryUnreachable at a topic's first message.
        """
        if value is None:
            return None
        if self._to_dict is not None:
            value = self._to_dict(value)
        encode = self._encode.get(topic) or self._prepare(topic)[0]
        try:
            return encode(value)
        except Fault as fault:
            registered = self.registered(topic)
            raise SerializationError(
                fault.reason,
                path=fault.path,
                topic=topic,
                subject=registered.subject,
                schema_id=registered.id,
            ) from None

    def registered(self, topic: str) -> RegisteredSchema:
        """The schema that messages to a topic are written with; asks the registry as a first message does."""
        return self._registered.get(topic) or self._prepare(topic)[1]

    def _prepare(self, topic: str) -> tuple[Encode, RegisteredSchema]:
        if not isinstance(topic, str):
            raise TypeError(f"the topic is a string, not {type(topic).__name__}")
        registered = self._find(topic)
        if registered.schema_type != "AVRO":
            raise SerializationError(
                f"the schema is {registered.schema_type}, not AVRO",
                topic=topic,
                subject=registered.subject,
                schema_id=registered.id,
            )
        # The registry's text, not ours: it is what readers will be given.
        texts = self._client.referenced_texts(registered.references)
        with self._lock:
            encode = self._encoders.get(registered.id)
            if encode is None:
                schema = parse_schema(registered.text, texts, raw=self._raw)
                encode = compile_encoder(schema, bare_bytes=True, prefix=prefix(registered.id))
                self._encoders = _with(self._encoders, registered.id, encode)
            self._registered = _with(self._registered, topic, registered)
            self._encode = _with(self._encode, topic, encode)
        return encode, registered

    def _find(self, topic: str) -> RegisteredSchema:
        subject = self._subject(topic)
        if self._schema is None:
            try:
                return self._client.latest(subject)
            except NotFound as error:
                reason = "the subject has no schema yet, and the serializer was given none"
                raise SerializationError(reason, topic=topic, subject=subject) from error
        find = self._client.register if self._auto_register else self._client.look_up
        try:
            return find(subject, self._schema, references=self._references, normalize=self._normalize)
        except NotFound as error:
            if self._auto_register:
                raise
            raise SerializationError(
                f"the schema is not registered ({error.message}): register it, or use auto_register=True",
                topic=topic,
                subject=subject,
            ) from error

    def _subject(self, topic: str) -> str:
        if self._parsed is None and self._schema is not None:
            self._parsed = parse_schema(self._schema, self._client.referenced_texts(self._references))
        try:
            return self._strategy(topic, self._is_key, _record_name(self._parsed))
        except ValueError as error:
            raise SerializationError(str(error), topic=topic) from error


class AvroDeserializer:
    """Reads messages of any schema in the registry.

        deserializer = AvroDeserializer(client)
        value = deserializer(message, "orders")

    reader_schema: Avro schema text to give all values in: fields it adds get their defaults, fields it
    lacks are dropped, numbers are promoted. None: each value as it was written.
    references: the schemas whose types the reader's text uses.
    is_key: for message keys; it only changes the error messages.
    from_dict: turns what was read into the value to return.
    raw_logical_types: names of logical types (`serde.codec.LOGICAL_TYPES`) whose values are given as Avro
    stores them: an int for a timestamp, a str for a uuid. All of them read fastest.

    The first message with a schema id asks the registry; the others ask nothing and take no lock. Use
    one deserializer from any number of threads.

    Raises InvalidSchema for reader's text that is no schema.
    """

    def __init__(
        self,
        client: RegistryClient,
        reader_schema: str | None = None,
        *,
        references: Iterable[Reference] = (),
        is_key: bool = False,
        from_dict: Callable[[Any], Any] | None = None,
        raw_logical_types: Collection[str] = (),
    ) -> None:
        self._client = client
        self._reader_text = reader_schema
        self._references = tuple(references)
        self._is_key = is_key
        self._from_dict = from_dict
        self._raw = _known(raw_logical_types)
        self._reader: AvroSchema | None = None
        if reader_schema is not None and not self._references:
            self._reader = parse_schema(reader_schema, raw=self._raw)
        # By the five bytes in front. Read without a lock, so never changed: a new id makes a new table.
        self._decoders: dict[bytes, Decode] = {}
        self._lock = threading.Lock()

    def __call__(self, data: bytes | bytearray | memoryview | None, topic: str | None = None) -> Any:
        """The value of a message; None for None.

        topic: only for error messages.

        Raises DeserializationError, which keeps the message: FramingError without a prefix, otherwise for
        an unknown id (its cause is SchemaNotFound), a body that is truncated, too long or no value of
        the schema, and one that the reader's schema cannot take. RegistryUnreachable and other
        RegistryErrors pass through: the message may be good, so do not skip it.
        """
        if data is None:
            return None
        if type(data) is not bytes:
            data = _bytes(data)
        decode = self._decoders.get(data[:PREFIX_SIZE]) or self._prepare(data, topic)
        try:
            value = decode(data, PREFIX_SIZE)
        except Fault as fault:
            raise self._error(fault.reason, data, topic, fault.path) from None
        return value if self._from_dict is None else self._from_dict(value)

    def _prepare(self, data: bytes, topic: str | None) -> Decode:
        number = schema_id(data, topic, is_key=self._is_key)
        try:
            writer = self._writer(number)
        except SchemaNotFound as error:
            reason = f"the registry at {', '.join(self._client.urls)} has no schema with this id"
            raise self._error(reason, data, topic) from error
        except InvalidSchema as error:
            raise self._error(f"the writer's schema cannot be used: {error}", data, topic) from error
        if self._reader is None and self._reader_text is not None:
            texts = self._client.referenced_texts(self._references)
            self._reader = parse_schema(self._reader_text, texts, raw=self._raw)
        with self._lock:
            key = data[:PREFIX_SIZE]
            decode = self._decoders.get(key)
            if decode is None:
                decode = compile_decoder(writer, self._reader, bare_bytes=True)
                self._decoders = _with(self._decoders, key, decode)
        return decode

    def _error(self, reason: str, data: bytes, topic: str | None, path: str = "") -> DeserializationError:
        return DeserializationError(
            reason, data=data, path=path, topic=topic, is_key=self._is_key, schema_id=schema_id(data)
        )

    def _writer(self, number: int) -> AvroSchema:
        found = self._client.schema_by_id(number)
        if found.schema_type != "AVRO":
            raise InvalidSchema(f"it is {found.schema_type}, not AVRO")
        return parse_schema(found.text, self._client.referenced_texts(found.references), raw=self._raw)


def _with(table: dict[K, V], key: K, value: V) -> dict[K, V]:
    return {**(table if len(table) < _TABLE_SIZE else {}), key: value}


def _known(logical_types: Collection[str]) -> frozenset[str]:
    unknown = sorted(frozenset(logical_types) - LOGICAL_TYPES)
    if unknown:
        known = ", ".join(sorted(LOGICAL_TYPES))
        raise ValueError(f"no logical type: {', '.join(unknown)}; there are {known}")
    return frozenset(logical_types)


def _record_name(schema: AvroSchema | None) -> str | None:
    return schema.full_name if schema is not None else None


def _bytes(data: object) -> bytes:
    if isinstance(data, bytearray | memoryview):
        return bytes(data)
    raise TypeError(f"a message is bytes, not {type(data).__name__}")
