"""`SchemaRegistryClient` with the calls of `confluent_kafka`'s, on `serde.RegistryClient`."""

from collections.abc import Mapping
from types import TracebackType
from typing import Any, Literal, Self, TypeVar

from serde import answers, model
from serde.answers import Malformed
from serde.calls import Calls
from serde.client import RegistryClient
from serde.confluent.error import theirs
from serde.confluent.model import (
    RegisteredSchema,
    Schema,
    SchemaVersion,
    ServerConfig,
    references_of,
)
from serde.confluent.settings import client_options
from serde.errors import SerdeError
from serde.steps import Steps

T = TypeVar("T")


class SchemaRegistryClient:
    """A client of a schema registry.

        client = SchemaRegistryClient({"url": "http://localhost:8081"})

    conf: `confluent_kafka`'s keys. Where they are left out, ``timeout`` is 5 s and ``cache.latest.ttl.sec``
    60. ``retries.wait.ms`` and ``retries.max.wait.ms`` are taken and change nothing.
    client: the `serde.RegistryClient` that asks, for what there is no key for.

    Its caches are bounded, one request is made for what several threads miss, and calls end in time: see
    `serde.RegistryClient`. Every call raises SchemaRegistryError, RegistryUnreachable or TokenError.

    Raises ValueError for a key that there is not, and for values that cannot be.
    """

    def __init__(self, conf: Mapping[str, Any]) -> None:
        self.client = RegistryClient(**client_options(conf))
        self._conf = dict(conf)

    @classmethod
    def new_client(cls, conf: Mapping[str, Any]) -> Self:
        """The same as the class."""
        return cls(conf)

    def config(self) -> dict[str, Any]:
        """The keys that were given."""
        return dict(self._conf)

    def close(self) -> None:
        """Close the connections."""
        self.client.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    # Schemas

    def register_schema(self, subject_name: str, schema: Schema, normalize_schemas: bool = False) -> int:
        """Make a schema the subject's next version, or find which it is; returns its id."""
        found = self.register_schema_full_response(subject_name, schema, normalize_schemas)
        assert found.schema_id is not None
        return found.schema_id

    def register_schema_full_response(
        self, subject_name: str, schema: Schema, normalize_schemas: bool = False
    ) -> RegisteredSchema:
        """Make a schema the subject's next version, or find which it is."""
        return _registered(
            self._run(self._calls.register(subject_name, **_parts(schema), normalize=normalize_schemas))
        )

    def lookup_schema(
        self,
        subject_name: str,
        schema: Schema,
        normalize_schemas: bool = False,
        fmt: str | None = None,
        deleted: bool = False,
    ) -> RegisteredSchema:
        """Find which version of the subject a schema is."""
        if fmt is not None:
            query = {"normalize": normalize_schemas, "deleted": deleted, "format": fmt}
            return self._version("POST", "subjects", subject_name, query=query, body=schema.to_dict())
        steps = self._calls.look_up(
            subject_name, **_parts(schema), normalize=normalize_schemas, deleted=deleted
        )
        return _registered(self._run(steps))

    def get_schema(
        self,
        schema_id: int,
        subject_name: str | None = None,
        fmt: str | None = None,
        reference_format: str | None = None,
    ) -> Schema:
        """The schema with an id."""
        schema_id = int(schema_id)
        if fmt is None and reference_format is None:
            return _schema(self._run(self._calls.schema_by_id(schema_id, subject=subject_name)))
        query = _present(subject=subject_name, format=fmt, referenceFormat=reference_format)
        return Schema.from_dict(self._object("GET", "schemas", "ids", schema_id, query=query))

    def get_schema_by_guid(self, guid: str, fmt: str | None = None) -> Schema:
        """The schema with a guid."""
        if fmt is None:
            return _schema(self._run(self._calls.schema_by_guid(guid)))
        return Schema.from_dict(self._object("GET", "schemas", "guids", guid, query={"format": fmt}))

    def get_schema_types(self) -> list[str]:
        """The schema languages that the registry knows."""
        return self._run(self._calls.schema_types())

    def get_subjects_by_schema_id(
        self,
        schema_id: int,
        subject_name: str | None = None,
        deleted: bool = False,
        offset: int = 0,
        limit: int = -1,
    ) -> list[str]:
        """The subjects that have a schema."""
        query = {"deleted": deleted, "offset": offset, "limit": limit, **_present(subject=subject_name)}
        return self._list("schemas", "ids", schema_id, "subjects", query=query)

    def get_schema_versions(
        self,
        schema_id: int,
        subject_name: str | None = None,
        deleted: bool = False,
        offset: int = 0,
        limit: int = -1,
    ) -> list[SchemaVersion]:
        """The versions that a schema is."""
        query = {"deleted": deleted, "offset": offset, "limit": limit, **_present(subject=subject_name)}
        found: list[dict[str, Any]] = self._list("schemas", "ids", schema_id, "versions", query=query)
        return [SchemaVersion.from_dict(each) for each in found]

    # Subjects and versions

    def get_subjects(
        self,
        subject_prefix: str | None = None,
        deleted: bool = False,
        deleted_only: bool = False,
        offset: int = 0,
        limit: int = -1,
    ) -> list[str]:
        """The subjects' names."""
        query = {"deleted": deleted, "deletedOnly": deleted_only, "offset": offset, "limit": limit}
        return self._list("subjects", query={**query, **_present(subjectPrefix=subject_prefix)})

    def delete_subject(self, subject_name: str, permanent: bool = False) -> list[int]:
        """Delete all versions of a subject; permanent: for good, after it was deleted without."""
        return self._run(self._calls.delete_subject(subject_name, permanent=permanent))

    def get_latest_version(self, subject_name: str, fmt: str | None = None) -> RegisteredSchema:
        """The newest version of a subject, as it is now."""
        path = ("subjects", subject_name, "versions", "latest")
        return self._version("GET", *path, query=_present(format=fmt))

    def get_latest_with_metadata(
        self, subject_name: str, metadata: Mapping[str, str], deleted: bool = False, fmt: str | None = None
    ) -> RegisteredSchema:
        """The newest version of a subject whose metadata have all these properties, as it is now."""
        pairs = [pair for name, value in metadata.items() for pair in (("key", name), ("value", value))]
        more = {"deleted": str(deleted).lower(), **_present(format=fmt)}
        return self._version("GET", "subjects", subject_name, "metadata", query=[*pairs, *more.items()])

    def get_version(
        self,
        subject_name: str,
        version: int | Literal["latest"] = "latest",
        deleted: bool = False,
        fmt: str | None = None,
    ) -> RegisteredSchema:
        """A version of a subject, as it is now."""
        query = {"deleted": deleted, **_present(format=fmt)}
        return self._version("GET", "subjects", subject_name, "versions", version, query=query)

    def get_versions(
        self,
        subject_name: str,
        deleted: bool = False,
        deleted_only: bool = False,
        offset: int = 0,
        limit: int = -1,
    ) -> list[int]:
        """The numbers of a subject's versions."""
        query = {"deleted": deleted, "deletedOnly": deleted_only, "offset": offset, "limit": limit}
        return self._list("subjects", subject_name, "versions", query=query)

    def get_referenced_by(
        self,
        subject_name: str,
        version: int | Literal["latest"] = "latest",
        offset: int = 0,
        limit: int = -1,
    ) -> list[int]:
        """The ids of the schemas that refer to a version."""
        path = ("subjects", subject_name, "versions", version, "referencedby")
        return self._list(*path, query={"offset": offset, "limit": limit})

    def delete_version(self, subject_name: str, version: int, permanent: bool = False) -> int:
        """Delete one version; permanent: for good, after it was deleted without."""
        return self._run(self._calls.delete_version(subject_name, version, permanent=permanent))

    # Compatibility, config and mode

    def test_compatibility(
        self,
        subject_name: str,
        schema: Schema,
        version: int | str = "latest",
        normalize: bool = False,
        verbose: bool = False,
    ) -> bool:
        """Whether a schema is compatible with a version."""
        path = ("compatibility", "subjects", subject_name, "versions", version)
        return self._compatible(*path, schema=schema, normalize=normalize, verbose=verbose)

    def test_compatibility_all_versions(
        self, subject_name: str, schema: Schema, normalize: bool = False, verbose: bool = False
    ) -> bool:
        """Whether a schema is compatible with those versions that the level asks for."""
        path = ("compatibility", "subjects", subject_name, "versions")
        return self._compatible(*path, schema=schema, normalize=normalize, verbose=verbose)

    def set_compatibility(self, subject_name: str | None = None, level: str | None = None) -> dict[str, Any]:
        """Set the level of a subject, or of all; returns the registry's answer."""
        if level is None:
            raise ValueError("level must be set")
        path = ("config",) if subject_name is None else ("config", subject_name)
        return self._object("PUT", *path, body={"compatibility": level.upper()})

    def get_compatibility(self, subject_name: str | None = None) -> str:
        """The level of a subject, or of all."""
        return str(self.get_config(subject_name).compatibility_level)

    def set_config(
        self, subject_name: str | None = None, config: ServerConfig | None = None
    ) -> dict[str, Any]:
        """Set the settings of a subject, or of all; returns the registry's answer."""
        if config is None:
            raise ValueError("config must be set")
        path = ("config",) if subject_name is None else ("config", subject_name)
        return self._object("PUT", *path, body=config.to_dict())

    def get_config(self, subject_name: str | None = None) -> ServerConfig:
        """The settings of a subject, or of all."""
        path = ("config",) if subject_name is None else ("config", subject_name)
        return ServerConfig.from_dict(self._object("GET", *path))

    def delete_config(self, subject_name: str | None = None) -> ServerConfig:
        """Take back the settings of a subject, or of all."""
        path = ("config",) if subject_name is None else ("config", subject_name)
        return ServerConfig.from_dict(self._object("DELETE", *path))

    def get_mode(self, subject_name: str) -> str:
        """A subject's mode."""
        return self._run(self._calls.mode(subject_name))

    def update_mode(self, subject_name: str, mode: str, force: bool = False) -> str:
        """Set a subject's mode."""
        return self._run(self._calls.set_mode(mode, subject_name, force=force))

    def delete_mode(self, subject_name: str) -> str:
        """Take back a subject's mode."""
        return self._run(self._calls.delete_mode(subject_name))

    def get_global_mode(self) -> str:
        """The mode of all."""
        return self._run(self._calls.mode())

    def update_global_mode(self, mode: str, force: bool = False) -> str:
        """Set the mode of all."""
        return self._run(self._calls.set_mode(mode, force=force))

    def get_contexts(self, offset: int = 0, limit: int = -1) -> list[str]:
        """The names of all contexts."""
        return self._list("contexts", query={"offset": offset, "limit": limit})

    def clear_latest_caches(self) -> None:
        """Forget the newest versions of subjects."""
        self._calls.forget_latest()

    def clear_caches(self) -> None:
        """Forget everything."""
        self._calls.forget()

    @property
    def _calls(self) -> Calls:
        return self.client._calls

    def _run(self, steps: Steps[T]) -> T:
        try:
            return self.client._driver.run(steps)
        except SerdeError as error:
            other = theirs(error)
            if other is error:
                raise
            raise other from error.__cause__

    def _ask(self, kind: type[T], method: str, path: tuple[str | int, ...], query: Any, body: Any) -> T:
        def read(answer: Any) -> T:
            if not isinstance(answer, kind):
                raise Malformed(f"{kind.__name__} is expected, not {type(answer).__name__}")
            return answer

        return self._run(self._calls._ask(read, method, *path, query=query, body=body))

    def _object(self, method: str, *path: str | int, query: Any = None, body: Any = None) -> dict[str, Any]:
        return self._ask(dict, method, path, query, body)

    def _list(self, *path: str | int, query: Mapping[str, Any]) -> list[Any]:
        return self._ask(list, "GET", path, query, None)

    def _version(self, method: str, *path: str | int, query: Any, body: Any = None) -> RegisteredSchema:
        return RegisteredSchema.from_dict(self._object(method, *path, query=query, body=body))

    def _compatible(self, *path: str | int, schema: Schema, normalize: bool, verbose: bool) -> bool:
        query = {"normalize": normalize, "verbose": verbose}
        return bool(self._object("POST", *path, query=query, body=schema.to_dict()).get("is_compatible"))


def _parts(schema: Schema) -> dict[str, Any]:
    """A schema as the options of `serde`'s calls."""
    if schema.schema_str is None:
        raise TypeError("Schema string cannot be None")
    given = answers.schema({**schema.to_dict(), "references": None}, None)
    return {
        "text": given.text,
        "references": references_of(schema),
        "schema_type": given.schema_type,
        "metadata": given.metadata,
        "rule_set": given.rule_set,
    }


def _schema(found: model.Schema | model.RegisteredSchema) -> Schema:
    parts = answers.body(found.text, found.references, found.schema_type, found.metadata, found.rule_set)
    return Schema.from_dict(parts)


def _registered(found: model.RegisteredSchema) -> RegisteredSchema:
    return RegisteredSchema(found.subject, found.version, found.id, found.guid, _schema(found))


def _present(**members: str | None) -> dict[str, str | int | bool]:
    return {name: value for name, value in members.items() if value is not None}
