"""The fold: records in, indexes out.

A `State` is what the log says so far. `apply` takes the next entry; everything
else only reads. It does no I/O, looks at no clock, parses no schema, and takes
no lock: whoever shares one between threads locks around it.

Ids are counted for each context. An id that was ever given out keeps its
content for good, also after the last version that had it was deleted for good:
messages with that id may still lie in topics. So no id is given to two
contents, and the same content gets its old id back.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import reduce
from typing import TypeVar

from registry.model import (
    DEFAULT_CONTEXT,
    GLOBAL_SCOPE,
    LATEST,
    Config,
    Mode,
    QualifiedSubject,
    SchemaContent,
    SchemaReference,
    context_of,
    guid_of,
)
from registry.records import (
    ClearSubjectRecord,
    ConfigRecord,
    ContextRecord,
    DeleteSubjectRecord,
    LogRecord,
    ModeRecord,
    SchemaRecord,
    from_log,
)

T = TypeVar("T")

VersionKey = tuple[str, int]
"""A subject in its one spelling, and a version number."""


@dataclass(frozen=True, slots=True)
class SchemaVersion:
    """A version of a subject, live or soft-deleted. time: of its record, in ms since 1970."""

    subject: str
    version: int
    id: int
    digest: bytes
    content: SchemaContent
    deleted: bool
    time: int

    @property
    def guid(self) -> str:
        """What identifies the content in every registry: its digest as a UUID."""
        return guid_of(self.digest)

    @property
    def key(self) -> VersionKey:
        return self.subject, self.version


@dataclass(slots=True)
class _Context:
    """The ids of a context: what they stand for, and who has them.

    It is kept when the context is deleted: one of that name may come again, and must not reuse its ids.
    """

    exists: bool = True
    max_id: int = 0
    digest_of: dict[int, bytes] = field(default_factory=dict)
    id_of: dict[bytes, int] = field(default_factory=dict)
    more_ids_of: dict[bytes, list[int]] = field(default_factory=dict)
    """Only for those contents that an import gave several ids: those beside the one in `id_of`."""
    holders: dict[int, dict[VersionKey, SchemaVersion]] = field(default_factory=dict)


class State:
    """What the log says, up to `position`."""

    def __init__(self) -> None:
        self.position = 0
        self.refused: list[VersionKey] = []
        """Versions that the log gives an id of another content; the first content is kept."""
        self.created: Counter[str] = Counter()
        """How many versions the log says were made, by schema type; one that is brought back counts again."""
        self.deleted: Counter[str] = Counter()
        """How many it says were deleted softly."""
        self._contexts: dict[str, _Context] = {DEFAULT_CONTEXT: _Context()}
        self._subjects: dict[str, dict[int, SchemaVersion]] = {}
        self._annotated: dict[str, set[int]] = {}
        self._referrers: dict[VersionKey, set[VersionKey]] = {}
        self._configs: dict[str | None, Config] = {}
        self._modes: dict[str | None, Mode] = {}

    def __eq__(self, other: object) -> bool:
        """Whether both logs say the same, times and positions included."""
        return vars(self) == vars(other) if isinstance(other, State) else NotImplemented

    __hash__ = None  # type: ignore[assignment]  # it changes

    # The fold

    def apply(self, position: int, time: int, records: Iterable[LogRecord]) -> None:
        """Take in the entry at `position`, which was appended at `time` (ms since 1970).

        Raises LogFormatError for a record that cannot be read; ValueError unless
        `position` is the next one.
        """
        if position != self.position + 1:
            raise ValueError(f"position {position} does not follow {self.position}")
        for record in [from_log(record) for record in records]:
            match record:
                case SchemaRecord():
                    self._apply_schema(record, time)
                case ConfigRecord(subject, config):
                    _set(self._configs, _scope(subject), config)
                case ModeRecord(subject, mode):
                    _set(self._modes, _scope(subject), mode)
                case DeleteSubjectRecord(subject, int(version)):
                    self._delete_up_to(_spelling(subject), version)
                case ClearSubjectRecord(scope, tombstone=False):
                    self._clear(scope)
                case ContextRecord(context, tombstone):
                    self._contexts.setdefault(context, _Context()).exists = not tombstone
                case _:
                    pass  # a tombstone of what is past, or of a keytype that is not ours
        self.position = position

    def _apply_schema(self, record: SchemaRecord, time: int) -> None:
        subject, content = _spelling(record.subject), record.content
        known = self._subjects.get(subject, {}).get(record.version)
        if content is None:
            self._remove(known)
            return
        if known is not None and known.content == content and known.id == record.id:
            digest, content = known.digest, known.content  # deleted or brought back: keep one copy
        else:
            digest = content.digest()
        context = self._contexts.setdefault(context_of(subject), _Context())
        if context.digest_of.get(record.id, digest) != digest:
            self.refused.append((subject, record.version))
            return
        holders = context.holders.get(record.id)
        if holders:
            content = next(iter(holders.values())).content
        (self.deleted if record.deleted else self.created)[content.schema_type] += 1
        self._remove(known)
        self._put(
            SchemaVersion(subject, record.version, record.id, digest, content, record.deleted, time), context
        )

    def _put(self, version: SchemaVersion, context: _Context) -> None:
        number = version.id
        context.exists = True
        context.max_id = max(context.max_id, number)
        context.digest_of[number] = version.digest
        if context.id_of.setdefault(version.digest, number) != number:
            others = context.more_ids_of.setdefault(version.digest, [])
            others += [] if number in others else [number]
        context.holders.setdefault(number, {})[version.key] = version
        self._subjects.setdefault(version.subject, {})[version.version] = version
        if version.content.references or version.content.metadata is not None:
            self._annotated.setdefault(version.subject, set()).add(version.version)
        for reference in version.content.references:
            self._referrers.setdefault(reference_key(reference, version.subject), set()).add(version.key)

    def _remove(self, version: SchemaVersion | None) -> None:
        if version is None:
            return
        versions = self._subjects[version.subject]
        del versions[version.version]
        if not versions:
            del self._subjects[version.subject]
        annotated = self._annotated.get(version.subject, set())
        annotated.discard(version.version)
        if not annotated:
            self._annotated.pop(version.subject, None)
        holders = self._contexts[context_of(version.subject)].holders
        del holders[version.id][version.key]
        if not holders[version.id]:
            del holders[version.id]
        for reference in version.content.references:
            target = reference_key(reference, version.subject)
            referrers = self._referrers.get(target, set())
            referrers.discard(version.key)
            if not referrers:
                self._referrers.pop(target, None)

    def _delete_up_to(self, subject: str, last: int) -> None:
        for version in list(self._subjects.get(subject, {}).values()):
            if version.version <= last and not version.deleted:
                self._put(replace(version, deleted=True), self._contexts[context_of(subject)])
                self.deleted[version.content.schema_type] += 1

    def _clear(self, scope: str | None) -> None:
        for subject in self.subjects_in(scope):
            for version in list(self._subjects[subject].values()):
                if version.deleted:
                    self._remove(version)

    # Subjects and versions

    def subjects(self) -> Iterator[tuple[str, bool, bool]]:
        """Every subject, whether it has a live version, and whether it has a soft-deleted one."""
        for subject, versions in self._subjects.items():
            live = sum(not version.deleted for version in versions.values())
            yield subject, live > 0, live < len(versions)

    def all_versions(self) -> list[list[SchemaVersion]]:
        """The versions of each subject, live and soft-deleted, in no order. Safe without a lock."""
        return [list(versions.values()) for versions in list(self._subjects.values())]

    def subjects_in(self, scope: str | None) -> list[str]:
        """The subjects that a scope reaches: itself, a context's, the default one's (None), or all."""
        scope = _scope(scope)
        if scope is not None and QualifiedSubject.parse(scope).name:
            return [scope] if scope in self._subjects else []
        return [subject for subject in self._subjects if scope in _scopes(subject)]

    def target(self, subject: str) -> str:
        """The subject in its one spelling, or what its own config makes it an alias of: one step, no more.

        A bare alias is in the context of the subject.
        """
        name = _spelling(subject)
        config = self._configs.get(name)
        if config is None or not config.alias or not QualifiedSubject.parse(name).name:
            return name
        return str(QualifiedSubject.parse(config.alias, context_of(name)))

    def aliases(self) -> dict[str, list[str]]:
        """The subjects that others are aliases of, and those, sorted."""
        found: dict[str, list[str]] = {}
        for scope in sorted(scope for scope in self._configs if scope is not None):
            target = self.target(scope)
            if target != scope:
                found.setdefault(target, []).append(scope)
        return found

    def namesakes(self, subject: str) -> list[str]:
        """The subjects of the same name in other contexts, sorted; none for one that has a context itself."""
        name = QualifiedSubject.parse(subject)
        if name.context != DEFAULT_CONTEXT or not name.name:
            return []
        others = (str(QualifiedSubject(context, name.name)) for context in self.contexts())
        return [other for other in others if other != subject and other in self._subjects]

    def versions(self, subject: str, *, deleted: bool = False) -> list[SchemaVersion]:
        """The versions of a subject in ascending order; soft-deleted ones only with `deleted`."""
        versions = self._subjects.get(subject, {})
        return [versions[n] for n in sorted(versions) if deleted or not versions[n].deleted]

    def annotated(self, subject: str, *, deleted: bool = False) -> list[SchemaVersion]:
        """Of `versions`, those with references or metadata: to find others, their digest is enough."""
        versions = self._subjects.get(subject, {})
        numbers = sorted(self._annotated.get(subject, ()))
        return [versions[n] for n in numbers if deleted or not versions[n].deleted]

    def version(self, subject: str, number: int, *, deleted: bool = False) -> SchemaVersion | None:
        """One version; -1 is the latest. Soft-deleted ones only with `deleted`."""
        versions = self._subjects.get(subject, {})
        if number == LATEST:
            newest_first = sorted(versions, reverse=True)
            number = next((n for n in newest_first if deleted or not versions[n].deleted), LATEST)
        found = versions.get(number)
        return found if found is not None and (deleted or not found.deleted) else None

    def count(self, subject: str) -> int:
        """How many versions a subject has, soft-deleted ones counted."""
        return len(self._subjects.get(subject, ()))

    def next_version(self, subject: str) -> int:
        """One more than the newest version, soft-deleted ones counted."""
        return max(self._subjects.get(subject, ()), default=0) + 1

    def holding(self, subject: str, number: int, *, deleted: bool = False) -> SchemaVersion | None:
        """The newest version of `subject` that has the schema id `number`."""
        context = self._contexts.get(context_of(subject))
        holders = {} if context is None else context.holders.get(number, {})
        matches = (v for v in holders.values() if v.subject == subject and (deleted or not v.deleted))
        return max(matches, key=lambda v: v.version, default=None)

    # Ids

    def id_of(self, context: str, digest: bytes) -> int | None:
        """The id that the content with `digest` has in `context`, or once had."""
        known = self._contexts.get(context)
        return None if known is None else known.id_of.get(digest)

    def ids_of(self, context: str, digest: bytes) -> list[int]:
        """All the ids that the content has or had: one, unless an import gave it several."""
        known = self._contexts.get(context)
        if known is None or digest not in known.id_of:
            return []
        return [known.id_of[digest], *known.more_ids_of.get(digest, ())]

    def digest_of(self, context: str, number: int) -> bytes | None:
        """The digest of what the id stands for in `context`, or once stood for."""
        known = self._contexts.get(context)
        return None if known is None else known.digest_of.get(number)

    def ids(self) -> Iterator[tuple[str, int, bytes]]:
        """Every id that was ever given out, with its context and the digest of what it stands for."""
        for name, context in self._contexts.items():
            for number, digest in context.digest_of.items():
                yield name, number, digest

    def next_id(self, context: str) -> int:
        """An id that was never given out in `context`."""
        known = self._contexts.get(context)
        return 1 if known is None else known.max_id + 1

    def has_id(self, context: str, number: int) -> bool:
        """Whether a version has the id. Safe without a lock: another thread may be folding."""
        known = self._contexts.get(context)
        return known is not None and number in known.holders

    def some_holder(self, context: str, number: int) -> SchemaVersion | None:
        """A version that has the id: all have its content. Safe without a lock, as `has_id` is."""
        known = self._contexts.get(context)
        holders = {} if known is None else known.holders.get(number, {})
        return next(iter(list(holders.values())), None)  # copying a dict's values is one step

    def holders(self, context: str, number: int) -> list[SchemaVersion]:
        """The versions that have the id, live ones first, then by subject and version."""
        known = self._contexts.get(context)
        holders = [] if known is None else list(known.holders.get(number, {}).values())
        return sorted(holders, key=lambda v: (v.deleted, v.subject, v.version))

    def contexts(self) -> list[str]:
        """The contexts that there are, sorted."""
        return sorted(name for name, context in self._contexts.items() if context.exists)

    # References, configs, modes

    def referrers(self, key: VersionKey, *, deleted: bool = False) -> Sequence[SchemaVersion]:
        """The versions whose schemas refer to `key`; soft-deleted ones only with `deleted`."""
        found = (self._subjects[subject][number] for subject, number in self._referrers.get(key, ()))
        return sorted((v for v in found if deleted or not v.deleted), key=lambda v: v.key)

    def config(self, subject: str | None) -> Config | None:
        """What is set for exactly this scope: a subject, a context (``:.ctx:``) or the registry (None)."""
        return self._configs.get(_scope(subject))

    def effective_config(self, subject: str | None, default: Config) -> Config:
        """What holds for a scope: its own config over its context's, over the global one, over `default`."""
        configs = [self._configs[scope] for scope in _scopes(subject) if scope in self._configs]
        return reduce(Config.over, [*configs, default])

    def mode(self, subject: str | None) -> Mode | None:
        """What is set for exactly this scope."""
        return self._modes.get(_scope(subject))

    def scopes_with_config(self) -> list[str | None]:
        """The scopes for exactly which a config is set."""
        return list(self._configs)

    def scopes_with_mode(self, scope: str | None) -> list[str | None]:
        """`scope`, and those in it, as far as a mode is set for exactly them."""
        scope = _scope(scope)
        return [inner for inner in self._modes if scope in _scopes(inner)]

    def effective_mode(self, subject: str | None) -> Mode:
        """What holds for a scope: its own mode, or its context's, or the global one, or READWRITE."""
        modes = [self._modes[scope] for scope in _scopes(subject) if scope in self._modes]
        return modes[0] if modes else Mode.READWRITE


def reference_key(reference: SchemaReference, referrer: str) -> VersionKey:
    """What a reference points at; a bare subject is one in the context of the `referrer`."""
    subject = reference.subject
    if subject.startswith(":.") or referrer.startswith(":."):
        subject = str(QualifiedSubject.parse(subject, context_of(referrer)))
    return subject, reference.version


def _spelling(subject: str) -> str:
    """The one spelling of a subject: another registry's log may qualify the default context."""
    return str(QualifiedSubject.parse(subject)) if subject.startswith(":.") else subject


def _scope(subject: str | None) -> str | None:
    """The key of a scope: None for the default context's own config, which is the global one."""
    return None if subject is None or subject == "" else _spelling(subject) or None


def _scopes(subject: str | None) -> list[str | None]:
    """The scopes to ask, the innermost first."""
    if not subject:
        return [None, GLOBAL_SCOPE]
    if not subject.startswith(":."):
        return [subject, None, GLOBAL_SCOPE]
    qualified = QualifiedSubject.parse(subject)
    around = None if qualified.context == DEFAULT_CONTEXT else f":{qualified.context}:"
    return list(dict.fromkeys([_scope(str(qualified)), around, GLOBAL_SCOPE]))


def _set(table: dict[str | None, T], scope: str | None, value: T | None) -> None:
    if value is None:
        table.pop(scope, None)
    else:
        table[scope] = value
