"""Data contracts: the metadata and the rules that a schema may carry.

The registry stores them, tells contents apart by them and gives them back; the
serdes act on them. Both are kept as the JSON they came in, with the parts the
API knows and nothing else.
"""

import re
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from registry.errors import InvalidRuleSetError

Feed = Callable[[bytes], None]
"""Takes the bytes that tell one content from another."""

_RULE_KEYS = (
    "name",
    "doc",
    "kind",
    "mode",
    "type",
    "tags",
    "params",
    "expr",
    "onSuccess",
    "onFailure",
    "disabled",
)
_RULE_NAME = re.compile(r"[^\W\d][\w-]*")
_RULE_DEFAULTS = {"kind": "TRANSFORM", "mode": "WRITEREAD", "disabled": False}
_READ_AND_WRITE = frozenset({"WRITE", "READ", "WRITEREAD"})
_MODES = {
    "migrationRules": frozenset({"UPGRADE", "DOWNGRADE", "UPDOWN"}),
    "domainRules": _READ_AND_WRITE,
    "encodingRules": _READ_AND_WRITE,
}
"""The phases of a rule set, and the modes that a rule may have in each."""

VERSION_PROPERTY = "confluent:version"
"""The property that holds the version a schema was registered as."""

RESERVED_PROPERTY = "confluent:reserved"
"""The property that names, with commas between, fields that no version may have."""


@dataclass(frozen=True, slots=True)
class Metadata:
    """Tags by path, properties, and the names of the properties to keep secret."""

    tags: Mapping[str, tuple[str, ...]]
    properties: Mapping[str, str]
    sensitive: tuple[str, ...]

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> "Metadata":
        tags = value.get("tags") or {}
        return cls(
            tags={path: tuple(sorted(set(tags[path]))) for path in sorted(tags)},
            properties=dict(sorted((value.get("properties") or {}).items())),
            sensitive=tuple(sorted(set(value.get("sensitive") or ()))),
        )

    def to_json(self) -> dict[str, Any]:
        """Parts that are empty are left out."""
        return _without_empty(
            {
                "tags": {path: list(tags) for path, tags in self.tags.items()},
                "properties": dict(self.properties),
                "sensitive": list(self.sensitive),
            }
        )

    @property
    def reserved_fields(self) -> frozenset[str]:
        """The names of the fields that no version may have."""
        names = self.properties.get(RESERVED_PROPERTY, "").split(",")
        return frozenset(name.strip() for name in names) - {""}

    def with_version(self, version: int) -> "Metadata":
        """These metadata saying of which version they are."""
        properties = {**self.properties, VERSION_PROPERTY: str(version)}
        return replace(self, properties=dict(sorted(properties.items())))

    def without_version(self) -> "Metadata | None":
        """These metadata without the version they are of; None if they say nothing else."""
        others = {name: value for name, value in self.properties.items() if name != VERSION_PROPERTY}
        return replace(self, properties=others) if others or self.tags or self.sensitive else None

    def feed(self, feed: Feed) -> None:
        """Feed what identifies it (reference, 2.1)."""
        feed(b"\x01")
        for path, tags in self.tags.items():
            _feed_texts(feed, (path, *tags))
        for name, value in self.properties.items():
            _feed_texts(feed, (name, value))
        _feed_texts(feed, self.sensitive)


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule. `parts` holds those of the API's keys that it sets, and the defaults that some have."""

    parts: Mapping[str, Any]

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> "Rule":
        value = {**value, **{key: value.get(key) or default for key, default in _RULE_DEFAULTS.items()}}
        parts = {key: value[key] for key in _RULE_KEYS if value.get(key) is not None}
        if "tags" in parts:
            parts["tags"] = sorted(set(parts["tags"]))
        if "params" in parts:
            parts["params"] = dict(sorted(parts["params"].items()))
        return cls(parts)

    @property
    def name(self) -> str:
        """By which a rule of another rule set takes its place."""
        return str(self.parts.get("name", ""))

    def to_json(self) -> dict[str, Any]:
        return _without_empty(self.parts)

    def check(self, phase: str) -> None:
        """Raises InvalidRuleSetError (42210) for one that cannot be a rule of the phase."""
        name, mode = self.name, self.parts["mode"]
        if not name:
            raise InvalidRuleSetError(f"a rule of {phase} has no name")
        if not _RULE_NAME.fullmatch(name):
            raise InvalidRuleSetError(
                f"{name!r} cannot name a rule: give letters, digits, underscores and hyphens, "
                "a letter or an underscore first"
            )
        if not self.parts.get("type"):
            raise InvalidRuleSetError(f"rule {name!r} has no type")
        if mode not in _MODES[phase]:
            modes = ", ".join(sorted(_MODES[phase]))
            raise InvalidRuleSetError(f"rule {name!r} has mode {mode}, and {phase} have one of {modes}")

    def feed(self, feed: Feed) -> None:
        """Feed what identifies it (reference, 2.1)."""
        parts = self.parts
        _feed_texts(feed, (parts.get(key) for key in ("name", "doc", "kind", "mode", "type")))
        _feed_texts(feed, parts.get("tags", ()))
        for name, value in parts.get("params", {}).items():
            _feed_texts(feed, (name, value))
        _feed_texts(feed, (parts.get(key) for key in ("expr", "onSuccess", "onFailure")))
        if parts.get("disabled"):
            feed(b"\x01")


@dataclass(frozen=True, slots=True)
class RuleSet:
    """The rules of a schema by phase, in order, and when they begin to hold."""

    phases: Mapping[str, tuple[Rule, ...]]
    enable_at: str | None

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> "RuleSet":
        phases = {
            phase: tuple(Rule.from_json(rule) for rule in value[phase])
            for phase in _MODES
            if value.get(phase)
        }
        return cls(phases, value.get("enableAt"))

    def check(self) -> None:
        """Raises InvalidRuleSetError (42210) for rules that are none, or have one name in a phase."""
        for phase, rules in self.phases.items():
            names = set()
            for rule in rules:
                rule.check(phase)
                if rule.name in names:
                    raise InvalidRuleSetError(f"two rules of {phase} have the name {rule.name!r}")
                names.add(rule.name)

    def over(self, other: "RuleSet") -> "RuleSet":
        """The rules of `other` and then these, phase by phase; of one name, these alone."""
        phases = {}
        for phase in _MODES:
            mine = self.phases.get(phase, ())
            names = {rule.name for rule in mine}
            merged = (*(rule for rule in other.phases.get(phase, ()) if rule.name not in names), *mine)
            if merged:
                phases[phase] = merged
        return RuleSet(phases, other.enable_at if self.enable_at is None else self.enable_at)

    def without(self, names: Collection[str]) -> "RuleSet":
        """These rules but for those with one of the names."""
        kept = {phase: tuple(r for r in rules if r.name not in names) for phase, rules in self.phases.items()}
        return RuleSet({phase: rules for phase, rules in kept.items() if rules}, self.enable_at)

    def to_json(self) -> dict[str, Any]:
        """Parts that are empty are left out."""
        rules = {phase: [rule.to_json() for rule in rules] for phase, rules in self.phases.items()}
        return _without_empty({**rules, "enableAt": self.enable_at})

    def feed(self, feed: Feed) -> None:
        """Feed what identifies it (reference, 2.1)."""
        feed(b"\x01")
        for rules in self.phases.values():
            for rule in rules:
                rule.feed(feed)
        _feed_texts(feed, (self.enable_at,))


def _feed_texts(feed: Feed, texts: Iterable[str | None]) -> None:
    for text in texts:
        if text is not None:
            feed(text.encode())


def _without_empty(value: Mapping[str, Any]) -> dict[str, Any]:
    return {key: part for key, part in value.items() if part is not None and part not in ("", [], {})}
