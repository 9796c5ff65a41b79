"""What a rule of the linter says of a spot, and how to put it right."""

from dataclasses import dataclass
from typing import Any

NOTHING: object = object()
"""What is written where nothing is: None is JSON's null."""


@dataclass(frozen=True, slots=True)
class Fix:
    """A change of a schema's text that changes nothing of what the schema means to readers and writers.

    tokens: the JSON pointer to what is changed. key: an attribute to add to that object, None to put `value`
    in its place.
    """

    tokens: tuple[str, ...]
    key: str | None
    value: Any


@dataclass(frozen=True, slots=True)
class Fault:
    """A rule that is not followed.

    tokens: where, as a JSON pointer. message: one sentence. advice: what to write. now: what is written.
    """

    rule: str
    tokens: tuple[str, ...]
    message: str
    advice: str = ""
    now: Any = NOTHING
    fix: Fix | None = None
