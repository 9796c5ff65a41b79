"""Which schema a topic's messages are written with: in steps, see `serde.steps`."""

from collections.abc import Mapping
from dataclasses import replace

from serde.answers import as_schema
from serde.calls import Calls
from serde.codec import AvroSchema, parse_schema
from serde.errors import NotFound, SerializationError
from serde.finding import in_context_of
from serde.model import Reference, RegisteredSchema, Schema
from serde.steps import Steps
from serde.subjects import Subjects, in_context


class Choice:
    """What a serializer was told of the schema to write with. One of these says which:

    schema_id, schema_guid: this one. metadata: the subject's newest version that has these properties, any
    if there are none. All None: `text`, registered, or found if `auto_register` is False.

    text: the schema of the values, None if it is the one that is written. references: of the text. needs_id:
    messages carry the schema's id.
    """

    def __init__(
        self,
        calls: Calls,
        subjects: Subjects,
        text: str | None,
        references: tuple[Reference, ...],
        *,
        auto_register: bool,
        normalize: bool,
        metadata: Mapping[str, str] | None,
        schema_id: int | None,
        schema_guid: str | None,
        needs_id: bool,
    ) -> None:
        self._calls = calls
        self._subjects = subjects
        self._text = text
        self._references = references
        self._auto_register = auto_register
        self._normalize = normalize
        self._metadata = metadata
        self._schema_id = schema_id
        self._schema_guid = schema_guid
        self._needs_id = needs_id
        self._given = parse_schema(text) if text is not None and not self._references else None

    @property
    def is_chosen(self) -> bool:
        """Whether what is written is not simply the schema that was given."""
        return (self._metadata, self._schema_id, self._schema_guid) != (None, None, None)

    @property
    def may_change(self) -> bool:
        """Whether a topic's schema may be another one later."""
        return self._metadata is not None

    def given(self, topic: str) -> Steps[AvroSchema | None]:
        """The schema of the values, if one was given. Raises InvalidSchema."""
        if self._given is None and self._text is not None:
            references = in_context_of(in_context("", self._subjects.context_of(topic)), self._references)
            texts = yield from self._calls.referenced_texts(references)
            self._given = parse_schema(self._text, texts)
        return self._given

    def find(self, topic: str) -> Steps[tuple[str, Schema]]:
        """The topic's subject, and the schema to write with. Raises SerializationError if it is not there."""
        if self._schema_id is not None or self._schema_guid is not None:
            return (yield from self._fixed(topic))
        given = yield from self.given(topic)
        subject = self._subjects.subject_of(topic, None if given is None else given.full_name)
        find = self._newest if self._metadata is not None else self._registered
        return subject, as_schema((yield from find(subject, topic)))

    def _fixed(self, topic: str) -> Steps[tuple[str, Schema]]:
        context = self._subjects.context_of(topic)
        try:
            if self._schema_id is not None:
                within = None if context is None else in_context("", context)
                found = yield from self._calls.schema_by_id(self._schema_id, subject=within)
            else:
                found = yield from self._by_guid(str(self._schema_guid), context, topic)
        except NotFound as error:
            which = self._schema_guid if self._schema_id is None else f"id {self._schema_id}"
            raise SerializationError(
                f"the registry at {', '.join(self._calls.urls)} has no schema {which}", topic=topic
            ) from error
        schema = yield from self.given(topic)
        if schema is None and found.schema_type == "AVRO":
            references = in_context_of(in_context("", context), found.references)
            schema = parse_schema(found.text, (yield from self._calls.referenced_texts(references)))
        return self._subjects.subject_of(topic, None if schema is None else schema.full_name), found

    def _by_guid(self, guid: str, context: str | None, topic: str) -> Steps[Schema]:
        found = yield from self._calls.schema_by_guid(guid)
        if not self._needs_id or (found.id is not None and context is None):
            return found
        wanted = context or self._calls.context
        for each in (yield from self._calls.ids_by_guid(guid)):
            if each.context == wanted:
                return replace(found, id=each.id)
        raise SerializationError(f"the context {wanted} has no schema {guid}", topic=topic)

    def _newest(self, subject: str, topic: str) -> Steps[RegisteredSchema]:
        try:
            return (yield from self._calls.latest_with_metadata(subject, self._metadata or {}))
        except NotFound as error:
            reason = "the subject has no schema yet, and the serializer was given none"
            if self._metadata:
                pairs = ", ".join(f"{name}={value}" for name, value in self._metadata.items())
                reason = f"the subject has no schema with the metadata {pairs}"
            elif self._text is not None:
                reason = "the subject has no schema yet, and use_latest=True writes with its newest"
            raise SerializationError(reason, topic=topic, subject=subject) from error

    def _registered(self, subject: str, topic: str) -> Steps[RegisteredSchema]:
        text = str(self._text)
        find = self._calls.register if self._auto_register else self._calls.look_up
        try:
            return (yield from find(subject, text, references=self._references, normalize=self._normalize))
        except NotFound as error:
            if self._auto_register:
                raise
            raise SerializationError(
                f"the schema is not registered ({error.message}): register it, or use auto_register=True",
                topic=topic,
                subject=subject,
            ) from error


def rules_of_writing(schema: Schema) -> tuple[str, ...]:
    """The names of the rules that a writer has to carry out: an encryption, a condition, ..."""
    rules = schema.rule_set
    if rules is None or rules.enable_at not in {None, "ALL", "CLIENT"}:
        return ()
    return tuple(
        rule.name
        for rule in (*rules.domain_rules, *rules.encoding_rules)
        if rule.mode in {"WRITE", "WRITEREAD"} and not rule.disabled
    )


def texts_of(calls: Calls, schema: Schema, subject: str) -> Steps[tuple[str, ...]]:
    """The texts of what a schema of the subject refers to."""
    return (yield from calls.referenced_texts(in_context_of(subject, schema.references)))
