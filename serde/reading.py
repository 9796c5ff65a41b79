"""What both Avro deserializers have in common: their options, and what they keep of a schema."""

import threading
import time
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any, ClassVar, Generic, NamedTuple

from serde import arguments
from serde.choosing import texts_of
from serde.classes import bind, schema_of
from serde.codec import AvroSchema, Decode, Fault, compile_decoder, parse_schema
from serde.codec.columns import Program, compile_program, is_wrapped, layout, with_nulls
from serde.errors import DeserializationError, InvalidSchema, NotFound, SchemaNotFound
from serde.finding import in_context_of
from serde.forking import tell_after_fork
from serde.framing import (
    MAGIC_V1,
    GivenHeaders,
    check_frame,
    frame_in_headers,
    frame_of,
    header_name,
    read_frame,
)
from serde.model import Reference
from serde.steps import Steps
from serde.subjects import (
    ContextStrategy,
    Subjects,
    SubjectStrategy,
    in_context,
    topic_name_strategy,
)
from serde.writing import LOOK_AGAIN, Client, check_one, extended, known_logical_types


class _Entry(NamedTuple):
    """until, change: as of `serde.writing.Entry`."""

    decode: Decode
    until: float
    change: int | None


class Pair(NamedTuple):
    """The schemas a message is read with.

    reader_id: of a subject's newest schema; None of another. until, change: as of `_Entry`.
    """

    writer: AvroSchema
    reader: AvroSchema | None
    reader_id: int | None
    until: float
    change: int | None


class Columns:
    """What messages are read into batches with, under one reader's schema."""

    def __init__(self, reader: AvroSchema) -> None:
        """Raises InvalidSchema if the schema is recursive, or has what Arrow cannot hold."""
        self.reader = reader
        self.column = layout(reader)
        self.with_nulls = with_nulls(self.column)
        self.wrapped = is_wrapped(self.column)
        # By what says who wrote a message. Never changed: see `Reading`.
        self.programs: dict[bytes, Program] = {}
        # Arrow's schemas of the layouts, by whether rows may be null, made when they are needed.
        self.schemas: dict[bool, Any] = {}


class Reading(Generic[Client]):
    """A deserializer without the way it waits; the options are AvroDeserializer's."""

    _CLIENT: ClassVar[type[Any]]

    def __init__(
        self,
        client: Client,
        reader_schema: Any = None,
        *,
        into: Any = None,
        references: Iterable[Reference] = (),
        is_key: bool = False,
        subject_strategy: SubjectStrategy = topic_name_strategy,
        context: str | ContextStrategy | None = None,
        use_latest: bool = False,
        latest_with_metadata: Mapping[str, str] | None = None,
        strict: bool = True,
        named_records: bool = False,
        from_dict: Callable[[Any], Any] | None = None,
        raw_logical_types: Collection[str] = (),
    ) -> None:
        check_one(
            reader_schema=reader_schema is not None,
            use_latest=use_latest,
            latest_with_metadata=latest_with_metadata is not None,
        )
        arguments.client(self, client, self._CLIENT)
        arguments.schema(reader_schema)
        arguments.properties("latest_with_metadata", latest_with_metadata)
        arguments.function("from_dict", from_dict, "value")
        if isinstance(into, str):
            raise TypeError("into is a class: give a schema's text as reader_schema")
        if into is None and not isinstance(reader_schema, str):
            into = reader_schema
        if (
            into is not None
            and not isinstance(reader_schema, str)
            and not use_latest
            and not latest_with_metadata
        ):
            reader_schema = schema_of(into)
        self._class = into
        self._client: Client = client
        self._calls = client._calls
        self._subjects = Subjects(subject_strategy, is_key, context)
        self._reader_text = reader_schema
        self._references = arguments.references(references)
        self._metadata = {} if use_latest else latest_with_metadata
        self._is_key = is_key
        self._header_name = header_name(is_key=is_key)
        self._strict = strict
        self._named_records = named_records
        self._from_dict = from_dict
        self._raw = known_logical_types(raw_logical_types)
        self._reader: AvroSchema | None = None
        # What they were before they were joined to a class: columns have no objects.
        self._unjoined: dict[AvroSchema, AvroSchema] = {}
        if reader_schema is not None and not self._references:
            self._reader = self._joined(parse_schema(reader_schema, raw=self._raw))
        # Whether a frame alone says how a message is read.
        self._is_plain = self._metadata is None and not callable(context)
        # By frame: the five bytes in front, or what a header has. Read without a lock, so never changed: a
        # new frame makes a new table.
        self._decoders: dict[bytes, Decode] = {}
        # By topic and frame, where the frame alone does not say it.
        self._entries: dict[tuple[str | None, bytes], _Entry] = {}
        # By context and frame, and by that and the reader's schema.
        self._writers: dict[tuple[str | None, bytes], AvroSchema] = {}
        self._pairs: dict[tuple[str | None, bytes, int | None], Decode] = {}
        # By context and id, the newest schemas of subjects.
        self._newest: dict[tuple[str | None, int | None], AvroSchema] = {}
        # What batches are read with, by the reader's schema, or by the frame where the writer's is it.
        self._columns: dict[tuple[str | None, int | bytes | None], Columns] = {}
        self.after_fork()
        tell_after_fork(self)

    # What the error for a keyword that there is not calls it.
    __init__.__qualname__ = "AvroDeserializer.__init__"

    def after_fork(self) -> None:
        """Go on in a child process: the lock may have been taken by a thread that it does not have."""
        self._lock = threading.Lock()

    def _frame(self, data: bytes, topic: str | None, headers: GivenHeaders | None) -> tuple[bytes, int]:
        """What says who wrote a message, and where its body begins. Raises FramingError."""
        frame = frame_in_headers(headers, self._header_name) if headers else None
        if frame is None:
            frame = frame_of(data, topic, is_key=self._is_key)
            return frame, len(frame)
        check_frame(frame, self._header_name, data, topic, is_key=self._is_key)
        return frame, 0

    def _known(self, topic: str | None, frame: bytes) -> Decode | None:
        """How a message is read, if that is known and holds."""
        if self._is_plain:
            return self._decoders.get(frame)
        entry = self._entries.get((topic, frame))
        if entry is None or entry.change is None:
            return None if entry is None else entry.decode
        holds = time.monotonic() < entry.until and entry.change == self._calls.latest_changes
        return entry.decode if holds else None

    def _prepare(self, data: bytes, topic: str | None, frame: bytes) -> Steps[Decode]:
        """Find out how a message is read."""
        pair = yield from self._schemas(data, topic, frame)
        decode = self._pair(self._subjects.context_of(topic), frame, pair)
        with self._lock:
            if self._is_plain:
                self._decoders = extended(self._decoders, frame, decode)
            else:
                self._entries = extended(
                    self._entries, (topic, frame), _Entry(decode, pair.until, pair.change)
                )
        return decode

    def _schemas(self, data: bytes, topic: str | None, frame: bytes) -> Steps[Pair]:
        """Find out which schemas a message is read with."""
        context = self._subjects.context_of(topic)
        change = None if self._metadata is None else self._calls.latest_changes
        try:
            writer = yield from self._writer(context, frame)
        except SchemaNotFound as error:
            what = "GUID" if isinstance(read_frame(frame), str) else "id"
            reason = f"the registry at {', '.join(self._calls.urls)} has no schema with this {what}"
            raise self._error(reason, data, topic, frame) from error
        except NotFound as error:
            # A registry without GUIDs has no such route. Nobody writes one in front of the value.
            if frame[0] != MAGIC_V1 or not data.startswith(frame):
                raise
            reason = (
                f"the registry at {', '.join(self._calls.urls)} knows no schema by a GUID: {error.message}"
            )
            raise self._error(reason, data, topic, frame) from error
        except InvalidSchema as error:
            raise self._error(f"the writer's schema cannot be used: {error}", data, topic, frame) from error
        if self._metadata is None:
            return Pair(writer, (yield from self._own_reader(context)), None, float("inf"), None)
        subject = self._subjects.subject_of(topic, writer.full_name)
        found = yield from self._calls.latest_with_metadata(subject, self._metadata)
        reader = self._newest.get((context, found.id))
        if reader is None:
            texts = yield from self._calls.referenced_texts(in_context_of(subject, found.references))
            if found.schema_type != "AVRO":
                raise InvalidSchema(f"the newest schema of {subject} is {found.schema_type}, not AVRO")
            reader = self._joined(parse_schema(found.text, texts, raw=self._raw))
            with self._lock:
                self._newest = extended(self._newest, (context, found.id), reader)
        until = time.monotonic() + min(LOOK_AGAIN, self._calls.latest_ttl / 10)
        return Pair(writer, reader, found.id, until, change)

    def _pair(self, context: str | None, frame: bytes, pair: Pair) -> Decode:
        key = (context, frame, pair.reader_id)
        with self._lock:
            decode = self._pairs.get(key)
            if decode is None:
                decode = compile_decoder(
                    pair.writer,
                    pair.reader,
                    bare_bytes=True,
                    strict=self._strict,
                    named_records=self._named_records,
                )
                self._pairs = extended(self._pairs, key, decode)
        return decode

    def _batch_columns(self, topic: str | None, frame: bytes, pair: Pair) -> Columns:
        """What batches of the reader's schema are read with, and the messages of a frame within them."""
        context = self._subjects.context_of(topic)
        key = (context, frame if pair.reader is None else pair.reader_id)
        with self._lock:
            columns = self._columns.get(key)
            if columns is None:
                reader = pair.reader or pair.writer
                columns = Columns(self._unjoined.get(reader, reader))
                self._columns = extended(self._columns, key, columns)
            if frame not in columns.programs:
                program = compile_program(pair.writer, columns.reader, strict=self._strict)
                columns.programs = extended(columns.programs, frame, program)
        return columns

    def _columns_of_none(self, topic: str | None) -> Steps[Columns]:
        """What a batch of no messages is read with."""
        reader = yield from self._own_reader(self._subjects.context_of(topic))
        if reader is None:
            raise ValueError(
                "no message says which schema the batch has: give the deserializer a reader_schema"
            )
        return Columns(self._unjoined.get(reader, reader))

    def _writer(self, context: str | None, frame: bytes) -> Steps[AvroSchema]:
        known = self._writers.get((context, frame))
        if known is not None:
            return known
        within = None if context is None else in_context("", context)
        which = read_frame(frame)
        if isinstance(which, int):
            found = yield from self._calls.schema_by_id(which, subject=within)
        else:
            found = yield from self._calls.schema_by_guid(which)
        if found.schema_type != "AVRO":
            raise InvalidSchema(f"it is {found.schema_type}, not AVRO")
        writer = parse_schema(
            found.text, (yield from texts_of(self._calls, found, within or "")), raw=self._raw
        )
        with self._lock:
            self._writers = extended(self._writers, (context, frame), writer)
        return writer

    def _own_reader(self, context: str | None) -> Steps[AvroSchema | None]:
        if self._reader is None and self._reader_text is not None:
            references = in_context_of(in_context("", context), self._references)
            texts = yield from self._calls.referenced_texts(references)
            self._reader = self._joined(parse_schema(self._reader_text, texts, raw=self._raw))
        return self._reader

    def _joined(self, reader: AvroSchema) -> AvroSchema:
        """The reader's schema, which gives objects where there is a class for them."""
        if self._class is None:
            return reader
        joined = bind(reader, self._class, raw=bool(self._raw))
        self._unjoined = extended(self._unjoined, joined, reader)
        return joined

    def _refusal(
        self, fault: Fault, data: bytes, topic: str | None, headers: GivenHeaders | None
    ) -> DeserializationError:
        return self._error(fault.reason, data, topic, self._frame(data, topic, headers)[0], fault.path)

    def _error(
        self, reason: str, data: bytes, topic: str | None, frame: bytes, path: str = ""
    ) -> DeserializationError:
        which = read_frame(frame)
        return DeserializationError(
            reason,
            data=data,
            path=path,
            topic=topic,
            is_key=self._is_key,
            schema_id=which if isinstance(which, int) else None,
            schema_guid=which if isinstance(which, str) else None,
        )
