"""The client of a Confluent-compatible schema registry."""

from collections.abc import Iterable, Mapping, Sequence
from types import TracebackType
from typing import Any, Final, Self, TypeVar

import httpx2

from serde.cache import SingleFlightCache
from serde.errors import NotFound, SchemaNotFound
from serde.model import Compatibility, Config, Reference, RegisteredSchema, Schema
from serde.rest import Rest

DEFAULT_TIMEOUT: Final = 5.0
DEFAULT_RETRIES: Final = 2
DEFAULT_CAPACITY: Final = 10_000
_SCHEMA_NOT_FOUND: Final = 40403

T = TypeVar("T")


class RegistryClient:
    """Registers schemas and finds them.

        with RegistryClient("http://localhost:8081") as client:
            registered = client.register("orders-value", '{"type": "record", ...}')

    url: one URL, several with commas between, or a sequence. The one that answered last is asked first;
    ``http://user:password@host`` is Basic authentication for that host.
    timeout: seconds to wait for a connection, and for each part of the answer.
    retries: how often all URLs are asked again after a transport error or a 429, 502, 503 or 504, with
    a random pause before that; deletes are repeated only if they were never sent.
    headers: sent with every request. auth: user and password. cache_capacity: entries in each cache.
    transport: an httpx2 transport in place of the network: ``httpx2.WSGITransport(app)`` in tests.

    What cannot change is asked once: a schema by its id, what a text was registered as under a subject.
    One client serves any number of threads; of several that miss the same thing, one asks. Close it, or
    use it in a `with` statement.

    Every call raises RegistryError (the registry said no; see its subclasses) or RegistryUnreachable.
    """

    def __init__(
        self,
        url: str | Sequence[str],
        *,
        timeout: float = DEFAULT_TIMEOUT,
        retries: int = DEFAULT_RETRIES,
        headers: Mapping[str, str] | None = None,
        auth: tuple[str, str] | None = None,
        cache_capacity: int = DEFAULT_CAPACITY,
        transport: httpx2.BaseTransport | None = None,
    ) -> None:
        self._rest = Rest(
            url, timeout=timeout, retries=retries, headers=headers, auth=auth, transport=transport
        )
        self._by_id: SingleFlightCache[int, Schema] = SingleFlightCache(cache_capacity)
        self._registered: SingleFlightCache[tuple[Any, ...], RegisteredSchema] = SingleFlightCache(
            cache_capacity
        )
        self._referenced: SingleFlightCache[tuple[str, int], RegisteredSchema] = SingleFlightCache(
            cache_capacity
        )

    @property
    def urls(self) -> tuple[str, ...]:
        """Where the registry is, without users and passwords."""
        return self._rest.urls

    def register(
        self,
        subject: str,
        text: str,
        *,
        references: Iterable[Reference] = (),
        schema_type: str = "AVRO",
        normalize: bool = False,
    ) -> RegisteredSchema:
        """Make a schema the subject's next version, or find the version it already is.

        normalize: let the registry bring the text into a normal form first.

        Raises Incompatible if it breaks the subject's level, Refused if it is no schema.
        """
        refs = tuple(references)

        def ask() -> RegisteredSchema:
            body = _body(text, refs, schema_type)
            answer = self._rest.request(
                "POST", "subjects", subject, "versions", query=_flags(normalize=normalize), body=body
            )
            if isinstance(answer, dict) and {"id", "version", "schema"} <= answer.keys():
                found = self._registered_schema({"subject": subject, **answer})
            else:
                # Registries before 2024 answer with the id alone.
                found = self._look_up(subject, body, normalize=normalize, deleted=False)
            self._remember(found)
            return found

        return self._registered.get(("register", subject, text, refs, schema_type, normalize), ask)

    def look_up(
        self,
        subject: str,
        text: str,
        *,
        references: Iterable[Reference] = (),
        schema_type: str = "AVRO",
        normalize: bool = False,
    ) -> RegisteredSchema:
        """Find which version of the subject a schema is.

        Raises NotFound if there is no such subject, SchemaNotFound if it has no such schema.
        """
        refs = tuple(references)

        def ask() -> RegisteredSchema:
            found = self._look_up(subject, _body(text, refs, schema_type), normalize=normalize, deleted=False)
            self._remember(found)
            return found

        return self._registered.get(("look up", subject, text, refs, schema_type, normalize), ask)

    def schema_by_id(self, schema_id: int) -> Schema:
        """The schema with an id. Raises SchemaNotFound."""
        return self._by_id.get(schema_id, lambda: self._schema_by_id(schema_id))

    def schema(
        self, subject: str, version: int | str = "latest", *, deleted: bool = False
    ) -> RegisteredSchema:
        """A version of a subject: a number from 1, or ``"latest"``.

        deleted: find it also if it was deleted (but not permanently).

        Raises NotFound.
        """
        query = _flags(deleted=deleted)
        return self._registered_schema(
            self._rest.request("GET", "subjects", subject, "versions", version, query=query)
        )

    def latest(self, subject: str) -> RegisteredSchema:
        """The newest version of a subject. Raises NotFound."""
        return self.schema(subject, "latest")

    def subjects(self, *, prefix: str | None = None, deleted: bool = False) -> list[str]:
        """The subjects' names, sorted; those that start with `prefix`. deleted: also the deleted ones."""
        query: dict[str, str | int | bool] = dict(_flags(deleted=deleted))
        if prefix is not None:
            query["subjectPrefix"] = prefix
        return self._list(self._rest.request("GET", "subjects", query=query), str)

    def versions(self, subject: str, *, deleted: bool = False) -> list[int]:
        """The numbers of a subject's versions, ascending. Raises NotFound."""
        query = _flags(deleted=deleted)
        return self._list(self._rest.request("GET", "subjects", subject, "versions", query=query), int)

    def schema_types(self) -> list[str]:
        """The schema languages that the registry knows: ``AVRO``, ..."""
        return self._list(self._rest.request("GET", "schemas", "types"), str)

    def check_compatibility(
        self,
        subject: str,
        text: str,
        *,
        version: int | str | None = None,
        references: Iterable[Reference] = (),
        schema_type: str = "AVRO",
        normalize: bool = False,
    ) -> Compatibility:
        """Whether a schema could be registered, and if not why; nothing is registered.

        version: compare with this version alone; None compares with those that the level asks for.

        Raises NotFound if `version` is given and is not there.
        """
        path: tuple[str | int, ...] = ("compatibility", "subjects", subject, "versions")
        answer = self._rest.request(
            "POST",
            *path,
            *(() if version is None else (version,)),
            query={"verbose": True, **_flags(normalize=normalize)},
            body=_body(text, tuple(references), schema_type),
        )
        messages = self._list(self._optional(answer, "messages", list) or [], str)
        return Compatibility(self._field(answer, "is_compatible", bool), tuple(messages))

    def delete_subject(self, subject: str, *, permanent: bool = False) -> list[int]:
        """Delete all versions of a subject; returns their numbers.

        permanent: for good. The subject must have been deleted without it first.

        Raises NotFound, or Refused if another schema refers to one of them.
        """
        answer = self._rest.request("DELETE", "subjects", subject, query=_flags(permanent=permanent))
        self._forget(subject)
        return self._list(answer, int)

    def delete_version(self, subject: str, version: int | str, *, permanent: bool = False) -> int:
        """Delete one version; returns its number. Otherwise as `delete_subject`."""
        query = _flags(permanent=permanent)
        answer = self._rest.request("DELETE", "subjects", subject, "versions", version, query=query)
        self._forget(subject)
        if type(answer) is not int:
            raise self._rest.unexpected(f"a version is expected, not {answer!r}")
        return answer

    def config(self, subject: str | None = None, *, default_to_global: bool = False) -> Config:
        """The settings of a subject, or with None those for all.

        default_to_global: what holds for the subject, also where it has no setting of its own.

        Raises NotFound if the subject has none.
        """
        query = _flags(defaultToGlobal=default_to_global)
        return self._config(self._rest.request("GET", *_config_path(subject), query=query))

    def set_config(self, compatibility: str, subject: str | None = None) -> Config:
        """Set the compatibility level of a subject, or of all. Raises Refused for an unknown level."""
        body = {"compatibility": compatibility}
        return self._config(self._rest.request("PUT", *_config_path(subject), body=body))

    def delete_config(self, subject: str | None = None) -> Config:
        """Take back the settings; returns those that were. Raises NotFound if the subject had none."""
        return self._config(self._rest.request("DELETE", *_config_path(subject)))

    def referenced_texts(self, references: Iterable[Reference]) -> tuple[str, ...]:
        """The texts of the schemas referred to, and of those they refer to, each before its users.

        A reference met twice (a diamond) counts once, by its name, as in Confluent's registry.
        """
        texts: dict[str, str] = {}

        def collect(some: Iterable[Reference], above: tuple[str, ...]) -> None:
            for reference in some:
                if reference.name in texts or reference.name in above:
                    continue
                found = self._reference(reference)
                collect(found.references, (*above, reference.name))
                texts[reference.name] = found.text

        collect(references, ())
        return tuple(texts.values())

    def close(self) -> None:
        """Close the connections; calls after this raise RuntimeError."""
        self._rest.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _look_up(
        self, subject: str, body: Mapping[str, Any], *, normalize: bool, deleted: bool
    ) -> RegisteredSchema:
        query = _flags(normalize=normalize, deleted=deleted)
        try:
            answer = self._rest.request("POST", "subjects", subject, query=query, body=body)
        except NotFound as error:
            if error.error_code != _SCHEMA_NOT_FOUND:
                raise
            raise SchemaNotFound(error.status, error.error_code, error.message, error.url) from None
        return self._registered_schema(answer)

    def _schema_by_id(self, schema_id: int) -> Schema:
        try:
            answer = self._rest.request("GET", "schemas", "ids", schema_id)
        except NotFound as error:
            if error.error_code != _SCHEMA_NOT_FOUND:
                raise
            raise SchemaNotFound(
                error.status, error.error_code, error.message, error.url, schema_id=schema_id
            ) from None
        return Schema(
            schema_id,
            self._field(answer, "schema", str),
            self._references(answer),
            self._optional(answer, "schemaType", str) or "AVRO",
            self._optional(answer, "guid", str),
        )

    def _reference(self, reference: Reference) -> RegisteredSchema:
        # A deleted version goes on to be what others refer to.
        return self._referenced.get(
            (reference.subject, reference.version),
            lambda: self.schema(reference.subject, reference.version, deleted=True),
        )

    def _remember(self, found: RegisteredSchema) -> None:
        self._by_id.put(
            found.id, Schema(found.id, found.text, found.references, found.schema_type, found.guid)
        )

    def _forget(self, subject: str) -> None:
        self._registered.discard(lambda key: key[1] == subject)
        self._referenced.discard(lambda key: key[0] == subject)

    def _registered_schema(self, answer: Any) -> RegisteredSchema:
        return RegisteredSchema(
            self._field(answer, "subject", str),
            self._field(answer, "version", int),
            self._field(answer, "id", int),
            self._field(answer, "schema", str),
            self._references(answer),
            self._optional(answer, "schemaType", str) or "AVRO",
            self._optional(answer, "guid", str),
        )

    def _references(self, answer: Any) -> tuple[Reference, ...]:
        return tuple(
            Reference(
                self._field(item, "name", str),
                self._field(item, "subject", str),
                self._field(item, "version", int),
            )
            for item in self._optional(answer, "references", list) or ()
        )

    def _config(self, answer: Any) -> Config:
        # The registry answers a GET with one name and a PUT with the other.
        read = self._optional(answer, "compatibilityLevel", str)
        return Config(read or self._optional(answer, "compatibility", str), dict(answer))

    def _field(self, answer: Any, name: str, kind: type[T]) -> T:
        """A member that every registry's answer has."""
        value = self._optional(answer, name, kind)
        if value is None:
            raise self._rest.unexpected(f'"{name}" is missing in {str(answer)[:200]!r}')
        return value

    def _optional(self, answer: Any, name: str, kind: type[T]) -> T | None:
        """A member that older registries leave out."""
        if not isinstance(answer, dict):
            raise self._rest.unexpected(f"an object is expected, not {str(answer)[:200]!r}")
        value = answer.get(name)
        if value is not None and type(value) is not kind:
            raise self._rest.unexpected(f'"{name}" should be {kind.__name__} in {str(answer)[:200]!r}')
        return value

    def _list(self, answer: Any, kind: type[T]) -> list[T]:
        if not isinstance(answer, list) or not all(isinstance(item, kind) for item in answer):
            raise self._rest.unexpected(f"a list of {kind.__name__} is expected, not {str(answer)[:200]!r}")
        return answer


def _body(text: str, references: tuple[Reference, ...], schema_type: str) -> dict[str, Any]:
    """What registering, looking up and checking send. AVRO is left out: old registries know nothing else."""
    body: dict[str, Any] = {"schema": text}
    if schema_type != "AVRO":
        body["schemaType"] = schema_type
    if references:
        body["references"] = [
            {"name": r.name, "subject": r.subject, "version": r.version} for r in references
        ]
    return body


def _flags(**flags: bool) -> dict[str, bool]:
    """The query flags that are set; false is what the registry takes anyway."""
    return {name: True for name, value in flags.items() if value}


def _config_path(subject: str | None) -> tuple[str, ...]:
    return ("config",) if subject is None else ("config", subject)
