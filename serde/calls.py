"""What can be asked of a registry: the calls of RegistryClient and AsyncRegistryClient, and their text.

In steps: see `serde.steps`. What serializers ask is in `serde.finding`.
"""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from serde import answers
from serde.finding import Finding, flags
from serde.model import Compatibility, Config, Metadata, Reference, RegisteredSchema
from serde.steps import Steps

_PAGE: Final = 1000


class Calls(Finding):
    """The calls of a client."""

    # Listing

    def subjects(self, *, prefix: str | None = None, deleted: bool = False) -> Steps[list[str]]:
        """The subjects' names, sorted; those that start with `prefix`. deleted: also the deleted ones."""
        query = {**flags(deleted=deleted), **_prefix(prefix)}
        return (yield from self._ask(answers.strings, "GET", "subjects", query=query))

    def versions(self, subject: str, *, deleted: bool = False) -> Steps[list[int]]:
        """The numbers of a subject's versions, ascending. Raises SubjectNotFound."""
        query = flags(deleted=deleted)
        return (yield from self._ask(answers.numbers, "GET", "subjects", subject, "versions", query=query))

    def schemas(
        self, *, prefix: str | None = None, latest_only: bool = False, deleted: bool = False
    ) -> Steps[list[RegisteredSchema]]:
        """All versions of all subjects, by subject and number; of the subjects that start with `prefix`."""
        query = {**flags(deleted=deleted, latestOnly=latest_only), **_prefix(prefix), "limit": _PAGE}
        found: dict[tuple[str, int], RegisteredSchema] = {}
        while True:
            paged = {**query, "offset": len(found)}
            page = yield from self._ask(answers.registered_schemas, "GET", "schemas", query=paged)
            before = len(found)
            found |= {(item.subject, item.version): item for item in page}
            # A registry that knows no pages gives the same again.
            if len(page) < _PAGE or len(found) == before:
                return list(found.values())

    def referenced_by(self, subject: str, version: int | str) -> Steps[list[int]]:
        """The ids of the schemas that refer to a version. Raises SubjectNotFound, VersionNotFound."""
        path = ("subjects", subject, "versions", version, "referencedby")
        return (yield from self._ask(answers.numbers, "GET", *path))

    def contexts(self) -> Steps[list[str]]:
        """The names of all contexts; ``.`` is the default one."""
        return (yield from self._ask(answers.strings, "GET", "contexts", in_context=False))

    def schema_types(self) -> Steps[list[str]]:
        """The schema languages that the registry knows: ``AVRO``, ..."""
        return (yield from self._ask(answers.strings, "GET", "schemas", "types", in_context=False))

    # Checking and deleting

    def check_compatibility(
        self,
        subject: str,
        text: str,
        *,
        version: int | str | None = None,
        references: Iterable[Reference] = (),
        schema_type: str = "AVRO",
        normalize: bool = False,
        metadata: Metadata | None = None,
    ) -> Steps[Compatibility]:
        """Whether a schema could be registered, and if not why; nothing is registered.

        version: compare with this version alone; None compares with those that the level asks for.

        Raises NotFound if `version` is given and is not there.
        """
        path: tuple[str | int, ...] = ("compatibility", "subjects", subject, "versions")
        return (
            yield from self._ask(
                answers.compatibility,
                "POST",
                *path,
                *(() if version is None else (version,)),
                query={"verbose": True, **flags(normalize=normalize)},
                body=answers.body(text, references, schema_type, metadata),
            )
        )

    def delete_subject(self, subject: str, *, permanent: bool = False) -> Steps[list[int]]:
        """Delete all versions of a subject; returns their numbers.

        permanent: for good. The subject must have been deleted without it first.

        Raises SubjectNotFound, NotFound if it is deleted already, Refused if another schema refers to it.
        """
        query = flags(permanent=permanent)
        deleted = yield from self._ask(answers.numbers, "DELETE", "subjects", subject, query=query)
        self._forget(subject, permanent=permanent)
        return deleted

    def delete_version(self, subject: str, version: int | str, *, permanent: bool = False) -> Steps[int]:
        """Delete one version; returns its number. Otherwise as `delete_subject`."""
        path, query = ("subjects", subject, "versions", version), flags(permanent=permanent)
        deleted = yield from self._ask(answers.number, "DELETE", *path, query=query)
        self._forget(subject, permanent=permanent)
        return deleted

    def delete_context(self, context: str) -> Steps[None]:
        """Delete a context, which must have no subject, not even a deleted one. Raises Refused otherwise."""
        yield from self._ask(answers.nothing, "DELETE", "contexts", context, in_context=False)

    # Config and mode

    def config(self, subject: str | None = None, *, default_to_global: bool = False) -> Steps[Config]:
        """The settings of a subject, of a context (``":.ctx:"``), or with None those for all.

        default_to_global: what holds for the subject, also where it has no setting of its own.

        Raises NotFound if the subject has none.
        """
        query = flags(defaultToGlobal=default_to_global)
        return (yield from self._ask(answers.config, "GET", *_scope("config", subject), query=query))

    def set_config(
        self,
        compatibility: str | None = None,
        subject: str | None = None,
        *,
        properties: Mapping[str, Any] | None = None,
    ) -> Steps[Config]:
        """Set the compatibility level of a subject, of a context, or of all; returns what was set.

        compatibility: None leaves it. properties: other settings by the registry's names, such as
        ``{"alias": "orders", "normalize": True}``; one set to None is taken back.

        Raises Refused for an unknown level.
        """
        level = {} if compatibility is None else {"compatibility": compatibility}
        body = {**(properties or {}), **level}
        return (yield from self._ask(answers.config, "PUT", *_scope("config", subject), body=body))

    def delete_config(self, subject: str | None = None) -> Steps[Config]:
        """Take back the settings; returns those that were. Raises NotFound if the subject had none."""
        return (yield from self._ask(answers.config, "DELETE", *_scope("config", subject)))

    def mode(self, subject: str | None = None, *, default_to_global: bool = False) -> Steps[str]:
        """What may be done with a subject, a context, or with None all: ``READWRITE``, ``READONLY``, ...

        default_to_global: what holds for the subject, also where it has no mode of its own.

        Raises NotFound if the subject has none.
        """
        query = flags(defaultToGlobal=default_to_global)
        return (yield from self._ask(answers.mode, "GET", *_scope("mode", subject), query=query))

    def set_mode(self, mode: str, subject: str | None = None, *, force: bool = False) -> Steps[str]:
        """Set the mode of a subject, of a context, or of all; returns it.

        force: also to ``IMPORT`` where there are schemas already.

        Raises Refused for an unknown mode, and for ``IMPORT`` over what is there.
        """
        path, query = _scope("mode", subject), flags(force=force)
        return (yield from self._ask(answers.mode, "PUT", *path, query=query, body={"mode": mode}))

    def delete_mode(self, subject: str | None = None, *, recursive: bool = False) -> Steps[str]:
        """Take back a mode; returns the one that was. Raises NotFound if the subject had none.

        recursive: also those of all subjects in the context.
        """
        query = flags(recursive=recursive)
        return (yield from self._ask(answers.mode, "DELETE", *_scope("mode", subject), query=query))


def _prefix(prefix: str | None) -> dict[str, str | int | bool]:
    return {} if prefix is None else {"subjectPrefix": prefix}


def _scope(kind: str, subject: str | None) -> tuple[str, ...]:
    return (kind,) if subject is None else (kind, subject)
