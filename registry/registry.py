"""The registry: what can be asked of it.

Its state is the fold of a log. A read looks at the log's head first and folds
what is new, so it never answers from the past. A write syncs, decides at that
position, and appends at the next one; when another process was faster it syncs
and decides again (`registry.replica`). The registry itself stores nothing. What is
only read is in `registry.catalogue`.
"""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import partial
from typing import Any

from registry import deletion, modes
from registry.candidate import NewSchema, Retag
from registry.catalogue import Catalogue, visible
from registry.contract import Metadata
from registry.errors import (
    InvalidSchemaError,
    NoSubjectConfigError,
    NoSubjectModeError,
    OperationNotPermittedError,
    RegistryError,
    SchemaNotFoundError,
    SchemaTooLargeError,
    SubjectNotFoundError,
    VersionNotFoundError,
)
from registry.languages.avro import AVRO
from registry.languages.language import Language
from registry.model import (
    GLOBAL_SCOPE,
    LATEST,
    CompatibilityLevel,
    Config,
    Mode,
    QualifiedSubject,
)
from registry.records import ConfigRecord, Record
from registry.registration import Checked, Limits, Registration
from registry.replica import Fold, Replica
from registry.schemas import Schemas
from registry.state import SchemaVersion, State
from registry.store import Store


class Registry(Catalogue):
    """A registry over the log in `store`. Safe to use from several threads.

    compatibility: the level where neither the subject nor the registry has one set.
    validate_new_schemas: whether names and default values of new schemas must be right, where no
        config says.
    validate_fields: whether reserved fields are looked after, where no config says.
    languages: the schema languages it knows.
    limits: how much it takes.
    mode_mutability: whether `set_mode` and `delete_mode` are permitted.
    fold: what another process had read of the log (`registry.replica.Replica.fold`), to go on from.

    A subject is given as ``name`` or ``:.context:name``; where its config has an
    alias, all but configs and modes are about the subject that this names. A version number is 1
    or more; -1 (`registry.model.LATEST`) is the latest live one. Every method
    may raise StoreError.
    """

    def __init__(
        self,
        store: Store,
        *,
        compatibility: CompatibilityLevel = CompatibilityLevel.BACKWARD,
        validate_new_schemas: bool = True,
        validate_fields: bool = False,
        languages: Sequence[Language] = (AVRO,),
        limits: Limits | None = None,
        mode_mutability: bool = True,
        fold: Fold | None = None,
    ) -> None:
        self._store = store
        self._default = Config(
            compatibility_level=compatibility,
            validate_new_schemas=None if validate_new_schemas else False,
            validate_fields=validate_fields or None,
        )
        self._limits = Limits() if limits is None else limits
        self._mode_mutability = mode_mutability
        super().__init__(Replica(store, fold), Schemas(languages))
        with self._replica.synced():
            pass

    @property
    def store(self) -> Store:
        """Where the log is kept."""
        return self._store

    @property
    def types(self) -> list[str]:
        """The schema types that it knows, sorted."""
        return self._schemas.types

    def close(self) -> None:
        """Close the store. May be called again."""
        self._store.close()

    # Schemas

    def register(self, subject: str, schema: NewSchema, *, force: bool = False) -> SchemaVersion:
        """Give `schema` an id and a version of `subject`; a known one keeps those it has.

        force: do not check compatibility.

        Raises InvalidSchemaError, InvalidRuleSetError, IncompatibleSchemaError, SchemaTooLargeError,
        InvalidSubjectError, InvalidVersionError, OperationNotPermittedError, WriteTimedOutError.
        """
        if schema.rule_set is not None:
            schema.rule_set.check()
        with self._replica.synced() as state:
            job = self._job(state.target(subject), schema, force=force)
            draft, begun, position = job.draft(state), state, state.position
        candidate = job.parse(draft)
        with self._replica.held() as state:
            known = job.known(candidate, state)
            with_references = job.with_references(candidate, state)
        known = known or job.spelt_out(candidate, with_references)
        if known is not None:
            return known
        with self._replica.held() as state:
            job.permit(candidate, state)
            against = job.against(candidate, state) if job.is_compared(state) else None
            checked = Checked(candidate, begun, position)
            unchanged = checked.holds_for(state)
        if against is not None:
            job.check(candidate, against)
        # All that is costly was done without a lock. Where the log has grown since, deciding does it again,
        # and finds most of it remembered.
        return self._replica.write(partial(job.decide, checked=checked if unchanged else None))

    def retag(self, subject: str, number: int, edit: Retag) -> SchemaVersion:
        """Register a version again with other tags in its text, other metadata or other rules.

        Its metadata say from then on of which version they are.

        Raises what `register` raises; SubjectNotFoundError, VersionNotFoundError.
        """
        content = self.version(subject, number).content
        metadata = edit.metadata or content.metadata or Metadata({}, {}, ())
        rule_set = edit.rule_set
        if edit.rules_to_merge is not None or edit.rules_to_remove is not None:
            with self._replica.synced() as state:
                name = state.target(subject)
                before = state.version(name, edit.version - 1 if edit.version > 0 else LATEST)
            rule_set = edit.rules_after(None if before is None else before.content.rule_set)
        new = NewSchema(
            content.text,
            content.schema_type,
            content.references,
            metadata.with_version(edit.version),
            rule_set,
            version=edit.version,
            tags_to_add=edit.tags_to_add,
            tags_to_remove=edit.tags_to_remove,
        )
        return self.register(subject, new)

    def look_up(self, subject: str, schema: NewSchema, *, deleted: bool = False) -> SchemaVersion:
        """The newest version of `subject` with the content of `schema`; soft-deleted ones with `deleted`.

        Where the default context has none, one of the same name in another context may.

        Raises SubjectNotFoundError, SchemaNotFoundError, InvalidSchemaError.
        """
        with self._replica.synced() as state:
            name = state.target(subject)
            others = state.namesakes(name)
        try:
            return self._look_up(name, schema, deleted=deleted)
        except (SubjectNotFoundError, SchemaNotFoundError):
            for other in others:
                with suppress(SubjectNotFoundError, SchemaNotFoundError):
                    return self._look_up(other, schema, deleted=deleted)
            raise

    def _look_up(self, subject: str, schema: NewSchema, *, deleted: bool) -> SchemaVersion:
        with self._replica.synced() as state:
            visible(state, subject, deleted=deleted)
            job = self._job(subject, schema)
            draft = job.draft(state)
        candidate = job.parse(replace(draft, strict=False))
        with self._replica.held() as state:
            found = job.find(candidate, state, deleted=deleted)
            with_references = job.with_references(candidate, state, deleted=deleted)
        found = found or job.spelt_out(candidate, with_references)
        if found is None:
            raise SchemaNotFoundError
        return found

    def incompatibilities(
        self, subject: str, schema: NewSchema, version: int | None = None, *, verbose: bool = False
    ) -> list[str]:
        """Why `schema` could not be registered, as messages; empty if it could.

        version: hold it against this version only (-1: the latest, if there is one).
        verbose: also say of a text that is no schema why it is none, instead of raising InvalidSchemaError.

        Raises VersionNotFoundError, InvalidSchemaError, SchemaTooLargeError.
        """
        try:
            with self._replica.synced() as state:
                job = self._job(state.target(subject), schema)
                if version not in {None, LATEST} and state.version(job.subject, version or 0) is None:
                    raise VersionNotFoundError(version or 0)
                draft = job.draft(state)
            candidate = job.parse(draft)
            with self._replica.held() as state:
                if job.find(candidate, state) is None:
                    job.permit_new(candidate)
                against = job.against(candidate, state, version)
            return job.messages(candidate, against)
        except InvalidSchemaError as fault:
            if verbose:
                return [str(fault)]
            raise

    # Deleting

    def delete_subject(self, subject: str, *, permanent: bool = False) -> list[int]:
        """Delete all versions of a subject, softly or, after that, for good; answers their numbers.

        Raises SubjectNotFoundError, SubjectSoftDeletedError,
        SubjectNotSoftDeletedError, ReferenceExistsError, OperationNotPermittedError.
        """
        return self._replica.write(
            lambda state: deletion.delete_subject(state, state.target(subject), permanent=permanent)
        )

    def delete_version(self, subject: str, number: int, *, permanent: bool = False) -> int:
        """Delete one version of a subject, softly or, after that, for good; answers its number.

        Raises SubjectNotFoundError, VersionNotFoundError, VersionSoftDeletedError,
        VersionNotSoftDeletedError, ReferenceExistsError, OperationNotPermittedError.
        """
        return self._replica.write(
            lambda state: deletion.delete_version(state, state.target(subject), number, permanent=permanent)
        )

    def delete_context(self, context: str) -> None:
        """Delete a context (``.ctx``) that has no subject, not even a soft-deleted one.

        Its ids stay given out: a context that comes again under the name counts on.

        Raises ContextNotEmptyError, OperationNotPermittedError.
        """
        self._replica.write(lambda state: deletion.delete_context(state, context))

    # Configs and modes

    def config(self, subject: str | None = None, *, effective: bool = False) -> Config:
        """The config of a subject, of a context (``:.ctx:``) or of the registry (None).

        effective: with what is not set there filled in from around it.

        Raises NoSubjectConfigError where a subject has none of its own.
        """
        scope = _scope(subject)
        with self._replica.synced() as state:
            own = state.config(scope)
            whole = state.effective_config(scope, self._default)
        if effective:
            return whole
        if scope is None:
            return (own or Config()).over(self._default)
        if own is None:
            raise NoSubjectConfigError(scope)
        return own

    def set_config(self, changes: Mapping[str, Any], subject: str | None = None) -> Config:
        """Change fields of a scope's config (None clears one); answers what is set there now.

        changes: names of `Config`'s fields and their values; see `registry.model.config_changes`.

        Raises InvalidSubjectError, InvalidRuleSetError, OperationNotPermittedError.
        """
        for rules in (changes.get("default_rule_set"), changes.get("override_rule_set")):
            if rules is not None:
                rules.check()
        scope = _scope(subject, check=True)

        def decide(state: State) -> tuple[list[Record], Config]:
            deletion.check_writable(state, scope)
            before = state.config(scope)
            after = replace(before or Config(), **changes)
            if not changes or after == before:
                return [], after
            return [ConfigRecord(scope, after)], after

        config = self._replica.write(decide)
        return config.over(self._default) if scope is None else config

    def delete_config(self, subject: str | None = None) -> Config:
        """Reset a scope's config; answers what was set there.

        Raises SubjectNotFoundError where a subject has none, OperationNotPermittedError.
        """
        scope = _scope(subject)

        def decide(state: State) -> tuple[list[Record], Config]:
            before = state.config(scope)
            if before is None and scope is not None:
                raise SubjectNotFoundError(scope)
            deletion.check_writable(state, scope)
            return [] if before is None else [ConfigRecord(scope, None)], before or Config()

        config = self._replica.write(decide)
        return config.over(self._default) if scope is None else config

    def mode(self, subject: str | None = None, *, effective: bool = False) -> Mode:
        """The mode of a subject, of a context (``:.ctx:``) or of the registry (None).

        effective: where none is set there, the one that holds around it.

        Raises NoSubjectModeError where a subject has none of its own.
        """
        scope = _scope(subject)
        with self._replica.synced() as state:
            own, whole = state.mode(scope), state.effective_mode(scope)
        if effective:
            return whole
        if own is None and scope is not None:
            raise NoSubjectModeError(scope)
        return own or Mode.READWRITE

    def set_mode(self, mode: Mode | None, subject: str | None = None, *, force: bool = False) -> None:
        """Set the mode of a scope; None clears it.

        force: to IMPORT also where there are subjects, which stay.

        Raises InvalidSubjectError, OperationNotPermittedError, ReferenceExistsError.
        """
        scope = _scope(subject, check=True)
        self._check_mode_mutability()
        self._replica.write(lambda state: modes.set_mode(state, scope, mode, force=force))

    def delete_mode(self, subject: str | None = None, *, recursive: bool = False) -> Mode:
        """Reset the mode of a scope; answers what was set there.

        recursive: also the modes of all that is in the scope.

        Raises SubjectNotFoundError where a subject has none, OperationNotPermittedError.
        """
        scope = _scope(subject)
        self._check_mode_mutability()
        return self._replica.write(lambda state: modes.delete_mode(state, scope, recursive=recursive))

    # What the above share

    def _check_mode_mutability(self) -> None:
        if not self._mode_mutability:
            raise OperationNotPermittedError("Mode changes are not allowed")

    def _job(self, subject: str, schema: NewSchema, *, force: bool = False) -> Registration:
        name = _parse(subject)
        name.check()
        size = len(schema.text.encode(errors="surrogatepass"))
        if size > self._limits.schema_bytes:
            raise SchemaTooLargeError(size, self._limits.schema_bytes)
        return Registration(str(name), schema, self._schemas, self._default, self._limits, force)


def _parse(subject: str) -> QualifiedSubject:
    return QualifiedSubject.parse(subject)


def _scope(subject: str | None, *, check: bool = False) -> str | None:
    if subject is None:
        return None
    name = _parse(subject)
    if check and str(name) != GLOBAL_SCOPE:
        name.check()
    return str(name) or None


__all__ = ["Limits", "NewSchema", "Registry", "RegistryError", "Retag", "SchemaVersion"]
