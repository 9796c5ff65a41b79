"""Registering and looking up: the steps, in the reference's order (section 2.2).

A `Registration` is one request. Its steps either read the state, and then they
are short, or parse and compare, and then they need no state. So the caller can
hold its lock for the former only; `decide` does all of them in one go, at a
position of the log, with the costly results remembered by `Schemas`.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from registry import compatibility, completion
from registry.candidate import Candidate, Draft, NewSchema, draft, invalid, parse
from registry.compatibility import OldVersion
from registry.errors import (
    IncompatibleSchemaError,
    InvalidSchemaError,
    InvalidVersionError,
    OperationNotPermittedError,
)
from registry.languages.language import Finding, ReferencedSchema, SchemaFault
from registry.model import (
    DEFAULT_CONTEXT,
    LATEST,
    MAX_ID,
    MAX_VERSION,
    CompatibilityLevel,
    Config,
    Mode,
    SchemaContent,
    context_of,
)
from registry.records import ContextRecord, Record, SchemaRecord
from registry.schemas import Parsed, Schemas, missing, resolve
from registry.state import SchemaVersion, State, reference_key

Resolved = tuple[SchemaVersion, tuple[ReferencedSchema, ...]]
"""A version, and the schemas that its text needs."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How much the registry takes.

    schema_bytes: the longest schema text, in bytes of UTF-8.
    references: the schemas that one may need, directly or not.
    versions: those of one subject, soft-deleted ones counted.
    """

    schema_bytes: int = 1024 * 1024
    references: int = 1000
    versions: int = 100_000


@dataclass(frozen=True, slots=True)
class _Against:
    """What a candidate is held against: versions, newest first.

    latest: the newest live one. validates_fields: reserved fields are looked after.
    """

    level: CompatibilityLevel
    versions: list[Resolved]
    latest: SchemaContent | None
    validates_fields: bool


@dataclass(frozen=True, slots=True)
class Checked:
    """A new schema that nothing was against, in the state at a position of the log."""

    candidate: Candidate
    state: State
    position: int

    def holds_for(self, state: State) -> bool:
        """Whether `state` is that one, still."""
        return state is self.state and state.position == self.position


@dataclass(frozen=True, slots=True)
class Registration:
    """One request to register, look up or check a schema of `subject`.

    default: what holds where no scope sets a thing.
    force: skip the compatibility check.
    """

    subject: str
    request: NewSchema
    schemas: Schemas
    default: Config
    limits: Limits
    force: bool = False

    def draft(self, state: State) -> Draft:
        """Take from the state what parsing needs (`registry.candidate.draft`)."""
        limits = self.limits
        return draft(self.subject, self.request, state, self.default, max_references=limits.references)

    def parse(self, draft: Draft) -> Candidate:
        """Parse it (`registry.candidate.parse`). Needs no state."""
        return parse(draft, self.schemas)

    def find(self, candidate: Candidate, state: State, *, deleted: bool = False) -> SchemaVersion | None:
        """The newest version of the subject with the same content."""
        return self._find(candidate.looked_up_by, state, deleted=deleted)

    def known(self, candidate: Candidate, state: State) -> SchemaVersion | None:
        """The version that makes registering needless: what is asked for is there already."""
        request = self.request
        if request.version == 0:
            found = self._find(candidate.known_by, state)
        else:
            # Not only the newest with this content: an import that is done over meets them all.
            found = state.version(self.subject, request.version)
            if found is not None and not _is_known(candidate.known_by, found):
                found = None
        return found if found is not None and request.id in {None, found.id} else None

    def _find(
        self, contents: tuple[SchemaContent, ...], state: State, *, deleted: bool = False
    ) -> SchemaVersion | None:
        context = context_of(self.subject)
        for digest in dict.fromkeys(content.digest() for content in contents):
            ids = state.ids_of(context, digest)
            holding = (state.holding(self.subject, number, deleted=deleted) for number in ids)
            found = max((v for v in holding if v is not None), key=lambda v: v.version, default=None)
            if found is not None:
                return found
        # Metadata that say of which version they are make another digest of the same content.
        versions = reversed(state.annotated(self.subject, deleted=deleted))
        return next((version for version in versions if _is_known(contents, version)), None)

    def with_references(self, candidate: Candidate, state: State, *, deleted: bool = False) -> list[Resolved]:
        """The versions that may be what the candidate spells out in one text, newest first."""
        if candidate.given.references:
            return []
        versions = state.annotated(self.subject, deleted=deleted)[::-1]
        if self.request.version == LATEST:
            latest = state.version(self.subject, LATEST, deleted=deleted)
            versions = [v for v in versions if v is latest]
        try:
            return [
                (v, resolve(v.content.references, v.subject, state)) for v in versions if v.content.references
            ]
        except SchemaFault as fault:
            raise self._invalid(f"an earlier version cannot be read: {fault}") from fault

    def spelt_out(self, candidate: Candidate, versions: list[Resolved]) -> SchemaVersion | None:
        """The version that is the candidate when all its references are put in. Needs no state."""
        request = self.request
        if request.version not in {0, LATEST}:
            return None
        for version, resolved in versions:
            content = version.content
            alike = replace(content, text=candidate.given.text, references=())
            if not any(completion.is_known_as(known, alike) for known in candidate.looked_up_by):
                continue
            try:
                whole = self.schemas.resolved(content.schema_type, content.text, resolved)
            except SchemaFault:
                continue  # so long, or so deep, that nobody can have sent it
            if whole == candidate.given.text:
                return version if request.id in {None, version.id} else None
        return None

    def is_compared(self, state: State) -> bool:
        """Whether the candidate is held against earlier versions."""
        return not self.force and not state.effective_mode(self.subject).takes_ids

    def against(self, candidate: Candidate, state: State, version: int | None = None) -> _Against:
        """Take from the state what the candidate is held against: by its level, or only `version`."""
        config = state.effective_config(self.subject, self.default)
        level = config.compatibility_level or CompatibilityLevel.BACKWARD
        transitive, group = compatibility.is_transitive(level), config.compatibility_group
        if version is None and group is None and not transitive:
            version = LATEST
        if version is not None:
            found = state.version(self.subject, version)
            versions = [] if found is None else [found]
        else:
            versions = state.versions(self.subject)[::-1]
            if group is not None:
                mine = _group(candidate.completed, group)
                versions = [v for v in versions if _group(v.content, group) == mine]
            if not transitive:
                versions = versions[:1]
        if level is CompatibilityLevel.NONE:
            versions = []
        latest = state.version(self.subject, LATEST)
        try:
            return _Against(
                level,
                [(v, resolve(v.content.references, v.subject, state)) for v in versions],
                None if latest is None else latest.content,
                bool(config.validate_fields),
            )
        except SchemaFault as fault:
            raise self._invalid(f"an earlier version cannot be read: {fault}") from fault

    def messages(self, candidate: Candidate, against: _Against) -> list[str]:
        """Why the candidate is incompatible; empty if it is not. Needs no state.

        Raises InvalidSchemaError (42201) where it is too large to be compared.
        """
        reserved = self._reserved(candidate, against) if against.validates_fields else []
        try:
            return compatibility.check(
                against.level,
                candidate.parsed,
                self._old_versions(candidate, against),
                self._compare,
                reserved=reserved,
                validates_fields=against.validates_fields,
            )
        except SchemaFault as fault:
            raise self._invalid(str(fault)) from fault

    def permit(self, candidate: Candidate, state: State) -> None:
        """Refuse what the mode forbids (42205) and what cannot be new (42201)."""
        mode, request = state.effective_mode(self.subject), self.request
        place = f"Subject {self.subject} in context {context_of(self.subject)}"
        if mode.is_read_only:
            raise OperationNotPermittedError(f"{place} is in read-only mode")
        if request.id is not None and not mode.takes_ids:
            raise OperationNotPermittedError(f"{place} is not in import mode")
        if request.id is None and mode is not Mode.READWRITE:
            raise OperationNotPermittedError(f"{place} is not in read-write mode")
        self.permit_new(candidate)
        for reference in candidate.given.references:
            if state.version(*reference_key(reference, self.subject)) is None:
                raise self._invalid(str(missing(reference, self.subject)))

    def _reserved(self, candidate: Candidate, against: _Against) -> list[str]:
        old, new = against.latest, candidate.completed.metadata
        names = candidate.parsed.language.field_names(candidate.parsed.schema)
        return compatibility.check_reserved(
            frozenset() if new is None else new.reserved_fields,
            frozenset() if old is None or old.metadata is None else old.metadata.reserved_fields,
            names,
        )

    def permit_new(self, candidate: Candidate) -> None:
        """Refuse what only an old schema may be: its names or default values are not let pass any more.

        Raises InvalidSchemaError (42201).
        """
        if candidate.weakness is not None:
            raise self._invalid(str(candidate.weakness)) from candidate.weakness

    def check(self, candidate: Candidate, against: _Against) -> None:
        """Raises IncompatibleSchemaError (409). Needs no state."""
        messages = self.messages(candidate, against)
        if messages:
            raise IncompatibleSchemaError(self.subject, messages)

    def decide(self, state: State, checked: Checked | None = None) -> tuple[list[Record], SchemaVersion]:
        """The records that register the schema (none if it is known), and the version it gets.

        checked: what is not looked at again, unless the log has grown since.
        """
        if checked is not None and checked.holds_for(state):
            candidate = checked.candidate
        else:
            candidate = self.parse(self.draft(state))
            known = self.known(candidate, state) or self.spelt_out(
                candidate, self.with_references(candidate, state)
            )
            if known is not None:
                return [], known
            self.permit(candidate, state)
            if self.is_compared(state):
                self.check(candidate, self.against(candidate, state))
        imports = state.effective_mode(self.subject).takes_ids
        version = self._next_version(state, imports)
        content = candidate.completed
        digest = content.digest()
        number = self._id(digest, state)
        records = self._records(SchemaRecord(self.subject, version, number, content), state)
        return records, SchemaVersion(self.subject, version, number, digest, content, False, 0)

    def _next_version(self, state: State, imports: bool) -> int:
        following, asked = state.next_version(self.subject), self.request.version
        count = state.count(self.subject)
        if count >= self.limits.versions:
            raise OperationNotPermittedError(
                f"Subject {self.subject} has {count} versions, and the limit is {self.limits.versions} "
                "(FIVEBYTE_MAX_VERSIONS); delete permanently what is not needed, or raise it"
            )
        if asked in {0, LATEST}:
            if following > MAX_VERSION:
                raise OperationNotPermittedError(
                    f"Subject {self.subject} has version {MAX_VERSION}, and no version can be higher"
                )
            return following
        if not LATEST <= asked <= MAX_VERSION:
            raise InvalidVersionError(asked)
        if imports:
            if state.version(self.subject, asked, deleted=True) is not None:
                raise OperationNotPermittedError(
                    f"Overwrite version {asked} of subject {self.subject} is not permitted."
                )
        elif asked != following:
            raise InvalidSchemaError(
                "Version is not one more than previous version: "
                f"{asked} was asked for, and the next one of subject {self.subject} is {following}"
            )
        return asked

    def _id(self, digest: bytes, state: State) -> int:
        context, asked = context_of(self.subject), self.request.id
        if asked is not None:
            if state.digest_of(context, asked) not in {None, digest}:
                raise OperationNotPermittedError(
                    f"Overwrite new schema with id {asked} in context {context} is not permitted."
                )
            return asked
        known = state.id_of(context, digest)
        if known is not None:
            return known
        number = state.next_id(context)
        if number > MAX_ID:
            raise OperationNotPermittedError(
                f"The id {MAX_ID} was given out in context {context}, and no id can be higher; "
                "register the schema in another context"
            )
        return number

    def _records(self, new: SchemaRecord, state: State) -> list[Record]:
        records: list[Record] = []
        context = context_of(self.subject)
        if context != DEFAULT_CONTEXT and context not in state.contexts():
            records.append(ContextRecord(context))
        records.append(new)
        # Brought back under a new number: the soft-deleted one goes, unless it is still needed.
        records += [
            SchemaRecord(self.subject, old.version)
            for old in state.holders(context, new.id)
            if old.deleted
            and old.subject == self.subject
            and old.version < new.version
            and not state.referrers(old.key, deleted=True)
        ]
        return records

    def _old_versions(self, candidate: Candidate, against: _Against) -> Iterator[OldVersion[Parsed | None]]:
        for version, resolved in against.versions:
            content, parsed = version.content, None
            if content.schema_type == candidate.given.schema_type:
                try:
                    parsed = self.schemas.parse(content.schema_type, content.text, resolved, stored=True)
                except SchemaFault as fault:
                    raise self._invalid(f"version {version.version} cannot be read: {fault}") from fault
            yield OldVersion(version.version, content.text, parsed)

    def _compare(self, reader: Parsed | None, writer: Parsed | None) -> list[Finding] | None:
        return None if reader is None or writer is None else self.schemas.compare(reader, writer)

    def _invalid(self, details: str) -> InvalidSchemaError:
        return invalid(self.subject, self.request, details)


def _is_known(contents: tuple[SchemaContent, ...], version: SchemaVersion) -> bool:
    return any(completion.is_known_as(content, version.content) for content in contents)


def _group(content: SchemaContent, name: str) -> str | None:
    return None if content.metadata is None else content.metadata.properties.get(name)
