"""The JSON of a registry's answers as values, and of values as it is sent."""

from collections.abc import Iterable, Mapping
from typing import Any, TypeVar

from serde import arguments
from serde.model import (
    Compatibility,
    Config,
    ContextId,
    Metadata,
    Reference,
    RegisteredSchema,
    Rule,
    RuleSet,
    Schema,
    SubjectVersion,
)

T = TypeVar("T")

_PHASES = ("migrationRules", "domainRules", "encodingRules")


class Malformed(Exception):
    """An answer that no schema registry gives; says what of it."""


def schema(answer: Any, schema_id: int | None) -> Schema:
    """The answer to an id or a guid."""
    return Schema(
        schema_id if schema_id is not None else _optional(answer, "id", int),
        _field(answer, "schema", str),
        _references(answer),
        _optional(answer, "schemaType", str) or "AVRO",
        _optional(answer, "guid", str),
        _metadata(_optional(answer, "metadata", dict)),
        _rule_set(_optional(answer, "ruleSet", dict)),
    )


def registered_schema(answer: Any) -> RegisteredSchema:
    """A version of a subject."""
    schema_id = _field(answer, "id", int)
    found = schema(answer, schema_id)
    return RegisteredSchema(
        _field(answer, "subject", str),
        _field(answer, "version", int),
        schema_id,
        found.text,
        found.references,
        found.schema_type,
        found.guid,
        found.metadata,
        found.rule_set,
    )


def registered_schemas(answer: Any) -> list[RegisteredSchema]:
    """Versions of subjects."""
    return [registered_schema(item) for item in _list(answer, dict)]


def as_schema(found: RegisteredSchema) -> Schema:
    """What a version has by its id."""
    return Schema(
        found.id,
        found.text,
        found.references,
        found.schema_type,
        found.guid,
        found.metadata,
        found.rule_set,
    )


def strings(answer: Any) -> list[str]:
    """Names."""
    return _list(answer, str)


def numbers(answer: Any) -> list[int]:
    """Versions, or ids."""
    return _list(answer, int)


def number(answer: Any) -> int:
    """A version."""
    if type(answer) is not int:
        raise Malformed(f"a version is expected, not {_shown(answer)}")
    return answer


def subject_versions(answer: Any) -> list[SubjectVersion]:
    """Where an id is used."""
    return [
        SubjectVersion(_field(item, "subject", str), _field(item, "version", int))
        for item in _list(answer, dict)
    ]


def context_ids(answer: Any) -> list[ContextId]:
    """The ids of a guid."""
    return [ContextId(_field(item, "context", str), _field(item, "id", int)) for item in _list(answer, dict)]


def compatibility(answer: Any) -> Compatibility:
    """The verdict on a schema."""
    messages = _list(_optional(answer, "messages", list) or [], str)
    return Compatibility(_field(answer, "is_compatible", bool), tuple(messages))


def config(answer: Any) -> Config:
    """Settings."""
    # The registry answers a GET with one name and a PUT with the other.
    read = _optional(answer, "compatibilityLevel", str)
    return Config(read or _optional(answer, "compatibility", str), dict(answer))


def mode(answer: Any) -> str:
    """A mode."""
    return _field(answer, "mode", str)


def nothing(answer: Any) -> None:
    """Whatever it says."""


def body(
    text: str,
    references: Iterable[Reference],
    schema_type: str,
    metadata: Metadata | None = None,
    rule_set: RuleSet | None = None,
) -> dict[str, Any]:
    """What registering, looking up and checking send. AVRO is left out: old registries know nothing else.

    Raises TypeError for what is of another kind.
    """
    arguments.text(text)
    references = arguments.references(references)
    arguments.contract(metadata, rule_set)
    sent: dict[str, Any] = {"schema": text}
    if schema_type != "AVRO":
        sent["schemaType"] = schema_type
    if references:
        sent["references"] = [
            {"name": r.name, "subject": r.subject, "version": r.version} for r in references
        ]
    if metadata is not None:
        sent["metadata"] = {
            "properties": dict(metadata.properties),
            "tags": {path: list(tags) for path, tags in metadata.tags.items()},
            "sensitive": list(metadata.sensitive),
        }
    if rule_set is not None:
        phases = (rule_set.migration_rules, rule_set.domain_rules, rule_set.encoding_rules)
        sent["ruleSet"] = {
            phase: [_rule_body(rule) for rule in rules] for phase, rules in zip(_PHASES, phases, strict=True)
        }
        if rule_set.enable_at is not None:
            sent["ruleSet"]["enableAt"] = rule_set.enable_at
    return sent


def _rule_body(rule: Rule) -> dict[str, Any]:
    parts = {
        "name": rule.name,
        "doc": rule.doc,
        "kind": rule.kind,
        "mode": rule.mode,
        "type": rule.type,
        "tags": list(rule.tags) or None,
        "params": dict(rule.params) or None,
        "expr": rule.expr,
        "onSuccess": rule.on_success,
        "onFailure": rule.on_failure,
        "disabled": rule.disabled,
    }
    return {name: value for name, value in parts.items() if value is not None}


def _metadata(answer: Mapping[str, Any] | None) -> Metadata | None:
    if answer is None:
        return None
    tags = _optional(answer, "tags", dict) or {}
    return Metadata(
        _texts(_optional(answer, "properties", dict)),
        {str(path): tuple(_list(names, str)) for path, names in tags.items()},
        tuple(_list(_optional(answer, "sensitive", list) or [], str)),
    )


def _rule_set(answer: Mapping[str, Any] | None) -> RuleSet | None:
    if answer is None:
        return None
    migration, domain, encoding = (
        tuple(_rule(rule) for rule in _list(_optional(answer, phase, list) or [], dict)) for phase in _PHASES
    )
    return RuleSet(migration, domain, encoding, _optional(answer, "enableAt", str))


def _rule(answer: Mapping[str, Any]) -> Rule:
    return Rule(
        name=_field(answer, "name", str),
        type=_optional(answer, "type", str) or "",
        kind=_optional(answer, "kind", str) or "TRANSFORM",
        mode=_optional(answer, "mode", str) or "WRITEREAD",
        expr=_optional(answer, "expr", str),
        tags=tuple(_list(_optional(answer, "tags", list) or [], str)),
        params=_texts(_optional(answer, "params", dict)),
        on_success=_optional(answer, "onSuccess", str),
        on_failure=_optional(answer, "onFailure", str),
        doc=_optional(answer, "doc", str),
        disabled=_optional(answer, "disabled", bool) or False,
    )


def _references(answer: Any) -> tuple[Reference, ...]:
    return tuple(
        Reference(_field(item, "name", str), _field(item, "subject", str), _field(item, "version", int))
        for item in _optional(answer, "references", list) or ()
    )


def _texts(answer: Mapping[str, Any] | None) -> dict[str, str]:
    """A mapping of strings, without those that are null."""
    found = {str(name): value for name, value in (answer or {}).items() if value is not None}
    _list(list(found.values()), str)
    return found


def _field(answer: Any, name: str, kind: type[T]) -> T:
    """A member that every registry's answer has."""
    value = _optional(answer, name, kind)
    if value is None:
        raise Malformed(f'"{name}" is missing in {_shown(answer)}')
    return value


def _optional(answer: Any, name: str, kind: type[T]) -> T | None:
    """A member that older registries leave out."""
    if not isinstance(answer, dict):
        raise Malformed(f"an object is expected, not {_shown(answer)}")
    value = answer.get(name)
    if value is not None and type(value) is not kind:
        raise Malformed(f'"{name}" should be {kind.__name__} in {_shown(answer)}')
    return value


def _list(answer: Any, kind: type[T]) -> list[T]:
    if not isinstance(answer, list) or not all(type(item) is kind for item in answer):
        raise Malformed(f"a list of {kind.__name__} is expected, not {_shown(answer)}")
    return answer


def _shown(answer: Any) -> str:
    return repr(str(answer)[:200])
