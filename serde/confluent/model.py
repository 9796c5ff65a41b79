"""Schemas and settings as `confluent_kafka.schema_registry` has them: its names, and the registry's JSON."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Self

from serde import model


class ConfigCompatibilityLevel(str, Enum):  # noqa: UP042 - formatted it is its value, as there
    """What may change between versions."""

    BACKWARD = "BACKWARD"
    BACKWARD_TRANSITIVE = "BACKWARD_TRANSITIVE"
    FORWARD = "FORWARD"
    FORWARD_TRANSITIVE = "FORWARD_TRANSITIVE"
    FULL = "FULL"
    FULL_TRANSITIVE = "FULL_TRANSITIVE"
    NONE = "NONE"

    def __str__(self) -> str:
        return self.value


class RuleKind(str, Enum):  # noqa: UP042
    """What a rule does."""

    CONDITION = "CONDITION"
    TRANSFORM = "TRANSFORM"

    def __str__(self) -> str:
        return self.value


class RuleMode(str, Enum):  # noqa: UP042
    """When a rule acts."""

    UPGRADE = "UPGRADE"
    DOWNGRADE = "DOWNGRADE"
    UPDOWN = "UPDOWN"
    READ = "READ"
    WRITE = "WRITE"
    WRITEREAD = "WRITEREAD"

    def __str__(self) -> str:
        return self.value


@dataclass(frozen=True)
class SchemaReference:
    """A schema that another one uses: the name of its type, and where it is registered."""

    name: str | None
    subject: str | None
    version: int | None

    def to_dict(self) -> dict[str, Any]:
        """As the registry has it."""
        return _present(name=self.name, subject=self.subject, version=self.version)

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any]) -> Self:
        """From what the registry has."""
        return cls(src_dict.get("name"), src_dict.get("subject"), src_dict.get("version"))


@dataclass(frozen=True)
class MetadataTags:
    """Tags of parts of a schema, by path."""

    tags: dict[str, list[str]] = field(default_factory=dict, hash=False)

    def to_dict(self) -> dict[str, Any]:
        """As the registry has it."""
        return dict(self.tags)

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any]) -> Self:
        """From what the registry has."""
        return cls(dict(src_dict))


@dataclass(frozen=True)
class MetadataProperties:
    """Free properties of a schema."""

    properties: dict[str, str] = field(default_factory=dict, hash=False)

    def to_dict(self) -> dict[str, Any]:
        """As the registry has it."""
        return dict(self.properties)

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any]) -> Self:
        """From what the registry has."""
        return cls(dict(src_dict))


@dataclass(frozen=True)
class RuleParams:
    """What a rule is told."""

    params: dict[str, str] = field(default_factory=dict, hash=False)

    def to_dict(self) -> dict[str, Any]:
        """As the registry has it."""
        return dict(self.params)

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any]) -> Self:
        """From what the registry has."""
        return cls(dict(src_dict))


@dataclass(frozen=True)
class Metadata:
    """What a schema says about itself."""

    tags: MetadataTags | None
    properties: MetadataProperties | None
    sensitive: list[str] | None = field(hash=False)

    def to_dict(self) -> dict[str, Any]:
        """As the registry has it."""
        return _present(tags=_dict(self.tags), properties=_dict(self.properties), sensitive=self.sensitive)

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any]) -> Self:
        """From what the registry has."""
        return cls(
            MetadataTags.from_dict(src_dict["tags"]) if src_dict.get("tags") is not None else None,
            MetadataProperties.from_dict(src_dict["properties"])
            if src_dict.get("properties") is not None
            else None,
            src_dict.get("sensitive", []),
        )


@dataclass(frozen=True)
class Rule:
    """One rule of a data contract."""

    name: str | None
    doc: str | None
    kind: RuleKind | None
    mode: RuleMode | None
    type: str | None
    tags: list[str] | None = field(hash=False)
    params: RuleParams | None
    expr: str | None
    on_success: str | None
    on_failure: str | None
    disabled: bool | None

    def to_dict(self) -> dict[str, Any]:
        """As the registry has it."""
        return _present(
            name=self.name,
            doc=self.doc,
            kind=None if self.kind is None else str(RuleKind(self.kind)),
            mode=None if self.mode is None else str(RuleMode(self.mode)),
            type=self.type,
            tags=self.tags,
            params=_dict(self.params),
            expr=self.expr,
            onSuccess=self.on_success,
            onFailure=self.on_failure,
            disabled=self.disabled,
        )

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any]) -> Self:
        """From what the registry has."""
        get = src_dict.get
        return cls(
            name=get("name"),
            doc=get("doc"),
            kind=RuleKind(get("kind")) if get("kind") is not None else None,
            mode=RuleMode(get("mode")) if get("mode") is not None else None,
            type=get("type"),
            tags=get("tags"),
            params=RuleParams.from_dict(src_dict["params"]) if get("params") is not None else None,
            expr=get("expr"),
            on_success=get("onSuccess"),
            on_failure=get("onFailure"),
            disabled=get("disabled"),
        )


@dataclass(frozen=True)
class RuleSet:
    """The rules of a schema, by phase."""

    migration_rules: list[Rule] | None = field(hash=False)
    domain_rules: list[Rule] | None = field(hash=False)
    encoding_rules: list[Rule] | None = field(default=None, hash=False)
    enable_at: str | None = None

    def to_dict(self) -> dict[str, Any]:
        """As the registry has it."""
        return _present(
            migrationRules=_rules(self.migration_rules),
            domainRules=_rules(self.domain_rules),
            encodingRules=_rules(self.encoding_rules),
            enableAt=self.enable_at,
        )

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any]) -> Self:
        """From what the registry has."""
        phases = (src_dict.get(name) for name in ("migrationRules", "domainRules", "encodingRules"))
        migration, domain, encoding = ([Rule.from_dict(rule) for rule in rules or ()] for rules in phases)
        return cls(migration, domain, encoding, src_dict.get("enableAt"))


@dataclass(frozen=True)
class Schema:
    """A schema: its text, its language, and what belongs to it."""

    schema_str: str | None
    schema_type: str | None = "AVRO"
    references: list[SchemaReference] | None = field(default_factory=list, hash=False)
    metadata: Metadata | None = field(default=None, hash=False)
    rule_set: RuleSet | None = field(default=None, hash=False)

    def to_dict(self) -> dict[str, Any]:
        """As the registry has it."""
        return _present(
            schema=self.schema_str,
            schemaType=self.schema_type,
            references=[reference.to_dict() for reference in self.references or ()],
            metadata=_dict(self.metadata),
            ruleSet=_dict(self.rule_set),
        )

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any]) -> Self:
        """From what the registry has."""
        get = src_dict.get
        return cls(
            get("schema"),
            get("schemaType") or "AVRO",
            [SchemaReference.from_dict(each) for each in get("references") or ()],
            _metadata(get("metadata")),
            _rule_set(get("ruleSet")),
        )


@dataclass(frozen=True)
class RegisteredSchema:
    """A schema as a version of a subject."""

    subject: str | None
    version: int | None
    schema_id: int | None
    guid: str | None
    schema: Schema

    def to_dict(self) -> dict[str, Any]:
        """As the registry has it."""
        return {
            **self.schema.to_dict(),
            **_present(id=self.schema_id, guid=self.guid, subject=self.subject, version=self.version),
        }

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any]) -> Self:
        """From what the registry has."""
        get = src_dict.get
        return cls(get("subject"), get("version"), get("id"), get("guid"), Schema.from_dict(src_dict))


@dataclass(frozen=True)
class SchemaVersion:
    """A version of a subject, by its number."""

    subject: str | None
    version: int | None

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any]) -> Self:
        """From what the registry has."""
        return cls(src_dict.get("subject"), src_dict.get("version"))


@dataclass(frozen=True)
class ServerConfig:
    """The settings of a subject, or of all."""

    compatibility: ConfigCompatibilityLevel | None = None
    compatibility_level: ConfigCompatibilityLevel | None = None
    compatibility_group: str | None = None
    default_metadata: Metadata | None = field(default=None, hash=False)
    override_metadata: Metadata | None = field(default=None, hash=False)
    default_rule_set: RuleSet | None = field(default=None, hash=False)
    override_rule_set: RuleSet | None = field(default=None, hash=False)

    def to_dict(self) -> dict[str, Any]:
        """As the registry has it."""
        levels = (self.compatibility, self.compatibility_level)
        own, read = (None if level is None else str(ConfigCompatibilityLevel(level)) for level in levels)
        return _present(
            compatibility=own,
            compatibilityLevel=read,
            compatibilityGroup=self.compatibility_group,
            defaultMetadata=_dict(self.default_metadata),
            overrideMetadata=_dict(self.override_metadata),
            defaultRuleSet=_dict(self.default_rule_set),
            overrideRuleSet=_dict(self.override_rule_set),
        )

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any]) -> Self:
        """From what the registry has."""
        get = src_dict.get
        return cls(
            compatibility=_level(get("compatibility")),
            compatibility_level=_level(get("compatibilityLevel")),
            compatibility_group=get("compatibilityGroup"),
            default_metadata=_metadata(get("defaultMetadata")),
            override_metadata=_metadata(get("overrideMetadata")),
            default_rule_set=_rule_set(get("defaultRuleSet")),
            override_rule_set=_rule_set(get("overrideRuleSet")),
        )


def references_of(schema: Schema) -> tuple[model.Reference, ...]:
    """The references as `serde` has them. Raises TypeError for one that is not whole."""
    made = []
    for each in schema.references or ():
        if each.name is None or each.subject is None or each.version is None:
            raise TypeError(f"a reference has a name, a subject and a version: {each}")
        made.append(model.Reference(each.name, each.subject, each.version))
    return tuple(made)


def _present(**members: Any) -> dict[str, Any]:
    return {name: value for name, value in members.items() if value is not None}


def _dict(part: Any) -> dict[str, Any] | None:
    return None if part is None else dict(part.to_dict())


def _rules(rules: list[Rule] | None) -> list[dict[str, Any]] | None:
    return None if rules is None else [rule.to_dict() for rule in rules]


def _metadata(found: Mapping[str, Any] | None) -> Metadata | None:
    return None if found is None else Metadata.from_dict(found)


def _rule_set(found: Mapping[str, Any] | None) -> RuleSet | None:
    return None if found is None else RuleSet.from_dict(found)


def _level(found: str | None) -> ConfigCompatibilityLevel | None:
    return None if found is None else ConfigCompatibilityLevel(found)
