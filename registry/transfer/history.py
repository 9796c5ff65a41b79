"""What happened to a registry, told from its log: who changed what, and when."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from registry.model import Config, Mode, QualifiedSubject
from registry.records import (
    ClearSubjectRecord,
    ConfigRecord,
    ContextRecord,
    DeleteSubjectRecord,
    LogRecord,
    ModeRecord,
    Record,
    SchemaRecord,
    UnknownRecord,
    from_log,
)
from registry.state import SchemaVersion, State
from registry.store import Entry
from registry.transfer.source import spelling

_LEVEL = "compatibilityLevel"


@dataclass(frozen=True, slots=True)
class Event:
    """A change of one subject, of a context (``:.ctx:``) or of the registry (scope None).

    time: milliseconds since 1970. principal: who asked for it, where the log knows.
    action: one word for programs. text: the same for people. details: version, id, and so on.
    """

    position: int
    time: int
    principal: str | None
    scope: str | None
    action: str
    text: str
    details: dict[str, Any] = field(default_factory=dict)

    @property
    def moment(self) -> str:
        """The time in ISO 8601, UTC."""
        utc = datetime.fromtimestamp(self.time / 1000, UTC)
        return utc.isoformat(timespec="milliseconds").replace("+00:00", "Z")

    def to_json(self) -> dict[str, Any]:
        """For programs; without what is not known."""
        principal = {} if self.principal is None else {"principal": self.principal}
        return {
            "time": self.moment,
            "position": self.position,
            **principal,
            "subject": self.scope,
            "action": self.action,
            **self.details,
            "text": self.text,
        }


def history(entries: Iterable[Entry], scope: str | None = None, *, since: int = 0) -> Iterator[Event]:
    """The changes that a log tells of, oldest first.

    entries: from position 1 on. scope: only those of this subject, or of a context (``:.ctx:``) and all in
    it. since: only those from this time on, in milliseconds since 1970.

    Raises LogFormatError for a record that cannot be read.
    """
    wanted = None if scope is None else QualifiedSubject.parse(scope)
    state = State()
    for entry in entries:
        if entry.time >= since:
            for record in entry.records:
                for where, action, text, details in _told(from_log(record), state):
                    if wanted is None or _is_in(where, wanted):
                        yield Event(entry.position, entry.time, entry.principal, where, action, text, details)
        state.apply(entry.position, entry.time, entry.records)


_Told = tuple[str | None, str, str, dict[str, Any]]


def _is_in(scope: str | None, wanted: QualifiedSubject) -> bool:
    found = QualifiedSubject.parse(scope or "")
    return found.context == wanted.context and wanted.name in {"", found.name}


def _told(record: Record, state: State) -> Iterator[_Told]:
    """What a record changes in the state before its entry: scope, action, text and details of each change."""
    match record:
        case SchemaRecord():
            yield from _schema(record, state)
        case DeleteSubjectRecord(name, int(last)):
            subject = spelling(name)
            going = [v for v in state.versions(subject) if v.version <= last]
            yield from _deleted(subject, going, "soft-deleted")
        case ClearSubjectRecord(scope, tombstone=False):
            for subject in sorted(state.subjects_in(scope)):
                going = [v for v in state.versions(subject, deleted=True) if v.deleted]
                yield from _deleted(subject, going, "permanently deleted")
        case ConfigRecord(scope, config):
            yield from _config(_scope(scope), state.config(scope), config)
        case ModeRecord(scope, mode):
            yield from _mode(_scope(scope), state.mode(scope), mode)
        case ContextRecord(context, gone):
            if gone == (context in state.contexts()):
                action = "context deleted" if gone else "context made"
                yield f":{context}:", action, action, {}
        case UnknownRecord(LogRecord(key)):
            about, keytype = key.get("subject"), key.get("keytype")
            text = f"a record of keytype {keytype}, which changes nothing here"
            yield about if isinstance(about, str) else None, "unknown", text, {"keytype": keytype}
        case _:
            pass  # tombstones of what is past


def _schema(record: SchemaRecord, state: State) -> Iterator[_Told]:
    subject = spelling(record.subject)
    old = state.version(subject, record.version, deleted=True)
    if record.content is None:
        if old is not None:
            yield from _deleted(subject, [old], "permanently deleted")
        return
    details = {"version": record.version, "id": record.id}
    what = f"version {record.version} with id {record.id}"
    digest = record.content.digest()
    known = state.digest_of(QualifiedSubject.parse(subject).context, record.id)
    if known not in {None, digest}:
        text = f"{what} ignored: the id stands for another schema"
        yield subject, "ignored", text, details
    elif old is None:
        suffix = ", soft-deleted" if record.deleted else ""
        yield subject, "registered", f"registered {what}{suffix}", {**details, "deleted": record.deleted}
    elif (old.id, old.digest) != (record.id, digest):
        yield subject, "replaced", f"replaced {what} (was id {old.id})", {**details, "was": old.id}
    elif record.deleted and not old.deleted:
        yield from _deleted(subject, [old], "soft-deleted")
    elif old.deleted and not record.deleted:
        yield subject, "brought back", f"brought back {what}", details


def _deleted(subject: str, versions: list[SchemaVersion], action: str) -> Iterator[_Told]:
    for version in versions:
        details = {"version": version.version, "id": version.id}
        yield subject, action, f"{action} version {version.version} with id {version.id}", details


def _config(scope: str | None, old: Config | None, new: Config | None) -> Iterator[_Told]:
    """One change for each setting; a reset is one."""
    before = {} if old is None else old.to_json()
    if new is None:
        if old is not None:
            settings = ", ".join(f"{_name(key)} was {_value(value)}" for key, value in before.items())
            yield scope, "config reset", f"config reset ({settings})", {"was": before}
        return
    after = new.to_json()
    if old is None and not after:
        yield scope, "config set", "config set, with nothing in it", {}
    for key in dict.fromkeys([*after, *before]):
        was = {} if key not in before else {"was": before[key]}
        if key not in after:
            text = f"{_name(key)} cleared{_from(_value(before[key]))}"
            yield scope, "config cleared", text, {"setting": key, **was}
        elif after[key] != before.get(key):
            text = f"{_name(key)} set to {_value(after[key])}{_from(_value(before.get(key)))}"
            yield scope, "config set", text, {"setting": key, "value": after[key], **was}


def _mode(scope: str | None, old: Mode | None, new: Mode | None) -> Iterator[_Told]:
    was = {} if old is None else {"was": str(old)}
    if new is None and old is not None:
        yield scope, "mode reset", f"mode reset (was {old})", was
    elif new is not None and new != old:
        yield scope, "mode set", f"mode set to {new}{_from(old)}", {"mode": str(new), **was}


def _scope(scope: str | None) -> str | None:
    return spelling(scope or "") or None


def _from(old: object) -> str:
    return "" if old is None else f" (from {old})"


def _name(key: str) -> str:
    return "compatibility" if key == _LEVEL else key


def _value(value: object) -> object:
    """A setting for people: what is long is only said to be there."""
    if isinstance(value, dict):
        return "{…}"
    return str(value).lower() if isinstance(value, bool) else value
