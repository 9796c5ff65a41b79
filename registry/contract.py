"""Data contracts: the metadata and the rules that a schema may carry.

The registry stores them, tells contents apart by them and gives them back; the
serdes act on them. Both are kept as the JSON they came in, with the parts the
API knows and nothing else.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

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
_PHASES = ("migrationRules", "domainRules", "encodingRules")


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
    """One rule; `parts` holds those of the API's keys that it sets."""

    parts: Mapping[str, Any]

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> "Rule":
        parts = {key: value[key] for key in _RULE_KEYS if value.get(key) is not None}
        if "tags" in parts:
            parts["tags"] = sorted(set(parts["tags"]))
        if "params" in parts:
            parts["params"] = dict(sorted(parts["params"].items()))
        return cls(parts)

    def to_json(self) -> dict[str, Any]:
        return _without_empty(self.parts)

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
            for phase in _PHASES
            if value.get(phase)
        }
        return cls(phases, value.get("enableAt"))

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
