"""Reading a live registry over HTTP: ours, or any Confluent-compatible one of any generation.

``GET /schemas`` gives pages of versions where the server has it. Which are
soft-deleted is known from ``deleted`` in its answers; servers that leave it out
are asked for each subject's versions, with deleted ones and without. A version
that no page had is asked for by itself. The server may be written to meanwhile:
a page that begins with what was not yet seen is read again from further up, and
what a schema refers to is fetched.

What no server tells: the history, what was deleted for good, and the configs
and modes of subjects that have no version (but for aliases).
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, TypeVar

from registry.contract import Metadata, RuleSet
from registry.errors import InvalidCompatibilityLevelError, InvalidModeError, TransferError
from registry.model import (
    DEFAULT_CONTEXT,
    GLOBAL_SCOPE,
    Config,
    Mode,
    SchemaContent,
    SchemaReference,
    context_of,
    references_from_json,
)
from registry.records import ConfigRecord, ContextRecord, ModeRecord, Record, SchemaRecord
from registry.state import SchemaVersion, VersionKey, reference_key
from registry.transfer.lines import Line
from registry.transfer.merging import in_order
from registry.transfer.source import Source, gather, spelling
from registry.transfer.writing import Progress, no_progress
from serde.errors import NotFound, RegistryError
from serde.rest import Rest

T = TypeVar("T")
A = TypeVar("A")

_PAGE = 1000
_AT_ONCE = 8
_TIMEOUT = 60.0
_RETRIES = 3

_Json = dict[str, Any]


def read_registry(url: str, progress: Progress = no_progress, *, canonical: bool = False) -> Source:
    """What the registry at `url` has; several URLs of one may have commas between.

    canonical: as `gather` takes it.

    Raises TransferError for an answer that no registry gives; serde's RegistryError and RegistryUnreachable.
    """
    rest = open_rest(url)
    try:
        return _Reader(rest, progress, canonical).read()
    finally:
        rest.close()


def open_rest(url: str) -> Rest:
    """The HTTP side of a client for the registry at `url`.

    Raises TransferError where that is no URL.
    """
    try:
        return Rest(url, timeout=_TIMEOUT, retries=_RETRIES, headers=None, auth=None, transport=None)
    except ValueError as fault:
        raise TransferError(str(fault)) from None


@dataclass(slots=True)
class _Reader:
    """One reading of a registry, step by step.

    found: the entity of each version. deleted: whether it is soft-deleted.
    """

    rest: Rest
    progress: Progress
    canonical: bool
    found: dict[VersionKey, _Json] = field(default_factory=dict)
    deleted: dict[VersionKey, bool] = field(default_factory=dict)
    aliases: set[str] = field(default_factory=set)
    notes: Counter[str] = field(default_factory=Counter)

    def read(self) -> Source:
        """All of it."""
        self._read_pages()
        if not self.found or any("deleted" not in entity for entity in self.found.values()):
            self._read_subjects()
        else:
            self.deleted = {key: entity["deleted"] is True for key, entity in self.found.items()}
        self._read_referenced()
        contexts = self._contexts()
        records: list[tuple[int | None, Record]] = [
            (None, ContextRecord(context)) for context in contexts if context != DEFAULT_CONTEXT
        ]
        records += [(version.time or None, _record(version)) for version in in_order(self._versions())]
        scopes = self._scopes(contexts)
        configs = self._each("configs", self._config, scopes)
        modes = self._each("modes", self._mode, scopes)
        records += [(None, ConfigRecord(scope, config)) for scope, config in configs if config is not None]
        records += [(None, ModeRecord(scope, mode)) for scope, mode in modes if mode is not None]
        source = self._gathered(records)
        # Known to be unset. What the registry's own config and mode are by default is not known.
        source.config_scopes |= {scope for scope, _ in configs if scope is not None}
        source.mode_scopes |= {scope for scope, _ in modes if scope is not None}
        return source

    def _gathered(self, records: Iterable[tuple[int | None, Record]]) -> Source:
        name = self.rest.urls[0]
        lines = ([Line(name, time, record.to_log())] for time, record in records)
        source = gather(name, lines, is_log=False, canonical=self.canonical)
        source.notes += self.notes
        return source

    # Versions

    def _read_pages(self) -> None:
        """GET /schemas, page by page; nothing where the server does not have it, or no context's wildcard."""
        offset, before = 0, None
        every: dict[str, str | int | bool] = {"subjectPrefix": ":*:", "deleted": True, "aliases": True}
        while True:
            try:
                answer = self.rest.request(
                    "GET", "schemas", query={**every, "offset": offset, "limit": _PAGE}
                )
            except RegistryError as error:
                if error.status not in {404, 405, 422}:
                    raise
                return
            page = self._list(answer, dict)
            keys = [self._key(entity) for entity in page]
            if offset and keys and keys[0] not in self.found:
                # What had been before this page is deleted: some may have moved up, and were in none.
                offset = max(offset - _PAGE, 0)
                continue
            is_last = len(page) <= 1 or keys == before  # some servers know no pages
            for key, entity in zip(keys, page, strict=True):
                self.found[key] = entity
                self.aliases.update(map(spelling, entity.get("aliases") or ()))
            self.progress("reading versions", len(self.found), 0)
            if is_last:
                return
            before = keys
            offset += len(page) - 1  # the next one begins with what this one ended with

    def _read_subjects(self) -> None:
        """Each subject's versions, with soft-deleted ones and without; contents that no page had."""
        subjects = self._subjects()
        listed = self._each("reading subjects", self._numbers, subjects)
        self.deleted = {key: deleted for _, numbers in listed for key, deleted in numbers.items()}
        wanted = [key for key in self.deleted if key not in self.found]
        for key, entity in self._each("reading versions", self._version, wanted):
            self._take(key, entity)
        self.found = {key: self.found[key] for key in self.deleted if key in self.found}

    def _subjects(self) -> list[str]:
        """Every subject, with deleted ones; a server without contexts may take the wildcard for a name."""
        for prefix in ({"subjectPrefix": ":*:"}, {}):
            found = self._list(self.rest.request("GET", "subjects", query={"deleted": True, **prefix}), str)
            if found:
                return found
        return []

    def _numbers(self, subject: str) -> dict[VersionKey, bool]:
        path = ("subjects", subject, "versions")
        both = self._asked(*path, query={"deleted": True})
        live = self._asked(*path)
        numbers = {number: number not in (live or ()) for number in both or live or ()}
        return {(spelling(subject), number): deleted for number, deleted in numbers.items()}

    def _version(self, key: VersionKey) -> _Json | None:
        subject, number = key
        entity = self._asked("subjects", subject, "versions", number, query={"deleted": True})
        return None if entity is None or self._key(entity) != key else entity

    def _take(self, key: VersionKey, entity: _Json | None) -> None:
        if entity is None:
            self.notes[f"version {key[1]} of subject {key[0]} left out: the registry does not give it"] += 1
        else:
            self.found[key] = entity

    def _read_referenced(self) -> None:
        """What was registered while the pages were read, and is referred to by what they had."""
        while True:
            wanted = {
                reference_key(reference, key[0])
                for key, entity in self.found.items()
                for reference in self._references(entity)
            }
            missing = [key for key in sorted(wanted - self.found.keys()) if key not in self.deleted]
            if not missing:
                return
            for key, entity in self._each("reading referenced versions", self._version, missing):
                self._take(key, entity)
                self.deleted[key] = entity is not None and entity.get("deleted") is True

    def _versions(self) -> Iterator[SchemaVersion]:
        for (subject, number), entity in self.found.items():
            try:
                metadata, rule_set = entity.get("metadata"), entity.get("ruleSet")
                content = SchemaContent(
                    entity.get("schemaType") or "AVRO",
                    entity["schema"],
                    self._references(entity),
                    None if metadata is None else Metadata.from_json(metadata),
                    None if rule_set is None else RuleSet.from_json(rule_set),
                )
                time, schema_id = int(entity.get("ts") or 0), int(entity["id"])
                digest = content.digest()
            except (KeyError, TypeError, AttributeError, ValueError) as fault:
                raise self._unexpected(entity, fault) from None
            deleted = self.deleted[subject, number]
            yield SchemaVersion(subject, number, schema_id, digest, content, deleted, time)

    # Contexts, configs, modes

    def _contexts(self) -> list[str]:
        listed = self._list(self._asked("contexts") or [], str)
        return sorted({*listed, *(context_of(subject) for subject, _ in self.found)})

    def _scopes(self, contexts: Iterable[str]) -> list[str | None]:
        """Where a config or a mode may be set: the registry, all contexts, each, each subject and alias."""
        around = [GLOBAL_SCOPE, *(f":{context}:" for context in contexts if context != DEFAULT_CONTEXT)]
        subjects = sorted({subject for subject, _ in self.found} | self.aliases)
        return [None, *dict.fromkeys(around + subjects)]

    def _config(self, scope: str | None) -> Config | None:
        answer = self._asked("config", *([] if scope is None else [scope]))
        if answer is None:
            return None
        level = answer.get("compatibilityLevel") or answer.get("compatibility")
        try:
            config = Config.from_json({**answer, **({"compatibilityLevel": level} if level else {})})
        except (TypeError, AttributeError, ValueError, InvalidCompatibilityLevelError) as fault:
            raise self._unexpected(answer, fault) from None
        return None if scope is None and config == Config() else config

    def _mode(self, scope: str | None) -> Mode | None:
        answer = self._asked("mode", *([] if scope is None else [scope]))
        if answer is None:
            return None
        try:
            mode = Mode.parse(answer["mode"])
        except (KeyError, TypeError, AttributeError, InvalidModeError) as fault:
            raise self._unexpected(answer, fault) from None
        return None if scope is None and mode is Mode.READWRITE else mode

    # Asking

    def _asked(self, *path: str | int, query: dict[str, str | int | bool] | None = None) -> Any:
        """The answer; None where the registry has no such thing, or does not know the question."""
        try:
            return self.rest.request("GET", *path, query=query)
        except NotFound:
            return None
        except RegistryError as error:
            if error.status in {405, 422}:
                return None
            raise

    def _each(self, what: str, ask: Callable[[A], T], about: list[A]) -> list[tuple[A, T]]:
        """Ask about many things, some at once; the answers in order."""
        found: list[tuple[A, T]] = []
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            try:
                for thing, answer in zip(about, pool.map(ask, about), strict=True):
                    found.append((thing, answer))
                    self.progress(what, len(found), len(about))
            except BaseException:
                pool.shutdown(cancel_futures=True)
                raise
        return found

    def _key(self, entity: _Json) -> VersionKey:
        try:
            return spelling(entity["subject"]), int(entity["version"])
        except (KeyError, TypeError, AttributeError, ValueError) as fault:
            raise self._unexpected(entity, fault) from None

    def _references(self, entity: _Json) -> tuple[SchemaReference, ...]:
        try:
            return references_from_json(entity.get("references"))
        except (KeyError, TypeError, AttributeError) as fault:
            raise self._unexpected(entity, fault) from None

    def _list(self, answer: Any, kind: type[T]) -> list[T]:
        if not isinstance(answer, list) or not all(isinstance(item, kind) for item in answer):
            raise self.rest.unexpected(f"a list of {kind.__name__} is expected, not {str(answer)[:200]!r}")
        return answer

    def _unexpected(self, answer: object, fault: Exception) -> Exception:
        return self.rest.unexpected(f"{type(fault).__name__} {fault} in {str(answer)[:200]!r}")


def _record(version: SchemaVersion) -> SchemaRecord:
    return SchemaRecord(version.subject, version.version, version.id, version.content, version.deleted)
