"""A plan: the steps that make a registry match a tree, and what the registry was like when it was made."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from registry.check.errors import ProjectError

FORMAT = 1


@dataclass(frozen=True, slots=True)
class Version:
    """A version that a subject has. references: subjects and versions; their names and order don't count."""

    version: int
    id: int
    text: str
    references: frozenset[tuple[str, int]]


@dataclass(slots=True)
class SubjectState:
    """What a registry has of a subject.

    versions: those not deleted, oldest first. level, mode: of the subject itself; None where it has none, or
    where nobody asked.
    """

    versions: list[Version] = field(default_factory=list)
    level: str | None = None
    mode: str | None = None

    def seen(self) -> dict[str, Any]:
        """What a plan remembers of it."""
        ids = {str(version.version): version.id for version in self.versions}
        return {"versions": ids, "level": self.level, "mode": self.mode}


@dataclass(frozen=True, slots=True)
class NeededType:
    """A reference of a schema that is to be registered.

    version: None for the version that the plan itself registers.
    """

    name: str
    subject: str
    version: int | None


@dataclass(frozen=True, slots=True)
class Step:
    """One thing to do.

    action: ``level`` or ``mode`` (to `value`), or ``register`` (`text` with `references`).
    was: the level or mode that the subject has, None without one. latest: its newest version, 0 without one.
    """

    action: str
    subject: str
    value: str = ""
    was: str | None = None
    text: str = ""
    references: tuple[NeededType, ...] = ()
    latest: int = 0

    def __str__(self) -> str:
        if self.action != "register":
            before = "" if self.was is None else f" (now {self.was})"
            return f"{self.action:8} {self.subject} {self.value}{before}"
        number = f"version {self.latest + 1}" if self.latest else "the first version"
        uses = ", ".join(
            f"{one.subject} {'as registered here' if one.version is None else f'version {one.version}'}"
            for one in self.references
        )
        return f"register {self.subject} {number}" + (f" (uses {uses})" if uses else "")

    def to_json(self) -> dict[str, Any]:
        """As it stands in a plan's file."""
        if self.action != "register":
            return {"action": self.action, "subject": self.subject, "value": self.value, "was": self.was}
        references = [
            {"name": one.name, "subject": one.subject, "version": one.version} for one in self.references
        ]
        return {
            "action": self.action,
            "subject": self.subject,
            "latest": self.latest,
            "references": references,
            "text": self.text,
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> "Step":
        """Raises KeyError or TypeError for what is no step."""
        if value["action"] != "register":
            return cls(value["action"], value["subject"], value["value"], value["was"])
        references = tuple(
            NeededType(one["name"], one["subject"], one["version"]) for one in value["references"]
        )
        return cls(
            "register",
            value["subject"],
            text=value["text"],
            references=references,
            latest=value["latest"],
        )


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be done in a registry.

    registry: its URL. steps: in order: what a schema refers to is registered before it. before: what the
    registry had of each subject that the steps are about, or refer to (`SubjectState.seen`).
    notes: what somebody should know, and nothing is done about.
    """

    registry: str
    steps: tuple[Step, ...]
    before: Mapping[str, Mapping[str, Any]]
    notes: tuple[str, ...] = ()

    @property
    def fingerprint(self) -> str:
        """Of the registry as the plan saw it, and of the steps; 16 hexadecimal digits."""
        value = [self.registry, self.before, [step.to_json() for step in self.steps]]
        return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()[:16]

    def dump(self) -> str:
        """The text of the plan's file."""
        value = {
            "fivebyte_plan": FORMAT,
            "fingerprint": self.fingerprint,
            "registry": self.registry,
            "steps": [step.to_json() for step in self.steps],
            "before": self.before,
        }
        return json.dumps(value, indent=2, ensure_ascii=False) + "\n"

    @classmethod
    def load(cls, text: str, name: str) -> "Plan":
        """The plan in the text of a file. Raises ProjectError where it is none, or was changed by hand."""
        try:
            value = json.loads(text)
            if value["fivebyte_plan"] != FORMAT:
                raise ProjectError(f"{name} is a plan of another release of fivebyte: make it anew")
            steps: Sequence[Any] = value["steps"]
            plan = cls(value["registry"], tuple(map(Step.from_json, steps)), value["before"])
            intact = plan.fingerprint == value["fingerprint"]
        except (ValueError, KeyError, TypeError):
            raise ProjectError(f"{name} is no plan: `fivebyte plan --out FILE` writes one") from None
        if not intact:
            raise ProjectError(f"{name} was changed after it was made: make the plan anew")
        return plan


def same_schema(one: str, other: str) -> bool:
    """Whether two texts are one schema: the same JSON, since not every registry keeps canonical text."""
    return one == other or bool(json.loads(one) == json.loads(other))
