"""What a new schema takes on, from the version before it and from configs (reference, 2.2)."""

from collections.abc import Iterable, Mapping
from dataclasses import replace

from registry.contract import Metadata, Rule, RuleSet
from registry.model import Config, SchemaContent

_PHASES = ("migrationRules", "domainRules", "encodingRules")


def inherited(content: SchemaContent, latest: SchemaContent | None) -> SchemaContent:
    """`content` with the metadata and the rules of the latest version, where it has none of its own."""
    if latest is None or (latest.metadata is None and latest.rule_set is None):
        return content
    return replace(
        content,
        metadata=latest.metadata if content.metadata is None else content.metadata,
        rule_set=latest.rule_set if content.rule_set is None else content.rule_set,
    )


def adds_something(config: Config) -> bool:
    """Whether schemas take on metadata or rules of the config."""
    added = (
        config.default_metadata,
        config.override_metadata,
        config.default_rule_set,
        config.override_rule_set,
    )
    return any(part is not None for part in added)


def completed(content: SchemaContent, config: Config) -> SchemaContent:
    """`content` over the defaults of the config and under its overrides."""
    if not adds_something(config):
        return content
    metadata = _merge_metadata(config.default_metadata, content.metadata)
    rule_set = _merge_rule_sets(config.default_rule_set, content.rule_set)
    return replace(
        content,
        metadata=_merge_metadata(metadata, config.override_metadata),
        rule_set=_merge_rule_sets(rule_set, config.override_rule_set),
    )


def _merge_metadata(first: Metadata | None, second: Metadata | None) -> Metadata | None:
    """Tags and sensitive names of both; of a property that both have, the second's value."""
    if first is None or second is None:
        return first if second is None else second
    tags = {
        path: {*first.tags.get(path, ()), *second.tags.get(path, ())} for path in {*first.tags, *second.tags}
    }
    merged: Mapping[str, object] = {
        "tags": tags,
        "properties": {**first.properties, **second.properties},
        "sensitive": {*first.sensitive, *second.sensitive},
    }
    return Metadata.from_json(merged)  # which sorts


def _merge_rule_sets(first: RuleSet | None, second: RuleSet | None) -> RuleSet | None:
    """The first's rules and then the second's, phase by phase; of one name, the second's alone."""
    if first is None or second is None:
        return first if second is None else second
    phases = {
        phase: rules
        for phase in _PHASES
        if (rules := _merge_rules(first.phases.get(phase, ()), second.phases.get(phase, ())))
    }
    return RuleSet(phases, first.enable_at if second.enable_at is None else second.enable_at)


def _merge_rules(first: Iterable[Rule], second: Iterable[Rule]) -> tuple[Rule, ...]:
    second = tuple(second)
    names = {rule.parts.get("name") for rule in second}
    return (*(rule for rule in first if rule.parts.get("name") not in names), *second)
