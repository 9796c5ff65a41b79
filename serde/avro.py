"""Values to messages in Confluent's wire formats with Avro, and back."""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from serde.bulk_reading import ErrorHandler, Nulls, read_batch, read_many
from serde.client import RegistryClient
from serde.codec import Fault
from serde.codec.binary import as_message
from serde.errors import DeserializationError
from serde.framing import PREFIX_SIZE, GivenHeaders, Headers, drop_header, frame_in_headers, put_header
from serde.model import Schema
from serde.reading import Reading
from serde.writing import Entry, Writing

if TYPE_CHECKING:
    import pyarrow as pa


class AvroSerializer(Writing[RegistryClient]):
    """Writes values of one schema to any number of topics.

        serializer = AvroSerializer(client, schema_text)
        message = serializer({"id": 7}, "orders")

    schema: Avro schema text; or a class (dataclass, pydantic model, attrs class, TypedDict), whose schema is
    `schema_of`. None: write with the newest version of the subject (as `use_latest`).
    references: the schemas whose types the text uses.
    is_key: for message keys; it changes the subject, and the header.
    subject_strategy: under which subject to register; see `serde.subjects`.
    context: the context of the subjects, ``.eu``, or a function of the topic that gives it.
    auto_register: register the schema at a topic's first message; False: it must be there already.
    use_latest: write with the newest version of the subject; a topic moves to a new one within the client's
    `latest_ttl`, and waits for the registry at its first message alone.
    latest_with_metadata: the same of the versions whose metadata have these properties.
    schema_id, schema_guid: write with this schema.
    check_compatibility: where these write with another schema than the one that is given, refuse one that
    cannot read what the given one writes: Java's ``latest.compatibility.strict`` and
    ``id.compatibility.strict``.
    ignore_rules: write with such a schema also where it has rules for writing (an encryption, a condition),
    which are not carried out here. False: refuse it.
    normalize: let the registry bring the text into a normal form first.
    framing: ``"prefix"`` puts the schema's id in front of the value, ``"header"`` its GUID into a header.
    strict: False leaves out what a record has no field for, and writes null for a field that the value
    lacks, where the field may be null and has no default. All else is checked as before.
    to_dict: turns a value into what Avro writes (dicts, lists, ...), before anything else.
    raw_logical_types: names of logical types (`serde.codec.LOGICAL_TYPES`) whose values are given as Avro
    stores them, and in no other form: an int for a timestamp, a str for a uuid.

    Wherever the schema has a record, the value may have an instance of a class. Values are checked, not
    coerced: see `serde.codec`. The first message of a topic asks the registry;
    the others ask nothing and take no lock. Use one serializer from any number of threads.

    Raises InvalidSchema for text that is no schema, InvalidClass for a class that has none, ValueError for
    options that exclude each other.
    """

    _CLIENT = RegistryClient

    takes_headers = True
    """A call may have the message's headers: the producers and consumers of `broker_adapter` give them."""

    def __call__(self, value: Any, topic: str, headers: Headers | None = None) -> bytes | None:
        """The message for a value; None, which deletes in a compacted topic, for None.

        headers: of the message, a list or a dict. With ``framing="header"`` the schema's is set, in place of
        one that is there; with a prefix one that is there is taken away: it is another message's.

        Raises SerializationError if the value does not fit the schema, with the path; RegistryError and
        RegistryUnreachable at a topic's first message.
        """
        if value is None:
            return None
        if self._to_dict is not None:
            value = self._to_dict(value)
        try:
            encode = self._encode.get(topic)
        except TypeError:  # not even hashable: what follows says so
            encode = None
        if encode is None:
            return self._written(self._entry(topic), value, topic, headers)
        try:
            message = encode(value)
        except Fault as fault:
            raise self._refusal(fault, topic) from None
        if self._in_header:
            put_header(headers, self._header_name, self._headers[topic])
        elif headers:
            drop_header(headers, self._header_name)
        return message

    def serialize_many(
        self, values: Iterable[Any], topic: str, headers: Sequence[Headers] | None = None
    ) -> list[bytes | None]:
        """The messages for many values, in their order; None for None.

        headers: of each message, as for one.

        Raises what the call for one value raises; a SerializationError says in `index` which value it is.
        """
        entry = self._entry(topic)
        return self._written_many(entry, values, topic, headers)

    def from_arrow(
        self, batch: "pa.RecordBatch | pa.Table", topic: str, headers: Sequence[Headers] | None = None
    ) -> list[bytes]:
        """The messages for the rows of a pyarrow.RecordBatch or Table, in their order.

        Columns are found by name; one that is missing takes the field's default. See `serde.arrow` for the
        types. `to_dict` is not asked. headers: of each message, as for one.

        Raises MissingExtra without pyarrow, InvalidSchema for a schema that Arrow cannot hold, and
        SerializationError for a column that does not fit, or a row, whose number is in `index`.
        """
        entry = self._entry(topic)
        return self._written_rows(entry, batch, topic, headers)

    def schema_for(self, topic: str) -> Schema:
        """The schema that messages to a topic are written with; asks the registry as a first message does."""
        return self._entry(topic).schema

    def _entry(self, topic: str) -> Entry:
        return self._known(topic) or self._client._driver.run(self._prepare(topic))


class AvroDeserializer(Reading[RegistryClient]):
    """Reads messages of any schema in the registry, with the schema's id in front, or its GUID in a header.

        deserializer = AvroDeserializer(client)
        value = deserializer(message, "orders")

    reader_schema: Avro schema text to give all values in: fields it adds get their defaults, fields it
    lacks are dropped, numbers are promoted. None: each value as it was written. A class: all values are
    objects of it, in its schema (`schema_of`).
    into: a class for values in the schema that `reader_schema`, `use_latest` or `latest_with_metadata` say.
    references: the schemas whose types the reader's text uses.
    is_key: for message keys; it changes which header is looked at, and the subject.
    use_latest: give all values in the newest version of the topic's subject, as the serializer's.
    latest_with_metadata: the same of the versions whose metadata have these properties.
    subject_strategy: which subject that is. context: as the serializer's: it says whose the ids are.
    strict: False ignores bytes that are left after the value.
    named_records: give a union's record as ``(name, value)``, which a serializer takes back.
    from_dict: turns what was read into the value to return.
    raw_logical_types: names of logical types (`serde.codec.LOGICAL_TYPES`) whose values are given as Avro
    stores them: an int for a timestamp, a str for a uuid. All of them read fastest.

    The first message with a schema id asks the registry; the others ask nothing and take no lock. Use
    one deserializer from any number of threads.

    Raises InvalidSchema for reader's text that is no schema, InvalidClass for a class that has none or does
    not go with it, ValueError for options that exclude each other.
    """

    _CLIENT = RegistryClient

    takes_headers = True
    """A call may have the message's headers: the producers and consumers of `broker_adapter` give them."""

    def __call__(
        self,
        data: bytes | bytearray | memoryview | None,
        topic: str | None = None,
        headers: GivenHeaders | None = None,
        *,
        partition: int | None = None,
        offset: int | None = None,
    ) -> Any:
        """The value of a message; None for None.

        topic: needed with `use_latest`, `latest_with_metadata` and a context that depends on it; otherwise
        it is only for error messages, as partition and offset are.
        headers: of the message. The last one of the schema's name counts, and then no prefix is expected.

        Raises DeserializationError, which keeps the message and where it was: FramingError if nothing says
        its schema, otherwise for an unknown id (its cause is SchemaNotFound), a body that is truncated, too
        long or no value of the schema, and one that the reader's schema cannot take. RegistryUnreachable and
        other RegistryErrors pass through: the message may be good, so do not skip it.
        """
        if data is None:
            return None
        if type(data) is not bytes:
            data = as_message(data)
        framed = frame_in_headers(headers, self._header_name) if headers else None
        decode = self._decoders.get(data[:PREFIX_SIZE] if framed is None else framed)
        try:
            if decode is None:
                frame, start = self._frame(data, topic, headers)
                decode = self._known(topic, frame) or self._client._driver.run(
                    self._prepare(data, topic, frame)
                )
                value = decode(data, start)
            else:
                value = decode(data, PREFIX_SIZE if framed is None else 0)
        except Fault as fault:
            error = self._refusal(fault, data, topic, headers)
            error.partition, error.offset = partition, offset
            raise error from fault.__cause__
        except DeserializationError as error:
            error.partition, error.offset = partition, offset
            raise
        return value if self._from_dict is None else self._from_dict(value)

    def deserialize_many(
        self,
        values: Iterable[bytes | bytearray | memoryview | None],
        topic: str | None = None,
        headers: Sequence[GivenHeaders | None] | None = None,
        *,
        on_error: ErrorHandler | None = None,
    ) -> list[Any]:
        """The values of many messages, in their order; None for None.

        headers: of each message, as for one. on_error: is given the number of a message that cannot be read,
        and the error; what it returns stands in the value's place. None: the error is raised.

        Raises what the call for one message raises; a DeserializationError says in `index` which message it
        is.
        """
        return self._client._driver.run(read_many(self, values, topic, headers, on_error))

    def to_arrow(
        self,
        values: Iterable[bytes | bytearray | memoryview | None],
        topic: str | None = None,
        headers: Sequence[GivenHeaders | None] | None = None,
        *,
        nulls: Nulls = "refuse",
        on_error: ErrorHandler | None = None,
    ) -> "pa.RecordBatch":
        """The rows of many messages, as a pyarrow.RecordBatch of the reader's schema, in their order.

        See `serde.arrow` for the types. Without a reader's schema all messages must have one schema, and
        there must be one. `from_dict` is not asked. headers: of each message, as for one.
        nulls: what None is: ``"refuse"``, an error; ``"keep"``, a row of nulls (then every column may have
        nulls); ``"drop"``, no row.
        on_error: is given the number of a message that cannot be read, and the error, and the message is
        left out. None: the error is raised.

        Raises MissingExtra without pyarrow, InvalidSchema for a schema that is recursive or that Arrow cannot
        hold, ValueError for messages of two schemas, or of more than 2 GiB a column, and otherwise as
        `deserialize_many`.
        """
        return self._client._driver.run(read_batch(self, values, topic, headers, nulls, on_error))
