"""Registering schemas and finding them, in steps: each call's request, its answer, and what is kept of it.

Kept for as long as there is room: schemas by id and guid, what a text was
registered as under a subject, and the versions that references name; none of
them can change. Kept for `latest_ttl`: versions by their number, which may be
deleted, and the newest of a subject (see `serde.latest`). Kept for
`missing_ttl`: that the registry has no schema of an id or a guid.
"""

import json
from collections.abc import Callable, Hashable, Iterable, Mapping
from dataclasses import replace
from typing import Any, Final, TypeVar

from serde import answers, arguments
from serde.answers import Malformed
from serde.cache import Cache
from serde.errors import NotFound, SchemaNotFound
from serde.exchange import Exchange, Request
from serde.latest import Latest, LatestKey
from serde.model import ContextId, Metadata, Reference, RegisteredSchema, RuleSet, Schema, SubjectVersion
from serde.steps import Steps, once
from serde.subjects import context_of, in_context

T = TypeVar("T")
V = TypeVar("V")

_LAST_ID: Final = (1 << 31) - 1
"""Registries count ids in 31 bits; their routes do not know a greater number for one."""


class Finding:
    """The calls that serializers make.

    urls: where the registry is. context: of the client, ``.`` if it has none. latest_ttl: seconds for which
    the newest version of a subject is kept.

    No I/O, and safe to use from several threads.
    """

    def __init__(
        self,
        exchange: Exchange,
        *,
        context: str | None,
        cache_capacity: int,
        latest_ttl: float,
        missing_ttl: float,
    ) -> None:
        arguments.number("missing_ttl", missing_ttl)
        if missing_ttl < 0:
            raise ValueError(f"missing_ttl is 0 or more seconds, not {missing_ttl}")
        self._exchange = exchange
        self.context = context or "."
        self.urls = exchange.urls
        self.latest_ttl = latest_ttl
        self._latest = Latest(latest_ttl, cache_capacity, exchange.deadline)
        self._schemas: Cache[Hashable, Schema] = Cache(cache_capacity)
        self._missing: Cache[Hashable, SchemaNotFound] = Cache(cache_capacity, missing_ttl)
        self._registered: Cache[tuple[Hashable, ...], RegisteredSchema] = Cache(cache_capacity)
        self._versions: Cache[tuple[Hashable, ...], RegisteredSchema] = Cache(cache_capacity, latest_ttl)
        self._referenced: Cache[tuple[Hashable, ...], RegisteredSchema] = Cache(cache_capacity)

    def register(
        self,
        subject: str,
        text: str,
        *,
        references: Iterable[Reference] = (),
        schema_type: str = "AVRO",
        normalize: bool = False,
        metadata: Metadata | None = None,
        rule_set: RuleSet | None = None,
    ) -> Steps[RegisteredSchema]:
        """Make a schema the subject's next version, or find the version it already is.

        normalize: let the registry bring the text into a normal form first.
        metadata, rule_set: with None the schema has those of the subject's latest version.

        Raises Incompatible if it breaks the subject's level, Refused if it is no schema.
        """
        body = answers.body(text, references, schema_type, metadata, rule_set)
        path = ("subjects", subject, "versions")
        request = Request("POST", path, query=flags(normalize=normalize), body=body)

        def load() -> Steps[RegisteredSchema]:
            answer = yield from self._exchange.ask(request)
            if isinstance(answer, dict) and {"id", "version", "schema"} <= answer.keys():
                found = self._read(answers.registered_schema, {"subject": subject, **answer})
            else:
                # Registries before 2024 answer with the id alone.
                found = yield from self._look_up(subject, body, normalize=normalize, deleted=False)
            self._remember(found)
            self._latest.registered(found, subject)
            return found

        key = ("register", subject, normalize, json.dumps(body))
        return (yield from self._kept(self._registered, key, load))

    def look_up(
        self,
        subject: str,
        text: str,
        *,
        references: Iterable[Reference] = (),
        schema_type: str = "AVRO",
        normalize: bool = False,
        deleted: bool = False,
        metadata: Metadata | None = None,
        rule_set: RuleSet | None = None,
    ) -> Steps[RegisteredSchema]:
        """Find which version of the subject a schema is; the options are those of `register`.

        deleted: find it also if it was deleted (but not permanently).

        Raises SubjectNotFound if there is no such subject, SchemaNotFound if it has no such schema.
        """
        body = answers.body(text, references, schema_type, metadata, rule_set)

        def load() -> Steps[RegisteredSchema]:
            found = yield from self._look_up(subject, body, normalize=normalize, deleted=deleted)
            self._remember(found)
            return found

        key = ("look up", subject, normalize, deleted, json.dumps(body))
        return (yield from self._kept(self._registered, key, load))

    def schema_by_id(self, schema_id: int, *, subject: str | None = None) -> Steps[Schema]:
        """The schema with an id. Raises SchemaNotFound.

        subject: one that has it, in whose context (``:.ctx:subject``, or ``:.ctx:``) the id is one.
        """
        arguments.whole_number("a schema id", schema_id)
        return (yield from self._schema(("id", schema_id, subject), schema_id))

    def schema_by_guid(self, guid: str) -> Steps[Schema]:
        """The schema with a guid, which is the same in every context and registry. Raises SchemaNotFound.

        Its `id` is None where the registry does not say it; see `ids_by_guid`.
        """
        return (yield from self._schema(("guid", str(guid), None), None))

    def ids_by_guid(self, guid: str) -> Steps[list[ContextId]]:
        """The ids of the schema with a guid, one for each context that has it. Raises SchemaNotFound."""
        return (yield from self._ask(answers.context_ids, "GET", "schemas", "guids", guid, "ids"))

    def versions_by_id(
        self, schema_id: int, *, subject: str | None = None, deleted: bool = False
    ) -> Steps[list[SubjectVersion]]:
        """The versions of subjects that a schema is. subject: as in `schema_by_id`. Raises SchemaNotFound."""
        query = {**flags(deleted=deleted), **({} if subject is None else {"subject": subject})}
        path = ("schemas", "ids", schema_id, "versions")
        return (yield from self._ask(answers.subject_versions, "GET", *path, query=query))

    def schema(
        self, subject: str, version: int | str = "latest", *, deleted: bool = False
    ) -> Steps[RegisteredSchema]:
        """A version of a subject: a number from 1, or ``"latest"``, for which the registry is always asked.

        deleted: find it also if it was deleted (but not permanently).

        Raises SubjectNotFound, VersionNotFound.
        """

        def load() -> Steps[RegisteredSchema]:
            path = ("subjects", subject, "versions", version)
            query = flags(deleted=deleted)
            return (yield from self._ask(answers.registered_schema, "GET", *path, query=query))

        if not isinstance(version, int):
            return (yield from load())
        return (yield from self._kept(self._versions, ("version", subject, version, deleted), load))

    def latest(self, subject: str) -> Steps[RegisteredSchema]:
        """The newest version of a subject, as it was at most `latest_ttl` and one refresh ago.

        Only the first call for a subject waits for the registry; see `latest_ttl`. Raises SubjectNotFound.
        """
        return (yield from self._latest.get(LatestKey(subject), lambda: self.schema(subject, "latest")))

    def latest_with_metadata(self, subject: str, properties: Mapping[str, str]) -> Steps[RegisteredSchema]:
        """The newest version of a subject whose metadata have all these properties; kept as `latest` is.

        Raises SubjectNotFound, SchemaNotFound.
        """
        arguments.properties("properties", properties)
        if not properties:
            return (yield from self.latest(subject))
        pairs = tuple(sorted(properties.items()))
        query = [pair for name, value in pairs for pair in (("key", name), ("value", value))]

        def load() -> Steps[RegisteredSchema]:
            path = ("subjects", subject, "metadata")
            return (yield from self._ask(answers.registered_schema, "GET", *path, query=query))

        return (yield from self._latest.get(LatestKey(subject, pairs), load))

    @property
    def latest_changes(self) -> int:
        """Goes up when a subject's newest version may be another one than it was."""
        return self._latest.changes

    def referenced_texts(self, references: Iterable[Reference]) -> Steps[tuple[str, ...]]:
        """The texts of the schemas referred to, and of those they refer to, each before its users.

        A reference met twice (a diamond) counts once, by its name, as in Confluent's registry.
        """
        texts: dict[str, str] = {}

        def collect(some: Iterable[Reference], above: tuple[str, ...]) -> Steps[None]:
            for reference in some:
                if reference.name in texts or reference.name in above:
                    continue
                found = yield from self._reference(reference)
                # A bare subject is one in the context of the schema that refers to it.
                needed = in_context_of(reference.subject, found.references)
                yield from collect(needed, (*above, reference.name))
                texts[reference.name] = found.text

        yield from collect(references, ())
        return tuple(texts.values())

    def after_fork(self) -> None:
        """Go on in a child process."""
        for cache in (self._schemas, self._missing, self._registered, self._versions, self._referenced):
            cache.after_fork()
        self._latest.after_fork()

    def forget(self) -> None:
        """Ask for everything anew."""
        for cache in (self._schemas, self._missing, self._registered, self._versions, self._referenced):
            cache.discard(lambda _: True)
        self._latest.after_fork()

    def forget_latest(self) -> None:
        """Go on where nobody renews the latest versions any more."""
        self._latest.after_fork()

    def _ask(
        self,
        read: Callable[[Any], T],
        method: str,
        *path: str | int,
        query: Mapping[str, str | int | bool] | list[tuple[str, str]] | None = None,
        body: Mapping[str, Any] | None = None,
        in_context: bool = True,
    ) -> Steps[T]:
        request = Request(method, path, query=query or {}, body=body, in_context=in_context)
        return self._read(read, (yield from self._exchange.ask(request)))

    def _read(self, read: Callable[[Any], T], answer: Any) -> T:
        try:
            return read(answer)
        except Malformed as fault:
            raise self._exchange.unexpected(str(fault)) from None

    def _kept(
        self, cache: Cache[tuple[Hashable, ...], V], key: tuple[Hashable, ...], load: Callable[[], Steps[V]]
    ) -> Steps[V]:
        """What the cache has, or what `load()` gives, for however many ask."""

        def fill() -> Steps[V]:
            value = cache.get(key)  # another asked just now
            if value is None:
                value = yield from load()
                cache.put(key, value)
            return value

        found = cache.get(key)
        return found if found is not None else (yield from once(key, fill))

    def _schema(self, key: tuple[str, int | str, str | None], schema_id: int | None) -> Steps[Schema]:
        """What the key asks for: ``id`` or ``guid``, which one, and a subject that has it or None."""

        def fill() -> Steps[Schema]:
            known = self._known_schema(key)
            if known is not None:
                return known  # another asked just now
            kind, which, subject = key
            query = {} if subject is None else {"subject": subject}
            try:
                answer = yield from self._exchange.ask(
                    Request("GET", ("schemas", f"{kind}s", which), query=query)
                )
            except NotFound as error:
                missing = _missing_schema(error, schema_id)
                if missing is None:
                    raise
                self._missing.put(key, missing)
                raise missing from error.__cause__
            found = self._read(lambda it: answers.schema(it, schema_id), answer)
            self._schemas.put(key, found)
            return found

        found = self._known_schema(key)
        return found if found is not None else (yield from once(key, fill))

    def _known_schema(self, key: Hashable) -> Schema | None:
        """The schema, if it is kept. Raises SchemaNotFound if it was missing just now."""
        found = self._schemas.get(key)
        missing = self._missing.get(key) if found is None else None
        if missing is None:
            return found
        # Another one: an error that is raised again and again collects the frames of all.
        raise SchemaNotFound(
            missing.status, missing.error_code, missing.message, missing.url, schema_id=missing.schema_id
        )

    def _look_up(
        self, subject: str, body: Mapping[str, Any], *, normalize: bool, deleted: bool
    ) -> Steps[RegisteredSchema]:
        query = flags(normalize=normalize, deleted=deleted)
        path = ("subjects", subject)
        return (yield from self._ask(answers.registered_schema, "POST", *path, query=query, body=body))

    def _reference(self, reference: Reference) -> Steps[RegisteredSchema]:
        # A deleted version goes on to be what others refer to.
        path = ("subjects", reference.subject, "versions", reference.version)
        key = ("reference", reference.subject, reference.version)
        return (
            yield from self._kept(
                self._referenced,
                key,
                lambda: self._ask(answers.registered_schema, "GET", *path, query={"deleted": True}),
            )
        )

    def _remember(self, found: RegisteredSchema) -> None:
        # In another context the id is another schema's.
        if (context_of(found.subject) or self.context) == self.context:
            self._schemas.put(("id", found.id, None), answers.as_schema(found))

    def _forget(self, subject: str, *, permanent: bool = False) -> None:
        if permanent:
            self._schemas.discard(lambda _: True)  # which of them were the subject's is not known
        for cache in (self._registered, self._versions, self._referenced):
            cache.discard(lambda key: key[1] == subject)
        self._latest.forget(subject)


def _missing_schema(error: NotFound, schema_id: int | None) -> SchemaNotFound | None:
    """The error for a schema that is not there; None where the answer is about something else."""
    if not isinstance(error, SchemaNotFound):
        if schema_id is None or 0 <= schema_id <= _LAST_ID:
            return None
        error = SchemaNotFound(error.status, error.error_code, error.message, error.url)
    error.schema_id = schema_id
    return error


def in_context_of(subject: str, references: Iterable[Reference]) -> list[Reference]:
    """The references of a schema of the subject, with the context that theirs are in."""
    context = context_of(subject)
    return [replace(each, subject=in_context(each.subject, context)) for each in references]


def flags(**flags: bool) -> dict[str, str | int | bool]:
    """The query flags that are set; false is what the registry takes anyway."""
    return {name: True for name, value in flags.items() if value}
