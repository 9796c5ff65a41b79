"""The nouns of a registry: subjects, schemas, references, data contracts, configs and modes.

All are immutable. The JSON that some of them read and write is the one of the
HTTP API, which is also the one of the log (reference, sections 1.9 and 5).
"""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields, replace
from enum import StrEnum
from typing import Any, Self

from registry.contract import Metadata, RuleSet
from registry.errors import InvalidCompatibilityLevelError, InvalidModeError, InvalidSubjectError

DEFAULT_CONTEXT = "."
GLOBAL_CONTEXT = ".__GLOBAL"
GLOBAL_SCOPE = f":{GLOBAL_CONTEXT}:"
"""The scope around all contexts. It has a config and a mode, and no subjects."""
LATEST = -1
MAX_VERSION = 2**31 - 1
MAX_ID = 2**31 - 1
"""The highest that every client reads from the four bytes of a message."""
_RESERVED_NAMES = {"__GLOBAL", "__EMPTY"}


@dataclass(frozen=True, slots=True, order=True)
class QualifiedSubject:
    """A subject and the context it lives in. ``str()`` is its one spelling.

    >>> str(QualifiedSubject.parse(":.:orders"))
    'orders'
    >>> QualifiedSubject.parse(":.eu:orders")
    QualifiedSubject(context='.eu', name='orders')
    """

    context: str
    name: str

    @classmethod
    def parse(cls, text: str, default_context: str = DEFAULT_CONTEXT) -> Self:
        """Read ``:.ctx:subject``, or a bare name, which is in `default_context`."""
        if not text.startswith(":."):
            return cls(default_context, text)
        context, _, name = text[1:].partition(":")
        return cls(context, name)

    def __str__(self) -> str:
        if self.context == DEFAULT_CONTEXT and not self.name.startswith(":."):
            return self.name
        return f":{self.context}:{self.name}"

    def check(self) -> None:
        """Raises InvalidSubjectError for names that no subject may have (42208)."""
        whole = f"{self.context}{self.name}"
        if self.name in _RESERVED_NAMES or self.context == GLOBAL_CONTEXT or not _is_printable(whole):
            raise InvalidSubjectError(str(self))


def context_of(subject: str) -> str:
    """The context of a subject in its one spelling; cheaper than `QualifiedSubject.parse`."""
    return QualifiedSubject.parse(subject).context if subject.startswith(":.") else DEFAULT_CONTEXT


def context_name(text: str) -> str | None:
    """A context given with or without its colons (``:.ctx:`` or ``.ctx``); None for what cannot be one."""
    name = text.removeprefix(":").removesuffix(":")
    return name if name.startswith(".") and ":" not in name else None


def _is_printable(text: str) -> bool:
    return not any(character < " " or "\x7f" <= character <= "\x9f" for character in text)


@dataclass(frozen=True, slots=True)
class SchemaReference:
    """`name`, as the schema uses it, stands for `version` of `subject` (or of its latest: -1)."""

    name: str
    subject: str
    version: int

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Self:
        """Raises KeyError where a part is missing."""
        return cls(value["name"], value["subject"], value["version"])

    def to_json(self) -> dict[str, Any]:
        return {"name": self.name, "subject": self.subject, "version": self.version}


@dataclass(frozen=True, slots=True)
class SchemaContent:
    """What an id stands for: the canonical text and all that gives it its meaning."""

    schema_type: str
    text: str
    references: tuple[SchemaReference, ...] = ()
    metadata: Metadata | None = None
    rule_set: RuleSet | None = None
    _digest: bytes | None = field(default=None, init=False, repr=False, compare=False)

    def digest(self) -> bytes:
        """The 16 bytes by which contents are told apart, equal to Confluent's (reference, 2.1).

        `schema_type` is not in it. It is worked out when it is asked for, once.
        """
        if self._digest is not None:
            return self._digest
        md5 = hashlib.md5(self.text.encode(), usedforsecurity=False)
        for reference in self.references:
            md5.update(reference.name.encode())
            md5.update(reference.subject.encode())
            md5.update((reference.version & 0xFFFFFFFF).to_bytes(4, "big"))
        if self.metadata is not None:
            self.metadata.feed(md5.update)
        if self.rule_set is not None:
            self.rule_set.feed(md5.update)
        digest = md5.digest()
        object.__setattr__(self, "_digest", digest)
        return digest


def guid_of(digest: bytes) -> str:
    """A content's digest in the form the API shows it."""
    digits = digest.hex()
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"


class CompatibilityLevel(StrEnum):
    """How a new version must get on with the ones before it."""

    NONE = "NONE"
    BACKWARD = "BACKWARD"
    BACKWARD_TRANSITIVE = "BACKWARD_TRANSITIVE"
    FORWARD = "FORWARD"
    FORWARD_TRANSITIVE = "FORWARD_TRANSITIVE"
    FULL = "FULL"
    FULL_TRANSITIVE = "FULL_TRANSITIVE"

    @classmethod
    def parse(cls, text: str) -> Self:
        """Any letter case. Raises InvalidCompatibilityLevelError (42203)."""
        try:
            return cls(text.upper())
        except ValueError:
            raise InvalidCompatibilityLevelError from None


class Mode(StrEnum):
    """What a subject, a context or the whole registry lets happen."""

    READWRITE = "READWRITE"
    READONLY = "READONLY"
    READONLY_OVERRIDE = "READONLY_OVERRIDE"
    IMPORT = "IMPORT"
    FORWARD = "FORWARD"

    @classmethod
    def parse(cls, text: str) -> Self:
        """Any letter case. Raises InvalidModeError (42204)."""
        try:
            return cls(text.upper())
        except ValueError:
            raise InvalidModeError from None

    @property
    def is_read_only(self) -> bool:
        return self in {Mode.READONLY, Mode.READONLY_OVERRIDE}

    @property
    def takes_ids(self) -> bool:
        """Schemas come with their ids, and are neither checked nor completed."""
        return self in {Mode.IMPORT, Mode.FORWARD}


@dataclass(frozen=True, slots=True)
class Config:
    """The settings of one scope. None: not set here, ask the scope around it."""

    compatibility_level: CompatibilityLevel | None = None
    alias: str | None = None
    alias_for_deks: str | None = None
    normalize: bool | None = None
    validate_fields: bool | None = None
    validate_new_schemas: bool | None = None
    validate_rules: bool | None = None
    compatibility_policy: str | None = None
    compatibility_group: str | None = None
    default_metadata: Metadata | None = None
    override_metadata: Metadata | None = None
    default_rule_set: RuleSet | None = None
    override_rule_set: RuleSet | None = None

    def over(self, outer: "Config") -> "Config":
        """This config with what it does not set taken from `outer`, field by field."""
        missing = {
            field.name: getattr(outer, field.name)
            for field in fields(self)
            if getattr(self, field.name) is None
        }
        return replace(self, **missing)

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> "Config":
        """Read the API's keys (``compatibilityLevel``, ``alias``, ...); others are ignored."""
        return cls(**config_changes(value))

    def to_json(self) -> dict[str, Any]:
        """Only what is set, under the API's keys."""
        out: dict[str, Any] = {}
        for key, name in CONFIG_KEYS.items():
            value = getattr(self, name)
            if value is not None:
                out[key] = value.to_json() if isinstance(value, Metadata | RuleSet) else value
        return out


CONFIG_KEYS = {
    "alias": "alias",
    "aliasForDeks": "alias_for_deks",
    "normalize": "normalize",
    "validateFields": "validate_fields",
    "validateNewSchemas": "validate_new_schemas",
    "validateRules": "validate_rules",
    "compatibilityLevel": "compatibility_level",
    "compatibilityPolicy": "compatibility_policy",
    "compatibilityGroup": "compatibility_group",
    "defaultMetadata": "default_metadata",
    "overrideMetadata": "override_metadata",
    "defaultRuleSet": "default_rule_set",
    "overrideRuleSet": "override_rule_set",
}
"""A config's keys in the API and the log, and its field for each."""


def config_changes(value: Mapping[str, Any]) -> dict[str, Any]:
    """A JSON config as changes to `Config`'s fields: an absent key keeps, null clears.

    Raises InvalidCompatibilityLevelError (42203).
    """
    changes: dict[str, Any] = {}
    for key, name in CONFIG_KEYS.items():
        if key not in value:
            continue
        raw = value[key]
        if raw is None:
            changes[name] = None
        elif name == "compatibility_level":
            changes[name] = CompatibilityLevel.parse(raw)
        elif name.endswith("_metadata"):
            changes[name] = Metadata.from_json(raw)
        elif name.endswith("_rule_set"):
            changes[name] = RuleSet.from_json(raw)
        else:
            changes[name] = raw
    return changes


def references_from_json(values: Iterable[Mapping[str, Any]] | None) -> tuple[SchemaReference, ...]:
    """The references of a schema; none where the key is absent or null."""
    return tuple(SchemaReference.from_json(value) for value in values or ())
