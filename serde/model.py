"""What the registry client takes and gives: plain, immutable values."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Reference:
    """A schema that another one uses.

    name: the full name of the type that is used. subject, version: where it is registered.
    """

    name: str
    subject: str
    version: int


@dataclass(frozen=True, slots=True)
class Metadata:
    """What a schema says about itself: see data contracts.

    tags: of parts of the schema, by path. properties: free; `RegistryClient.latest_with_metadata` finds
    schemas by them. sensitive: the names of the properties that are secret.
    """

    properties: Mapping[str, str] = field(default_factory=dict)
    tags: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    sensitive: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule of a data contract. Serializers act on it; the registry keeps it.

    kind: ``TRANSFORM`` or ``CONDITION``. mode: ``WRITE``, ``READ``, ``WRITEREAD``; of migrations ``UPGRADE``,
    ``DOWNGRADE``, ``UPDOWN``. type: of what carries it out (``CEL``, ...). The others are the rule's own.
    """

    name: str
    type: str
    kind: str = "TRANSFORM"
    mode: str = "WRITEREAD"
    expr: str | None = None
    tags: tuple[str, ...] = ()
    params: Mapping[str, str] = field(default_factory=dict)
    on_success: str | None = None
    on_failure: str | None = None
    doc: str | None = None
    disabled: bool = False


@dataclass(frozen=True, slots=True)
class RuleSet:
    """The rules of a schema by phase, each in order. enable_at: when they begin to hold."""

    migration_rules: tuple[Rule, ...] = ()
    domain_rules: tuple[Rule, ...] = ()
    encoding_rules: tuple[Rule, ...] = ()
    enable_at: str | None = None


@dataclass(frozen=True, slots=True)
class Schema:
    """A schema as the registry keeps it.

    id: what messages carry; None for one found by its guid, if the registry does not say.
    text: the canonical text, not the text that was sent.
    schema_type: ``AVRO``, ``JSON`` or ``PROTOBUF``. guid: None from a registry that has none.
    metadata, rule_set: None where it has none.
    """

    id: int | None
    text: str
    references: tuple[Reference, ...] = ()
    schema_type: str = "AVRO"
    guid: str | None = None
    metadata: Metadata | None = field(default=None, hash=False)
    rule_set: RuleSet | None = field(default=None, hash=False)


@dataclass(frozen=True, slots=True)
class RegisteredSchema:
    """A schema as a version of a subject; the other fields are `Schema`'s."""

    subject: str
    version: int
    id: int
    text: str
    references: tuple[Reference, ...] = ()
    schema_type: str = "AVRO"
    guid: str | None = None
    metadata: Metadata | None = field(default=None, hash=False)
    rule_set: RuleSet | None = field(default=None, hash=False)


@dataclass(frozen=True, slots=True)
class SubjectVersion:
    """A version of a subject, by its number."""

    subject: str
    version: int


@dataclass(frozen=True, slots=True)
class ContextId:
    """An id, and the context in which it is one: ``.`` is the default."""

    context: str
    id: int


@dataclass(frozen=True, slots=True)
class Compatibility:
    """The verdict on a schema. messages: why not, in the registry's words; empty if compatible."""

    is_compatible: bool
    messages: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Config:
    """The settings of a subject, or of all.

    compatibility: the level (``BACKWARD``, ...), None if it is not set here.
    properties: everything the registry said, by its own names.
    """

    compatibility: str | None
    properties: Mapping[str, Any]
