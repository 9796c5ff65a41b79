"""What another registry has and a log lacks: as records to append, or as collisions that forbid it.

The source is right about all it has: versions, whether they are soft-deleted,
configs and modes. What only the target has stays. Ids are never mixed: a
version, or an id, that stands for another content at the target is a collision.
"""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from registry.model import GLOBAL_SCOPE, Config
from registry.records import ConfigRecord, ContextRecord, LogRecord, ModeRecord, Record, SchemaRecord
from registry.state import SchemaVersion, State, VersionKey, reference_key
from registry.transfer.source import Source, spelling


class Change(NamedTuple):
    """Records that take effect together, one entry of the target's log.

    what: the kind of change, for a count of them; None to count its records by their kind.
    time: milliseconds since 1970, and principal: of the source's entry; None where not known.
    note: what the target loses by it, if anything.
    """

    what: str | None
    records: tuple[LogRecord, ...]
    time: int | None = None
    principal: str | None = None
    note: str | None = None

    @classmethod
    def of(cls, what: str, *records: Record, time: int | None = None, note: str | None = None) -> "Change":
        """A change by records that this registry writes."""
        return cls(what, tuple(record.to_log() for record in records), time, note=note)


def collisions(source: Source, target: State) -> list[str]:
    """What stands for one content at the source and for another one at the target, a sentence each.

    A version that the source itself had once, before it deleted it for good, is none.
    """
    found = []
    for version in _versions(source.state):
        there = target.version(*version.key, deleted=True)
        if there is not None and (there.id, there.digest) not in source.versions[version.key]:
            other = f"id {there.id}" if there.id != version.id else f"another schema of id {there.id}"
            found.append(
                f"version {version.version} of subject {version.subject} has id {version.id} at the source "
                f"and is {other} at the target"
            )
    for context, number, digest in source.state.ids():
        known = target.digest_of(context, number)
        if known is not None and known != digest:
            found.append(
                f"id {number} in context {context} is {_holder(source.state, context, number)} at the source "
                f"and {_holder(target, context, number)} at the target"
            )
    return found


def changes(source: Source, target: State) -> Iterator[Change]:
    """What makes the target say all that the source does; nothing where it does already.

    Schemas come after those that they refer to. The states must have no collisions.
    """
    state = source.state
    for context in state.contexts():
        if context not in target.contexts():
            yield Change.of("contexts", ContextRecord(context))
    yield from _retired_ids(source, target)
    for version in in_order(_versions(state)):
        there = target.version(*version.key, deleted=True)
        record = SchemaRecord(version.subject, version.version, version.id, version.content, version.deleted)
        if there is None:
            what = "soft-deleted versions" if version.deleted else "versions"
            yield Change.of(what, record, time=version.time)
        elif (there.id, there.digest) != (version.id, version.digest):
            yield Change.of("versions replaced", record, time=version.time)
        elif there.deleted != version.deleted:
            what = "versions soft-deleted" if version.deleted else "versions brought back"
            yield Change.of(what, record, time=version.time)
    yield from _gone(source, target)
    yield from _configs(source, target)
    yield from _modes(source, target)


def in_order(versions: Iterable[SchemaVersion]) -> list[SchemaVersion]:
    """Versions by time and id, but each after those among them that it refers to."""
    ordered = sorted(versions, key=lambda v: (v.time, v.id, v.key))
    known = {version.key: version for version in ordered}
    placed: dict[VersionKey, SchemaVersion] = {}
    for version in ordered:
        # A stack of its own, not Python's: a chain of references may be long.
        stack, seen = [version], set()
        while stack:
            top = stack[-1]
            targets = (known.get(reference_key(r, top.subject)) for r in top.content.references)
            waiting = [t for t in targets if t is not None and t.key not in placed and t.key not in seen]
            if waiting and top.key not in placed:
                seen.add(top.key)
                stack += waiting
            else:
                placed.setdefault(top.key, stack.pop())
    return list(placed.values())


def _versions(state: State) -> Iterator[SchemaVersion]:
    for subject, _, _ in state.subjects():
        yield from state.versions(subject, deleted=True)


def _holder(state: State, context: str, number: int) -> str:
    holders = state.holders(context, number)
    return f"version {holders[0].version} of {holders[0].subject}" if holders else "a schema deleted for good"


def _retired_ids(source: Source, target: State) -> Iterator[Change]:
    """Ids whose last version is gone: messages may still carry them, so none may get another content."""
    for (context, number), record in source.contents.items():
        retired = not source.state.holders(context, number)
        if retired and target.digest_of(context, number) is None:
            subject = spelling(record.subject)
            version = target.next_version(subject)  # of an entry's time only
            written = SchemaRecord(subject, version, record.id, record.content, deleted=True)
            yield Change.of("ids of deleted schemas", written, SchemaRecord(subject, version))


def _gone(source: Source, target: State) -> Iterator[Change]:
    """Versions that the source deleted for good, and the target has from an earlier import."""
    if not source.is_log:
        return
    for key, had in source.versions.items():
        there = target.version(*key, deleted=True)
        is_gone = source.state.version(*key, deleted=True) is None
        if is_gone and there is not None and (there.id, there.digest) in had:
            yield Change.of("versions deleted for good", SchemaRecord(*key))


def _configs(source: Source, target: State) -> Iterator[Change]:
    for scope in sorted(source.config_scopes, key=str):
        new, old = source.state.config(scope), target.config(scope)
        if new != old:
            note = None if old is None else f"config of {shown(scope)}: was {_config(old)}"
            yield Change.of("configs", ConfigRecord(scope, new), note=note)


def _modes(source: Source, target: State) -> Iterator[Change]:
    for scope in sorted(source.mode_scopes, key=str):
        new, old = source.state.mode(scope), target.mode(scope)
        if new != old:
            note = None if old is None else f"mode of {shown(scope)}: was {old}"
            yield Change.of("modes", ModeRecord(scope, new), note=note)


def shown(scope: str | None) -> str:
    """A scope in words."""
    if scope is None:
        return "the registry"
    if scope == GLOBAL_SCOPE:
        return "all contexts"
    return f"context {scope[1:-1]}" if scope.startswith(":.") and scope.endswith(":") else f"subject {scope}"


def _config(config: Config) -> str:
    return ", ".join(f"{key} {value}" for key, value in config.to_json().items())
