"""Compatibility across versions: which pairs a level compares, in which direction, and how it says so.

The rules for one pair are the schema language's. Texts and order of the
messages are Confluent's (reference, sections 2.8 and 3).
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from registry.languages.language import Finding
from registry.model import CompatibilityLevel as Level

S = TypeVar("S")

MAX_OLD_SCHEMA = 10 * 1024
"""Characters of the old schema that a message shows."""

_TRANSITIVE = {Level.BACKWARD_TRANSITIVE, Level.FORWARD_TRANSITIVE, Level.FULL_TRANSITIVE}
_BACKWARD = {Level.BACKWARD, Level.BACKWARD_TRANSITIVE, Level.FULL, Level.FULL_TRANSITIVE}
_FORWARD = {Level.FORWARD, Level.FORWARD_TRANSITIVE, Level.FULL, Level.FULL_TRANSITIVE}


@dataclass(frozen=True, slots=True)
class OldVersion(Generic[S]):
    """An earlier version that a new schema is held against."""

    version: int
    text: str
    schema: S


def is_transitive(level: Level) -> bool:
    """Whether every earlier version counts, and not only the newest."""
    return level in _TRANSITIVE


def reads_old_data(level: Level) -> bool:
    """Whether readers of a new version must be able to read data of the ones before."""
    return level in _BACKWARD


def is_read_by_old(level: Level) -> bool:
    """Whether readers of the versions before must be able to read data of a new one."""
    return level in _FORWARD


def check(
    level: Level,
    new: S,
    old_versions: Iterable[OldVersion[S]],
    compare: Callable[[S, S], list[Finding] | None],
    *,
    reserved: Sequence[str] = (),
    validates_fields: bool = False,
) -> list[str]:
    """Why `new` does not get on with `old_versions`, which come newest first; empty if it does.

    Only the newest is looked at unless the level is transitive, and never more
    than up to the first that is incompatible.

    compare: the findings for a reader and a writer; None if they are of different languages.
    reserved: what `check_reserved` found, whatever the level.
    validates_fields: whether it was asked.
    """
    messages = list(reserved)
    for old in old_versions if level is not Level.NONE else ():
        found = _check_pair(level, new, old, compare)
        messages += found
        if found or not is_transitive(level):
            break
    if messages:
        messages.append(f"{{validateFields: '{str(validates_fields).lower()}', compatibility: '{level}'}}")
    return messages


def check_reserved(new: frozenset[str], old: frozenset[str], names: frozenset[str]) -> list[str]:
    """What is wrong with the reserved fields of a new version (reference, 2.8).

    new, old: the names that its metadata reserve, and those of the version before. names: its fields'.
    """
    return [
        f"The new schema has reserved field {name} removed from its metadata which is present in the old "
        "schema's metadata."
        for name in sorted(old - new)
    ] + [
        f"The new schema has field that conflicts with the reserved field {name}."
        for name in sorted(new & names)
    ]


def _check_pair(
    level: Level, new: S, old: OldVersion[S], compare: Callable[[S, S], list[Finding] | None]
) -> list[str]:
    forward = _messages(compare(old.schema, new), "old", "new") if is_read_by_old(level) else []
    backward = _messages(compare(new, old.schema), "new", "old") if reads_old_data(level) else []
    messages = forward + backward
    if not messages:
        return []
    if backward or level not in _BACKWARD:
        messages += [f"{{oldSchemaVersion: {old.version}}}", _old_schema(old.text)]
    return messages


def _messages(findings: list[Finding] | None, reader: str, writer: str) -> list[str]:
    if findings is None:
        return ["Incompatible because of different schema type"]
    return [message(finding, reader, writer) for finding in findings]


def message(finding: Finding, reader: str, writer: str) -> str:
    """A finding as the registry's answers have it (reference, section 3). reader, writer: new, old."""
    # Not str.format: a name in the sentence may hold braces.
    description = finding.description.replace("{reader}", reader).replace("{writer}", writer)
    return f"{{errorType:'{finding.kind}', description:'{description}', additionalInfo:'{finding.detail}'}}"


def _old_schema(text: str) -> str:
    if len(text) <= MAX_OLD_SCHEMA:
        return f"{{oldSchema: '{text}'}}"
    return f"{{oldSchema: <truncated> '{text[:MAX_OLD_SCHEMA]}...'}}"
