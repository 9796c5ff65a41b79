"""The records of the registry's log, and their JSON.

A record is a key and a value, exactly as Confluent keeps them in its
``_schemas`` topic (reference, section 5). A value of None is a tombstone: what
the key names is gone. Each class here is one ``keytype``; a keytype that we do
not know is kept as it came and changes nothing.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from registry.contract import Metadata, RuleSet
from registry.errors import InvalidCompatibilityLevelError, InvalidModeError, LogFormatError
from registry.model import Config, Mode, SchemaContent, references_from_json

Json = dict[str, Any]


class LogRecord(NamedTuple):
    """A record as the store keeps it."""

    key: Json
    value: Json | None

    def to_json(self) -> Json:
        return {"key": self.key, "value": self.value}


@dataclass(frozen=True, slots=True)
class SchemaRecord:
    """A version of a subject. Written again with `deleted` to soft-delete it; no content: it is gone."""

    subject: str
    version: int
    id: int = 0
    content: SchemaContent | None = None
    deleted: bool = False

    def to_log(self) -> LogRecord:
        key = {"keytype": "SCHEMA", "subject": self.subject, "version": self.version, "magic": 1}
        content = self.content
        if content is None:
            return LogRecord(key, None)
        value: Json = {
            "subject": self.subject,
            "version": self.version,
            "id": self.id,
            "schemaType": content.schema_type,
        }
        if content.references:
            value["references"] = [reference.to_json() for reference in content.references]
        if content.metadata is not None:
            value["metadata"] = content.metadata.to_json()
        if content.rule_set is not None:
            value["ruleSet"] = content.rule_set.to_json()
        value["schema"] = content.text
        value["deleted"] = self.deleted
        return LogRecord(key, value)

    @classmethod
    def from_log(cls, key: Json, value: Json | None) -> "SchemaRecord":
        if value is None:
            return cls(key["subject"], int(key["version"]))
        if not (isinstance(value["id"], int) and isinstance(value["schema"], str)):
            raise TypeError("the id must be a number, the schema a text")
        metadata, rule_set = value.get("metadata"), value.get("ruleSet")
        content = SchemaContent(
            value.get("schemaType") or "AVRO",
            value["schema"],
            references_from_json(value.get("references")),
            None if metadata is None else Metadata.from_json(metadata),
            None if rule_set is None else RuleSet.from_json(rule_set),
        )
        return cls(key["subject"], int(key["version"]), value["id"], content, bool(value.get("deleted")))


@dataclass(frozen=True, slots=True)
class ConfigRecord:
    """The config of a subject, a context (``:.ctx:``) or the registry (None); no config: it is reset."""

    subject: str | None
    config: Config | None

    def to_log(self) -> LogRecord:
        key = {"keytype": "CONFIG", "subject": self.subject, "magic": 0}
        if self.config is None:
            return LogRecord(key, None)
        return LogRecord(key, {"subject": self.subject, **self.config.to_json()})

    @classmethod
    def from_log(cls, key: Json, value: Json | None) -> "ConfigRecord":
        return cls(key.get("subject"), None if value is None else Config.from_json(value))


@dataclass(frozen=True, slots=True)
class ModeRecord:
    """The mode of a subject, a context (``:.ctx:``) or the registry (None); no mode: it is reset."""

    subject: str | None
    mode: Mode | None

    def to_log(self) -> LogRecord:
        key = {"keytype": "MODE", "subject": self.subject, "magic": 0}
        if self.mode is None:
            return LogRecord(key, None)
        return LogRecord(key, {"subject": self.subject, "mode": str(self.mode)})

    @classmethod
    def from_log(cls, key: Json, value: Json | None) -> "ModeRecord":
        return cls(key.get("subject"), None if value is None else Mode.parse(value["mode"]))


@dataclass(frozen=True, slots=True)
class DeleteSubjectRecord:
    """Soft-deletes the versions of a subject up to and with `version`; none: nothing changes."""

    subject: str
    version: int | None

    def to_log(self) -> LogRecord:
        key = {"keytype": "DELETE_SUBJECT", "subject": self.subject, "magic": 0}
        if self.version is None:
            return LogRecord(key, None)
        return LogRecord(key, {"subject": self.subject, "version": self.version})

    @classmethod
    def from_log(cls, key: Json, value: Json | None) -> "DeleteSubjectRecord":
        return cls(key["subject"], None if value is None else value["version"])


@dataclass(frozen=True, slots=True)
class ClearSubjectRecord:
    """Drops the soft-deleted versions of a subject or of all in a scope, unless it is a tombstone itself.

    subject: one, a context (``:.ctx:``), the default context (None) or all of them (``:.__GLOBAL:``).
    """

    subject: str | None
    tombstone: bool = False

    def to_log(self) -> LogRecord:
        key = {"keytype": "CLEAR_SUBJECT", "subject": self.subject, "magic": 0}
        return LogRecord(key, None if self.tombstone else {"subject": self.subject})

    @classmethod
    def from_log(cls, key: Json, value: Json | None) -> "ClearSubjectRecord":
        return cls(key["subject"], value is None)


@dataclass(frozen=True, slots=True)
class ContextRecord:
    """A context has come into being, or (a tombstone) is gone."""

    context: str
    tombstone: bool = False
    tenant: str = "default"

    def to_log(self) -> LogRecord:
        key = {"keytype": "CONTEXT", "tenant": self.tenant, "context": self.context, "magic": 0}
        return LogRecord(key, None if self.tombstone else {"tenant": self.tenant, "context": self.context})

    @classmethod
    def from_log(cls, key: Json, value: Json | None) -> "ContextRecord":
        return cls(key["context"], value is None, key.get("tenant", "default"))


@dataclass(frozen=True, slots=True)
class NoopRecord:
    """Changes nothing: Confluent's leaders write it to find the end of the log."""

    def to_log(self) -> LogRecord:
        return LogRecord({"keytype": "NOOP", "magic": 0}, None)

    @classmethod
    def from_log(cls, key: Json, value: Json | None) -> "NoopRecord":  # noqa: ARG003 - as all the others
        return cls()


@dataclass(frozen=True, slots=True)
class UnknownRecord:
    """A record of a keytype that we do not know."""

    record: LogRecord

    def to_log(self) -> LogRecord:
        return self.record


Record = (
    SchemaRecord
    | ConfigRecord
    | ModeRecord
    | DeleteSubjectRecord
    | ClearSubjectRecord
    | ContextRecord
    | NoopRecord
    | UnknownRecord
)

_FROM_LOG: Mapping[object, Callable[[Json, Json | None], Record]] = {
    "SCHEMA": SchemaRecord.from_log,
    "CONFIG": ConfigRecord.from_log,
    "MODE": ModeRecord.from_log,
    "DELETE_SUBJECT": DeleteSubjectRecord.from_log,
    "CLEAR_SUBJECT": ClearSubjectRecord.from_log,
    "CONTEXT": ContextRecord.from_log,
    "NOOP": NoopRecord.from_log,
}


def from_log(record: LogRecord) -> Record:
    """Read a record of the log.

    Raises LogFormatError where a part that the keytype must have is missing or of another type.
    """
    try:
        read = _FROM_LOG.get(record.key.get("keytype"))
        return UnknownRecord(record) if read is None else read(record.key, record.value)
    except (
        KeyError,
        TypeError,
        AttributeError,
        ValueError,
        InvalidCompatibilityLevelError,
        InvalidModeError,
    ) as fault:
        raise LogFormatError(
            f"the log holds a record that is not as Confluent writes it ({type(fault).__name__}: {fault}): "
            f"key {record.key}. Restore the store from a backup, or take the record out"
        ) from fault
