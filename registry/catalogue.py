"""What can be read of the registry's subjects, versions and ids (reference, sections 1.3 to 1.5)."""

import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from registry.errors import (
    InvalidSchemaError,
    SchemaNotFoundError,
    SubjectNotFoundError,
    VersionNotFoundError,
)
from registry.languages.language import ReferencedSchema, SchemaEntity, SchemaFault
from registry.model import DEFAULT_CONTEXT, QualifiedSubject, SchemaContent, context_of
from registry.replica import Replica
from registry.schemas import Schemas, resolve
from registry.state import SchemaVersion, State


class Catalogue:
    """The reading half of `registry.registry.Registry`, which says how a subject and a version are given.

    A subject whose config has an alias stands for another one (reference, 2.6).
    """

    def __init__(self, replica: Replica, schemas: Schemas) -> None:
        self._replica = replica
        self._schemas = schemas

    @property
    def replica(self) -> Replica:
        """The log's fold, for those who watch it or look into it without asking the log."""
        return self._replica

    # Versions

    def version(self, subject: str, number: int, *, deleted: bool = False) -> SchemaVersion:
        """One version of a subject; where the default context has none, of its namesake in another context.

        Raises SubjectNotFoundError, VersionNotFoundError.
        """
        with self._replica.synced() as state:
            name = state.target(subject)
            for candidate in (name, *state.namesakes(name)):
                found = state.version(candidate, number, deleted=deleted)
                if found is not None:
                    return found
            visible(state, name, deleted=deleted)
        raise VersionNotFoundError(number)

    def versions(self, subject: str, *, live: bool = True, deleted: bool = False) -> list[SchemaVersion]:
        """The versions of a subject, ascending: live ones, soft-deleted ones, or both.

        Raises SubjectNotFoundError if there is none to show.
        """
        with self._replica.synced() as state:
            name = state.target(subject)
            versions = state.versions(name, deleted=True)
        shown = [version for version in versions if (deleted if version.deleted else live)]
        if not shown:
            raise SubjectNotFoundError(name)
        return shown

    def with_properties(
        self, subject: str, properties: Mapping[str, str], *, deleted: bool = False
    ) -> SchemaVersion:
        """The newest version of a subject whose metadata have all these properties.

        Raises SubjectNotFoundError, SchemaNotFoundError.
        """
        with self._replica.synced() as state:
            name = state.target(subject)
            visible(state, name, deleted=deleted)
            versions = state.versions(name, deleted=deleted)
        for version in reversed(versions):
            metadata = version.content.metadata
            if properties.items() <= ({} if metadata is None else dict(metadata.properties)).items():
                return version
        raise SchemaNotFoundError

    def referrers(self, subject: str, number: int, *, deleted: bool = False) -> list[int]:
        """The ids of the schemas that refer to a version, live or soft-deleted, themselves; ascending.

        deleted: also of those of which only soft-deleted versions do.

        Raises SubjectNotFoundError, VersionNotFoundError.
        """
        with self._replica.synced() as state:
            name = state.target(subject)
            visible(state, name, deleted=True)
            target = state.version(name, number) or state.version(name, number, deleted=True)
            if target is None:
                raise VersionNotFoundError(number)
            return sorted({version.id for version in state.referrers(target.key, deleted=deleted)})

    def schemas(
        self, prefix: str = "", *, deleted: bool = False, latest: bool = False, rule_type: str | None = None
    ) -> list[SchemaVersion]:
        """The versions of many subjects, by subject and number.

        prefix: of the subjects, as `subjects` takes it.
        deleted: soft-deleted ones too. latest: only the newest of each subject.
        rule_type: only those with a rule of this type.
        """
        found = []
        with self._replica.synced() as state:
            for subject in sorted(_subjects(state, prefix)):
                versions = state.versions(subject, deleted=deleted)
                found += versions[-1:] if latest else versions
        return found if rule_type is None else [v for v in found if _has_rule(v.content, rule_type)]

    # Ids

    def by_id(self, number: int, subject: str | None = None) -> SchemaVersion:
        """A version that has the schema id; one that is soft-deleted if none is live.

        subject: take the id as one of this subject's context, and if the
        subject has it, answer with its version. Without a context, and where
        the default one has no such id, as one of any context in which a
        subject of that name has it.

        Raises SchemaNotFoundError.
        """
        with self._replica.lasting() as state:
            name = state.target(subject or "")
            holders = _holders(state, number, name)
            if not holders:
                raise SchemaNotFoundError(number)
        wanted = QualifiedSubject.parse(name).name
        return next(
            (version for version in holders if QualifiedSubject.parse(version.subject).name == wanted),
            holders[0],
        )

    def versions_with_id(
        self, number: int, subject: str | None = None, *, deleted: bool = False
    ) -> list[SchemaVersion]:
        """The versions that have the schema id, by subject and number; soft-deleted ones with `deleted`.

        subject: as in `by_id`.

        Raises SchemaNotFoundError if there is none, not even a soft-deleted one.
        """
        with self._replica.synced() as state:
            holders = _holders(state, number, state.target(subject or ""))
        if not holders:
            raise SchemaNotFoundError
        return sorted((v for v in holders if deleted or not v.deleted), key=lambda v: v.key)

    def by_guid(self, guid: str) -> SchemaVersion:
        """A version with this content: live if one is, and then of the default context if one is.

        Raises SchemaNotFoundError.
        """
        with self._replica.lasting() as state:
            found = _with_guid(state, guid)
        return min(found, key=lambda v: (v.deleted, context_of(v.subject), v.key))

    def ids_of_guid(self, guid: str) -> list[tuple[str, int]]:
        """The contexts and the ids that the content has there, sorted.

        Raises SchemaNotFoundError.
        """
        with self._replica.synced() as state:
            found = _with_guid(state, guid)
        return sorted({(context_of(version.subject), version.id) for version in found})

    def max_id(self, subject: str | None = None) -> int:
        """The highest id that was given out in the context of `subject`; 0 if none was."""
        with self._replica.synced() as state:
            return state.next_id(context_of(subject or "")) - 1

    # What is in a text

    def resolved_text(self, version: SchemaVersion) -> str:
        """The text of a version with all that it refers to put in.

        Raises InvalidSchemaError where something of that is not there any more.
        """
        content = version.content
        with self._reading(version) as references:
            return self._schemas.resolved(content.schema_type, content.text, references)

    def tags(self, version: SchemaVersion) -> dict[SchemaEntity, tuple[str, ...]]:
        """The tags within the text of a version, by what they are of.

        Raises InvalidSchemaError where something that it refers to is not there any more.
        """
        content = version.content
        with self._reading(version) as references:
            parsed = self._schemas.parse(content.schema_type, content.text, references)
            return parsed.language.tags(parsed.schema)

    @contextmanager
    def _reading(self, version: SchemaVersion) -> Iterator[tuple[ReferencedSchema, ...]]:
        """What the text of `version` needs; an InvalidSchemaError for what is wrong with either."""
        try:
            with self._replica.synced() as state:
                references = resolve(version.content.references, version.subject, state)
            yield references
        except SchemaFault as fault:
            raise InvalidSchemaError(
                f"Version {version.version} of {version.subject} cannot be read: {fault}"
            ) from fault

    # Contexts and subjects

    def target(self, subject: str) -> str:
        """The subject that is meant: the one itself, in its one spelling, or what it is an alias of."""
        with self._replica.lasting() as state:
            return state.target(subject)

    def aliases(self) -> dict[str, list[str]]:
        """For each subject that has some, its aliases, sorted."""
        with self._replica.synced() as state:
            return state.aliases()

    def contexts(self, prefix: str = "") -> list[str]:
        """The contexts whose names (``.ctx``) begin with `prefix`, sorted; the default one is ``.``."""
        with self._replica.synced() as state:
            return [context for context in state.contexts() if context.startswith(prefix)]

    def subjects(self, prefix: str = ":*:", *, live: bool = True, deleted: bool = False) -> list[str]:
        """The names of the subjects, sorted.

        prefix: what names begin with, in the default context; ``:.ctx:`` before
        it for another context, ``:*:`` for all.
        live: those with a live version. deleted: those without one.
        """
        with self._replica.synced() as state:
            found = _subjects(state, prefix)
            return sorted(name for name in found if (live if state.versions(name) else deleted))


def visible(state: State, subject: str, *, deleted: bool) -> None:
    """Raises SubjectNotFoundError unless the subject has a live version, or with `deleted` any."""
    if not state.versions(subject, deleted=deleted):
        raise SubjectNotFoundError(subject)


def _subjects(state: State, prefix: str) -> list[str]:
    every_context = prefix.startswith(":*:")
    wanted = (
        QualifiedSubject(DEFAULT_CONTEXT, prefix[3:]) if every_context else QualifiedSubject.parse(prefix)
    )
    found = []
    for name, _, _ in state.subjects():
        subject = QualifiedSubject.parse(name)
        if subject.name.startswith(wanted.name) and (every_context or subject.context == wanted.context):
            found.append(name)
    return found


def _holders(state: State, number: int, subject: str) -> list[SchemaVersion]:
    """The versions that have an id in the subject's context, or in one where a namesake of it has the id."""
    found = state.holders(context_of(subject), number)
    for other in state.namesakes(subject):
        if not found and state.holding(other, number, deleted=True) is not None:
            found = state.holders(context_of(other), number)
    return found


def _with_guid(state: State, guid: str) -> list[SchemaVersion]:
    try:
        digest = uuid.UUID(guid)
    except ValueError:
        raise SchemaNotFoundError(guid) from None
    found = [
        version
        for context in state.contexts()
        for number in state.ids_of(context, digest.bytes)
        for version in state.holders(context, number)
    ]
    if str(digest) != guid.lower() or not found:
        raise SchemaNotFoundError(guid)
    return found


def _has_rule(content: SchemaContent, rule_type: str) -> bool:
    phases = {} if content.rule_set is None else content.rule_set.phases
    return any(rule.parts.get("type") == rule_type for rules in phases.values() for rule in rules)
