"""What both Avro serializers have in common: their options, and what they keep of a topic."""

import threading
import time
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Any, ClassVar, Final, Generic, Literal, NamedTuple, TypeAlias, TypeVar

from serde import arguments
from serde.async_client import AsyncRegistryClient
from serde.bulk_writing import check_headers, write_batches, write_many
from serde.choosing import Choice, rules_of_writing, texts_of
from serde.classes import bind, schema_of, shape_of
from serde.client import RegistryClient
from serde.codec import LOGICAL_TYPES, AvroSchema, Encode, Fault, compile_encoder, parse_schema
from serde.codec.columns import Column, layout
from serde.codec.compatibility import why_unreadable
from serde.errors import RegistryBusy, RegistryUnreachable, SerializationError
from serde.forking import tell_after_fork
from serde.framing import NO_HEADERS, Headers, drop_header, guid_bytes, header_name, prefix, put_header
from serde.model import Reference, Schema
from serde.steps import Steps
from serde.subjects import (
    ContextStrategy,
    Subjects,
    SubjectStrategy,
    context_of,
    no_topic,
    topic_name_strategy,
)

TABLE_SIZE: Final = 10_000
"""Far more topics, or schemas of one topic, than a process meets; a table that reaches it starts anew."""

LOOK_AGAIN: Final = 1.0
"""The most seconds for which a newest version is not asked of the client, which has it at hand."""

AWAY: Final = 10.0
"""Seconds for which a version goes on to be used where the registry is away and the client forgot it."""


Client = TypeVar("Client", RegistryClient, AsyncRegistryClient)
K = TypeVar("K")
V = TypeVar("V")

Framing: TypeAlias = Literal["prefix", "header"]


class Entry(NamedTuple):
    """What a topic's messages are written with.

    encode: with the prefix in front, if there is one. header: what the header says; None without one.
    until: when to look again which schema it is, on the monotonic clock. change: the client's count of
    changes to newest versions when it was found; None where they don't matter.
    """

    encode: Encode
    subject: str
    schema: Schema
    header: bytes | None
    until: float
    change: int | None


class Writing(Generic[Client]):
    """A serializer without the way it waits; the options are AvroSerializer's."""

    _CLIENT: ClassVar[type[Any]]

    def __init__(
        self,
        client: Client,
        schema: Any = None,
        *,
        references: Iterable[Reference] = (),
        is_key: bool = False,
        subject_strategy: SubjectStrategy = topic_name_strategy,
        context: str | ContextStrategy | None = None,
        auto_register: bool = True,
        use_latest: bool = False,
        latest_with_metadata: Mapping[str, str] | None = None,
        schema_id: int | None = None,
        schema_guid: str | None = None,
        check_compatibility: bool = True,
        ignore_rules: bool = False,
        normalize: bool = False,
        framing: Framing = "prefix",
        strict: bool = True,
        to_dict: Callable[[Any], Any] | None = None,
        raw_logical_types: Collection[str] = (),
    ) -> None:
        check_one(
            use_latest=use_latest,
            latest_with_metadata=latest_with_metadata is not None,
            schema_id=schema_id is not None,
            schema_guid=schema_guid is not None,
        )
        arguments.client(self, client, self._CLIENT)
        arguments.schema(schema)
        arguments.properties("latest_with_metadata", latest_with_metadata)
        arguments.function("to_dict", to_dict, "value")
        if schema_id is not None:
            arguments.whole_number("schema_id", schema_id)
        if framing not in {"prefix", "header"}:
            raise ValueError(f'framing is "prefix" or "header", not {framing!r}')
        # A class, or another type hint: the schema is made of it.
        self._class = None if isinstance(schema, str) else schema
        schema = schema if self._class is None else schema_of(schema)
        newest = use_latest or (schema is None and schema_id is None and schema_guid is None)
        self._client: Client = client
        self._calls = client._calls
        self._choice = Choice(
            self._calls,
            Subjects(subject_strategy, is_key, context),
            schema,
            arguments.references(references),
            auto_register=auto_register,
            normalize=normalize,
            metadata=latest_with_metadata if latest_with_metadata or not newest else {},
            schema_id=schema_id,
            schema_guid=schema_guid,
            needs_id=framing == "prefix",
        )
        self._checks = check_compatibility
        self._ignores_rules = ignore_rules
        self._header_name = header_name(is_key=is_key)
        self._in_header = framing == "header"
        self._strict = strict
        self._to_dict = to_dict
        self._raw = known_logical_types(raw_logical_types)
        # By topic, where all is said for ever: a message looks here alone. Read without a lock, so never
        # changed: a new topic makes a new table.
        self._encode: dict[str, Encode] = {}
        self._headers: dict[str, bytes] = {}
        # By topic, all of them.
        self._entries: dict[str, Entry] = {}
        # By context and schema, for topics that have one together.
        self._encoders: dict[tuple[str | None, int | str | None], Encode] = {}
        # The same schemas, parsed, and their columns.
        self._parsed: dict[tuple[str | None, int | str | None], AvroSchema] = {}
        self._layouts: dict[AvroSchema, Column] = {}
        self.after_fork()
        tell_after_fork(self)

    # What the error for a keyword that there is not calls it.
    __init__.__qualname__ = "AvroSerializer.__init__"

    def after_fork(self) -> None:
        """Go on in a child process: the lock may have been taken by a thread that it does not have."""
        self._lock = threading.Lock()

    def _known(self, topic: str) -> Entry | None:
        """What the topic's messages are written with, if that is known and holds."""
        try:
            entry = self._entries.get(topic)
        except TypeError:  # not even hashable
            raise TypeError(no_topic(topic)) from None
        if entry is None or entry.change is None:
            return entry
        holds = time.monotonic() < entry.until and entry.change == self._calls.latest_changes
        return entry if holds else None

    def _written(self, entry: Entry, value: Any, topic: str, headers: Headers | None) -> bytes:
        """The message, with its header where there is one."""
        if self._in_header and headers is None:
            raise TypeError(NO_HEADERS)
        try:
            message = entry.encode(value)
        except Fault as fault:
            raise self._refusal(fault, topic) from None
        if headers is not None and entry.header is not None:
            put_header(headers, self._header_name, entry.header)
        elif headers:
            drop_header(headers, self._header_name)
        return message

    def _written_many(
        self, entry: Entry, values: Iterable[Any], topic: str, headers: Sequence[Headers] | None
    ) -> list[bytes | None]:
        """The messages of many values, with their headers where there are some."""
        if self._to_dict is not None:
            values = (None if value is None else self._to_dict(value) for value in values)
        found = write_many(entry.encode, values, lambda fault: self._refusal(fault, topic))
        self._set_headers(entry, headers, found)
        return found

    def _written_rows(
        self, entry: Entry, batch: Any, topic: str, headers: Sequence[Headers] | None
    ) -> list[bytes]:
        """The messages of a batch's rows, with their headers where there are some."""
        schema = self._parsed[_key(entry.subject, entry.schema)]
        column = self._layouts.get(schema)
        if column is None:
            column = layout(schema)
            with self._lock:
                self._layouts = extended(self._layouts, schema, column)
        start = b"" if self._in_header else prefix(entry.schema.id or 0)

        def refuse(fault: Fault) -> SerializationError:
            return self._refusal(fault, topic)

        found = write_batches(schema, column, batch, start, refuse, strict=self._strict)
        self._set_headers(entry, headers, found)
        return found

    def _set_headers(
        self, entry: Entry, headers: Sequence[Headers] | None, messages: Sequence[bytes | None]
    ) -> None:
        if headers is None:
            if self._in_header and any(message is not None for message in messages):
                raise TypeError(NO_HEADERS)
            return
        check_headers(headers, len(messages))
        for given, message in zip(headers, messages, strict=True):
            if message is None:
                continue
            if entry.header is not None:
                put_header(given, self._header_name, entry.header)
            else:
                drop_header(given, self._header_name)

    def _refusal(self, fault: Fault, topic: str) -> SerializationError:
        entry = self._entries[topic]
        return SerializationError(
            fault.reason, path=fault.path, topic=topic, subject=entry.subject, schema_id=entry.schema.id
        )

    def _prepare(self, topic: str) -> Steps[Entry]:
        """Find out what the topic's messages are written with."""
        if not isinstance(topic, str):
            raise TypeError(no_topic(topic))
        ttl = self._calls.latest_ttl
        change = self._calls.latest_changes if self._choice.may_change else None
        try:
            subject, schema = yield from self._choice.find(topic)
        except (RegistryUnreachable, RegistryBusy):
            # The client gives what it had while the registry is away, but forgets what was long not wanted.
            entry = self._entries.get(topic)
            if entry is None or ttl == 0:
                raise
            return self._keep(topic, entry._replace(until=time.monotonic() + AWAY, change=change))
        until = time.monotonic() + min(LOOK_AGAIN, ttl / 10)
        known = self._entries.get(topic)
        if known is not None and (known.subject, known.schema) == (subject, schema):
            return self._keep(topic, known._replace(until=until, change=change))
        encode = yield from self._encoder(topic, subject, schema)
        header = _guid(topic, subject, schema) if self._in_header else None
        return self._keep(topic, Entry(encode, subject, schema, header, until, change))

    def _keep(self, topic: str, entry: Entry) -> Entry:
        with self._lock:
            self._entries = extended(self._entries, topic, entry)
            if entry.header is not None:
                self._headers = extended(self._headers, topic, entry.header)
            if not self._choice.may_change:
                self._encode = extended(self._encode, topic, entry.encode)
        return entry

    def _encoder(self, topic: str, subject: str, schema: Schema) -> Steps[Encode]:
        key = _key(subject, schema)
        encode = self._encoders.get(key)
        if encode is not None:
            return encode
        if schema.schema_type != "AVRO":
            raise _refused(f"the schema is {schema.schema_type}, not AVRO", topic, subject, schema)
        rules = rules_of_writing(schema) if self._choice.is_chosen and not self._ignores_rules else ()
        if rules:
            raise _refused(
                f"the schema has rules for writing ({', '.join(rules)}), which are not carried out here:"
                " with ignore_rules=True they are left out",
                topic,
                subject,
                schema,
            )
        # The registry's text, not ours: it is what readers will be given.
        texts = yield from texts_of(self._calls, schema, subject)
        given = (yield from self._choice.given(topic)) if self._checks and self._choice.is_chosen else None
        with self._lock:
            encode = self._encoders.get(key)
            if encode is None:
                parsed = parse_schema(schema.text, texts, raw=self._raw)
                reasons = why_unreadable(given, parsed) if given is not None else ()
                if reasons:
                    raise _refused(
                        "the schema to write with cannot read what the given one writes"
                        f" ({'; '.join(reasons)}): give another, or check_compatibility=False",
                        topic,
                        subject,
                        schema,
                    )
                if self._class is not None and not self._choice.is_chosen:
                    parsed = bind(parsed, self._class, raw=bool(self._raw))
                encode = compile_encoder(
                    parsed,
                    bare_bytes=True,
                    prefix=b"" if self._in_header else prefix(schema.id or 0),
                    strict=self._strict,
                    shape_of=shape_of,
                )
                self._encoders = extended(self._encoders, key, encode)
                self._parsed = extended(self._parsed, key, parsed)
        return encode


def _key(subject: str, schema: Schema) -> tuple[str | None, int | str | None]:
    return context_of(subject), schema.guid if schema.id is None else schema.id


def _guid(topic: str, subject: str, schema: Schema) -> bytes:
    if schema.guid is None:
        raise _refused("the registry gives schemas no GUID, which a header needs", topic, subject, schema)
    return guid_bytes(schema.guid)


def _refused(reason: str, topic: str, subject: str, schema: Schema) -> SerializationError:
    return SerializationError(reason, topic=topic, subject=subject, schema_id=schema.id)


def check_one(**options: bool) -> None:
    """Check that at most one of the options is given. Raises ValueError."""
    given = [name for name, is_given in options.items() if is_given]
    if len(given) > 1:
        raise ValueError(f"give {' or '.join(given)}, not {'both' if len(given) == 2 else 'all'}")


def extended(table: dict[K, V], key: K, value: V) -> dict[K, V]:
    """Another table, with one more in it."""
    return {**(table if len(table) < TABLE_SIZE else {}), key: value}


def known_logical_types(names: Collection[str]) -> frozenset[str]:
    """The names as a set. Raises ValueError for those that are none."""
    if isinstance(names, str):
        raise TypeError(f"raw_logical_types are a list of names, not {names!r}")
    unknown = sorted(frozenset(names) - LOGICAL_TYPES)
    if unknown:
        known = ", ".join(sorted(LOGICAL_TYPES))
        raise ValueError(f"no logical type: {', '.join(unknown)}; there are {known}")
    return frozenset(names)
