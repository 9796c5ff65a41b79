"""Registering and looking up: the steps, in the reference's order (section 2.2).

A `Registration` is one request. Its steps either read the state, and then they
are short, or parse and compare, and then they need no state. So the caller can
hold its lock for the former only; `decide` does all of them in one go, at a
position of the log, with the costly results remembered by `Schemas`.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from registry import compatibility, completion
from registry.compatibility import OldVersion
from registry.contract import Metadata, RuleSet
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
    MAX_VERSION,
    CompatibilityLevel,
    Config,
    Mode,
    SchemaContent,
    SchemaReference,
    context_of,
)
from registry.records import ContextRecord, Record, SchemaRecord
from registry.schemas import Parsed, Schemas, missing, pin, resolve
from registry.state import SchemaVersion, State, reference_key

_SHOWN = 1000
"""Characters of a faulty schema that a message repeats."""


@dataclass(frozen=True, slots=True)
class NewSchema:
    """A schema as it is sent to the registry.

    text: empty to take the latest version's, for a new version that differs in metadata or rules only.
    version: 0 for the next one; N to insist that the next one is N; -1 as 0.
    id: only while importing.
    """

    text: str
    schema_type: str = "AVRO"
    references: Sequence[SchemaReference] = ()
    metadata: Metadata | None = None
    rule_set: RuleSet | None = None
    version: int = 0
    id: int | None = None


@dataclass(frozen=True, slots=True)
class _Draft:
    """The request with all that it takes from the state."""

    request: NewSchema
    resolved: tuple[ReferencedSchema, ...]
    latest: SchemaContent | None
    config: Config
    """What the schema takes on defaults and overrides of; of an imported one, nothing."""
    strict: bool


@dataclass(frozen=True, slots=True)
class _Candidate:
    """The new schema, parsed.

    inherited: with what it takes of the latest version. completed: and of configs, as it is stored.
    known_by: the contents of which a version makes registering needless.
    """

    parsed: Parsed
    given: SchemaContent
    inherited: SchemaContent
    completed: SchemaContent
    known_by: tuple[SchemaContent, ...]
    fault: SchemaFault | None
    """Why it can't be new, although it may be known: a name or a default value that older rules let pass."""


@dataclass(frozen=True, slots=True)
class _Against:
    """What a candidate is held against; newest first."""

    level: CompatibilityLevel
    versions: list[tuple[SchemaVersion, tuple[ReferencedSchema, ...]]]


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
    force: bool = False

    def draft(self, state: State) -> _Draft:
        """Take from the state what parsing needs.

        Raises InvalidSchemaError (42201).
        """
        request, mode = self.request, state.effective_mode(self.subject)
        live = None if mode.takes_ids else state.version(self.subject, LATEST)
        latest = None if live is None else live.content
        if not request.text:
            if latest is None:
                raise InvalidSchemaError("Empty schema")
            request = replace(
                request,
                text=latest.text,
                schema_type=latest.schema_type,
                references=request.references or latest.references,
            )
        try:
            request = replace(request, references=pin(request.references, self.subject, state))
            resolved = resolve(request.references, self.subject, state)
        except SchemaFault as fault:
            raise self._invalid(str(fault)) from fault
        config = state.effective_config(self.subject, self.default)
        strict = config.validate_new_schemas is not False and request.id is None
        return _Draft(request, resolved, latest, Config() if mode.takes_ids else config, strict)

    def parse(self, draft: _Draft) -> _Candidate:
        """Parse it. Needs no state.

        Raises InvalidSchemaError (42201).
        """
        request, first_fault = draft.request, None
        try:
            parsed = self.schemas.parse(
                request.schema_type, request.text, draft.resolved, strict=draft.strict
            )
        except SchemaFault as fault:
            if not draft.strict:
                raise self._invalid(str(fault)) from fault
            first_fault = fault
            try:
                parsed = self.schemas.parse(request.schema_type, request.text, draft.resolved, strict=False)
            except SchemaFault:
                raise self._invalid(str(fault)) from fault
        given = SchemaContent(
            parsed.language.type_name,
            parsed.canonical,
            tuple(request.references),
            request.metadata,
            request.rule_set,
        )
        inherited = completion.inherited(given, draft.latest)
        completed = completion.completed(inherited, draft.config)
        # Where configs add something, a version that lacks it is not what registering would make.
        known_by = (completed,) if completion.adds_something(draft.config) else (given, inherited)
        return _Candidate(parsed, given, inherited, completed, known_by, first_fault)

    def find(self, candidate: _Candidate, state: State, *, deleted: bool = False) -> SchemaVersion | None:
        """The newest version of the subject with the same content."""
        return self._find((candidate.given, candidate.inherited), state, deleted=deleted)

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
        return None

    def known(self, candidate: _Candidate, state: State) -> SchemaVersion | None:
        """The version that makes registering needless: what is asked for is there already."""
        request = self.request
        if request.version in {0, LATEST}:
            found = self._find(candidate.known_by, state)
        else:
            # Not only the newest with this content: an import that is done over meets them all.
            found = state.version(self.subject, request.version)
            digests = {content.digest() for content in candidate.known_by}
            found = found if found is not None and found.digest in digests else None
        return found if found is not None and request.id in {None, found.id} else None

    def against(self, candidate: _Candidate, state: State, version: int | None = None) -> _Against:
        """Take from the state what the candidate is held against: by its level, or only `version`."""
        config = state.effective_config(self.subject, self.default)
        level = config.compatibility_level or CompatibilityLevel.BACKWARD
        if version is not None:
            found = state.version(self.subject, version)
            versions = [] if found is None else [found]
        else:
            group = config.compatibility_group
            mine = _group(candidate.completed, group)
            versions = [v for v in state.versions(self.subject) if _group(v.content, group) == mine][::-1]
            if not compatibility.is_transitive(level):
                versions = versions[:1]
        if level is CompatibilityLevel.NONE:
            versions = []
        try:
            return _Against(level, [(v, resolve(v.content.references, v.subject, state)) for v in versions])
        except SchemaFault as fault:
            raise self._invalid(f"an earlier version cannot be read: {fault}") from fault

    def messages(self, candidate: _Candidate, against: _Against) -> list[str]:
        """Why the candidate is incompatible; empty if it is not. Needs no state.

        Raises InvalidSchemaError (42201) where it is too large to be compared.
        """
        try:
            return compatibility.check(
                against.level, candidate.parsed, self._old_versions(candidate, against), self._compare
            )
        except SchemaFault as fault:
            raise self._invalid(str(fault)) from fault

    def permit(self, candidate: _Candidate, state: State) -> None:
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

    def permit_new(self, candidate: _Candidate) -> None:
        """Refuse what only an old schema may be: its names or default values are not let pass any more.

        Raises InvalidSchemaError (42201).
        """
        if candidate.fault is not None:
            raise self._invalid(str(candidate.fault)) from candidate.fault

    def check(self, candidate: _Candidate, against: _Against) -> None:
        """Raises IncompatibleSchemaError (409). Needs no state."""
        messages = self.messages(candidate, against)
        if messages:
            raise IncompatibleSchemaError(self.subject, messages)

    def decide(self, state: State) -> tuple[list[Record], SchemaVersion]:
        """The records that register the schema (none if it is known), and the version it gets."""
        candidate = self.parse(self.draft(state))
        known = self.known(candidate, state)
        if known is not None:
            return [], known
        self.permit(candidate, state)
        imports = state.effective_mode(self.subject).takes_ids
        if not imports and not self.force:
            self.check(candidate, self.against(candidate, state))
        version = self._next_version(state, imports)
        content = candidate.given if imports else candidate.completed
        digest = content.digest()
        number = self._id(digest, state)
        records = self._records(SchemaRecord(self.subject, version, number, content), state)
        return records, SchemaVersion(self.subject, version, number, digest, content, False, 0)

    def _next_version(self, state: State, imports: bool) -> int:
        following, asked = state.next_version(self.subject), self.request.version
        if asked in {0, LATEST}:
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
        return state.next_id(context) if known is None else known

    def _records(self, new: SchemaRecord, state: State) -> list[Record]:
        records: list[Record] = []
        context = context_of(self.subject)
        if context != DEFAULT_CONTEXT and context not in state.contexts():
            records.append(ContextRecord(context))
        records.append(new)
        # Brought back under a new number: the soft-deleted one goes, unless it is still needed.
        records += [
            SchemaRecord(self.subject, old.version)
            for old in state.versions(self.subject, deleted=True)
            if old.deleted and old.id == new.id and not state.referrers(old.key, deleted=True)
        ]
        return records

    def _old_versions(self, candidate: _Candidate, against: _Against) -> Iterator[OldVersion[Parsed | None]]:
        for version, resolved in against.versions:
            content, parsed = version.content, None
            if content.schema_type == candidate.given.schema_type:
                try:
                    parsed = self.schemas.parse(content.schema_type, content.text, resolved)
                except SchemaFault as fault:
                    raise self._invalid(f"version {version.version} cannot be read: {fault}") from fault
            yield OldVersion(version.version, content.text, parsed)

    def _compare(self, reader: Parsed | None, writer: Parsed | None) -> list[Finding] | None:
        return None if reader is None or writer is None else self.schemas.compare(reader, writer)

    def _invalid(self, details: str) -> InvalidSchemaError:
        request = self.request
        references = ", ".join(
            f"{{name='{r.name}', subject='{r.subject}', version={r.version}}}" for r in request.references
        )
        text = request.text if len(request.text) <= _SHOWN else request.text[:_SHOWN] + "..."
        number = -1 if request.id is None else request.id
        return InvalidSchemaError(
            f"Invalid schema {{subject={self.subject},version={request.version},id={number},"
            f"schemaType={request.schema_type},references=[{references}],schema={text}}} "
            f"with refs [{references}] of type {request.schema_type}, details: {details}"
        )


def _group(content: SchemaContent, name: str | None) -> str | None:
    if name is None or content.metadata is None:
        return None
    return content.metadata.properties.get(name)
