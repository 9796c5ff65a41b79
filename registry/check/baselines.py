"""What new schemas are compared with: a commit, a folder, a registry, or its exported log."""

import posixpath
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from registry.check.errors import BaselineError, ProjectError
from registry.check.git import UNSHALLOW, Commit, CommitTree, Repository, short
from registry.check.project import Project
from registry.check.sources import (
    InvalidSource,
    LocatedSchema,
    SchemaSource,
    Skimmed,
    Sources,
    Spelling,
    parse_stored,
)
from registry.check.trees import FolderTree
from registry.errors import RegistryError
from registry.languages.language import ReferencedSchema, SchemaFault
from registry.model import CompatibilityLevel


@dataclass(frozen=True, eq=False)
class OldSchema:
    """An earlier version of a subject.

    label: what a report calls it. schema_type: its language. parse: raises InvalidSource.
    """

    label: str
    parse: Callable[[], LocatedSchema]
    schema_type: str = "AVRO"


class Baseline(Protocol):
    """Earlier schemas by their subjects."""

    @property
    def label(self) -> str:
        """What a report calls it: ``main at 1a2b3c4d5e``, ``http://localhost:8081``."""

    def level(self, subject: str) -> CompatibilityLevel | None:
        """The level that it has for the subject; None where it has none."""

    def is_unchanged(self, source: SchemaSource, sources: Sources) -> bool:
        """Whether it is known, without parsing, that the schema and all it needs are the newest here."""

    def versions(self, source: SchemaSource) -> Iterator[OldSchema]:
        """The versions of the schema's subject, newest first. More are looked for as they are asked for."""

    def deleted(self, sources: Sources) -> Collection[SchemaSource]:
        """The schemas that are here, and whose subjects `sources` lacks; none where that is unknown."""

    def close(self) -> None:
        """Let go of what it holds."""


class FolderBaseline:
    """The schemas of a folder, by the same project's globs."""

    def __init__(
        self, folder: Path, label: str, project: Project, skimmed: Skimmed, extra: Sequence[str] = ()
    ) -> None:
        self.label = label
        tree = FolderTree(folder, name=f"{label}/")
        self._old = Sources.read(tree, project, extra=extra, skimmed=skimmed, strict=False)
        if not self._old.schemas and not self._old.faults:
            raise BaselineError(
                f"{label} has no schema to compare with: the project's globs, from that folder, match no file"
            )

    def level(self, subject: str) -> CompatibilityLevel | None:
        return None

    def is_unchanged(self, source: SchemaSource, sources: Sources) -> bool:
        return _is_unchanged(source, sources, self._old)

    def versions(self, source: SchemaSource) -> Iterator[OldSchema]:
        old = self._old.by_subject.get(source.subject)
        if old is not None:
            yield OldSchema(self.label, lambda: self._old.parse(old))
        else:
            yield from _unreadable(self._old, source, self.label)

    def deleted(self, sources: Sources) -> Collection[SchemaSource]:
        return _deleted(self._old, sources)

    def close(self) -> None:
        pass


class GitBaseline:
    """The schemas of a commit, and behind them those of its history.

    A subject is followed through the history by its name, and by its file where that was renamed. A version
    is a state of the schema's file or of one that it needs.
    """

    def __init__(
        self,
        repository: Repository,
        commit: str,
        label: str,
        prefix: str,
        project: Project,
        skimmed: Skimmed,
        extra: Sequence[str] = (),
    ) -> None:
        self.label = f"{label} at {short(commit)}" if label != commit else short(commit)
        self._repository = repository
        self._commit = commit
        self._prefix = prefix
        self._project = project
        self._skimmed = skimmed
        self._extra = extra
        self._at: dict[str, Sources] = {}
        self._tree = self._commit_tree(commit, label if label != commit else short(commit))
        self._old = self._sources(self._tree)

    def level(self, subject: str) -> CompatibilityLevel | None:
        return None

    def is_unchanged(self, source: SchemaSource, sources: Sources) -> bool:
        return _is_unchanged(source, sources, self._old)

    def versions(self, source: SchemaSource) -> Iterator[OldSchema]:
        if source.path.startswith("../") or source.path.startswith("/"):
            inside = posixpath.normpath(self._prefix + source.path)
            if inside.startswith(("../", "/")):
                raise ProjectError(
                    f"{source.path} is outside of the git repository {self._repository.root}: compare it "
                    "with a folder or a registry (--against)"
                )
        newest = self._old.by_subject.get(source.subject)
        if newest is not None:
            yield OldSchema(self.label, lambda: self._old.parse(newest))
        else:
            yield from _unreadable(self._old, source, self.label)
            if not any(
                fault.place and fault.place.file == self._tree.name + source.path
                for fault in self._old.faults
            ):
                return
        yield from self._earlier(source.subject, source.path if newest is None else newest.path, newest)

    def deleted(self, sources: Sources) -> Collection[SchemaSource]:
        gone = _deleted(self._old, sources)
        left_out = self._repository.left_out() if gone else set()
        return [one for one in gone if self._prefix + one.path not in left_out]

    def close(self) -> None:
        self._repository.close()

    def _earlier(self, subject: str, path: str, newest: SchemaSource | None) -> Iterator[OldSchema]:
        """The versions before that of the baseline's commit, through renames, each state once."""
        seen: set[object] = set() if newest is None else {self._state(self._old, newest)}
        watched = None if newest is None else self._watched(self._old, newest)
        for commit in self._history():
            tree = self._commit_tree(commit.oid, short(commit.oid))
            files = {name: tree.find(name) for name in (watched or {})}
            if watched is None or files != watched:
                sources = self._sources(tree)
                found = sources.by_subject.get(subject) or self._at_path(sources, path)
                if found is None:
                    if commit.oid != self._commit and tree.find(path) not in seen:
                        seen.add(tree.find(path))
                        yield from self._unparsed(sources, path, commit.oid)
                else:
                    path, watched = found.path, self._watched(sources, found)
                    state = self._state(sources, found)
                    if state not in seen:
                        seen.add(state)
                        label = f"commit {short(commit.oid)}"
                        yield OldSchema(label, lambda sources=sources, found=found: sources.parse(found))  # type: ignore[misc]
            before = commit.renames.get(posixpath.normpath(self._prefix + path))
            if before is not None and before.startswith(self._prefix):
                path, watched = before[len(self._prefix) :], None
        if self._repository.is_shallow:
            raise BaselineError(
                f"the clone is shallow, and the versions before {self.label} count for {subject}: {UNSHALLOW}"
            )

    def _unparsed(self, sources: Sources, path: str, oid: str) -> Iterator[OldSchema]:
        for fault in sources.faults:
            if fault.place is not None and fault.place.file == sources.tree.name + path:
                yield OldSchema(f"commit {short(oid)}", _raising(InvalidSource(fault)))

    def _history(self) -> list[Commit]:
        patterns = sorted({f"*{Path(one.path).suffix}" for one in self._old.schemas} | {"*.avsc"})
        return self._repository.history(self._commit, patterns)

    def _sources(self, tree: CommitTree) -> Sources:
        known = self._at.get(tree.commit)
        if known is None:
            known = self._at[tree.commit] = Sources.read(
                tree, self._project, extra=self._extra, skimmed=self._skimmed, strict=False
            )
        return known

    def _commit_tree(self, commit: str, label: str) -> CommitTree:
        return CommitTree(self._repository, commit, self._prefix, label, self._extra)

    @staticmethod
    def _at_path(sources: Sources, path: str) -> SchemaSource | None:
        found = [one for one in sources.schemas if one.path == path]
        return found[0] if len(found) == 1 else None

    @staticmethod
    def _needed(sources: Sources, source: SchemaSource) -> list[SchemaSource]:
        try:
            return [*sources.needed(source), source]
        except SchemaFault:
            return [source]

    def _watched(self, sources: Sources, source: SchemaSource) -> dict[str, str | None]:
        return {one.path: one.digest for one in self._needed(sources, source)}

    def _state(self, sources: Sources, source: SchemaSource) -> frozenset[str]:
        return frozenset(one.digest for one in self._needed(sources, source))


class NothingBefore:
    """No schemas at all: whatever there is, is new."""

    def __init__(self, label: str) -> None:
        self.label = label

    def level(self, subject: str) -> CompatibilityLevel | None:
        return None

    def is_unchanged(self, source: SchemaSource, sources: Sources) -> bool:
        return False

    def versions(self, source: SchemaSource) -> Iterator[OldSchema]:
        return iter(())

    def deleted(self, sources: Sources) -> Collection[SchemaSource]:
        return ()

    def close(self) -> None:
        pass


@dataclass(frozen=True, slots=True)
class Stored:
    """A version as a registry keeps it. references: names and texts, each after those it needs."""

    number: int
    text: str
    schema_type: str
    references: tuple[ReferencedSchema, ...]


class Records(Protocol):
    """A registry's versions, read from wherever they are."""

    def level(self, subject: str) -> str | None:
        """The level that holds for the subject."""

    def versions(self, subject: str) -> Iterator[Stored]:
        """The live versions, newest first."""

    def close(self) -> None:
        """Let go of what it holds."""


class RegistryBaseline:
    """The versions of a registry. It holds other projects' subjects too: what has no file is not missed."""

    def __init__(self, label: str, records: Records) -> None:
        self.label = label
        self._records = records

    def level(self, subject: str) -> CompatibilityLevel | None:
        text = self._records.level(subject)
        try:
            return None if text is None else CompatibilityLevel.parse(text)
        except RegistryError:
            raise BaselineError(
                f"{self.label} has the level {text} for {subject}, which is none of "
                f"{', '.join(CompatibilityLevel)}: say which is meant with --level, or in the project file"
            ) from None

    def is_unchanged(self, source: SchemaSource, sources: Sources) -> bool:
        return False

    def versions(self, source: SchemaSource) -> Iterator[OldSchema]:
        for stored in self._records.versions(source.subject):
            label = f"version {stored.number}"
            yield OldSchema(label, _parsing(stored, source.subject, label), stored.schema_type)

    def deleted(self, sources: Sources) -> Collection[SchemaSource]:
        return ()

    def close(self) -> None:
        self._records.close()


def _parsing(stored: Stored, subject: str, label: str) -> Callable[[], LocatedSchema]:
    spelling = Spelling(stored.text, lambda _: (0, 0), "", frozenset(), frozenset())
    shown = f"{subject} {label}"
    return lambda: parse_stored(spelling, stored.references, shown, subject)


def _raising(fault: InvalidSource) -> Callable[[], LocatedSchema]:
    def parse() -> LocatedSchema:
        raise fault

    return parse


def _is_unchanged(source: SchemaSource, sources: Sources, old_sources: Sources) -> bool:
    old = old_sources.by_subject.get(source.subject)
    if old is None or old.digest != source.digest or old.name != source.name:
        return False
    try:
        needed, needed_before = sources.needed(source), old_sources.needed(old)
    except SchemaFault:
        return False
    return [one.digest for one in needed] == [one.digest for one in needed_before]


def _deleted(old: Sources, new: Sources) -> list[SchemaSource]:
    # The subjects of a file that cannot be read now are not known: they are not gone.
    unreadable = {fault.place.file for fault in new.faults if fault.place is not None}
    folders = tuple(new.tree.unread)
    return [
        one
        for subject, one in old.by_subject.items()
        if subject not in new.by_subject
        and new.tree.name + one.path not in unreadable
        and not one.path.startswith(folders)
    ]


def _unreadable(old: Sources, source: SchemaSource, label: str) -> Iterator[OldSchema]:
    """What stood at the schema's path, where that was no schema: its subject may be this one."""
    for fault in old.faults:
        if fault.place is not None and fault.place.file == old.tree.name + source.path:
            yield OldSchema(label, _raising(InvalidSource(fault)))
