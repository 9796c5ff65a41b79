"""What a new schema takes on, from the version before it and from configs (reference, 2.2)."""

from collections.abc import Mapping
from dataclasses import replace

from registry.contract import VERSION_PROPERTY, Metadata, RuleSet
from registry.model import Config, SchemaContent


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


def numbered(content: SchemaContent, version: int, *, asked: bool) -> SchemaContent:
    """`content` with metadata that say of which version they are.

    asked: the request insisted on a version; else only where the metadata say it already.
    """
    metadata = content.metadata
    if not asked and (metadata is None or VERSION_PROPERTY not in metadata.properties):
        return content
    return replace(content, metadata=(metadata or Metadata({}, {}, ())).with_version(version))


def is_known_as(given: SchemaContent, registered: SchemaContent) -> bool:
    """Whether a schema that was sent is one that is registered, which may say of which version it is."""
    if given == registered:
        return True
    metadata = registered.metadata
    if metadata is None or given.text != registered.text:
        return False
    return given == replace(registered, metadata=metadata.without_version())


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
    """The second's rules over the first's."""
    if first is None or second is None:
        return first if second is None else second
    return second.over(first)
