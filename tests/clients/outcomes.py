"""Outcomes of a step that are equal to more than one way of telling them."""

import dataclasses
from typing import Any


@dataclasses.dataclass(frozen=True)
class Refused:
    """The client raised an error with this HTTP status, this code and these words.

    It may tell only one of status and code; neither is for a client that tells the words alone.
    """

    status: int | None
    code: int | None
    words: str = ""

    def __eq__(self, other: object) -> bool:
        error = other.get("error") if isinstance(other, dict) else None
        if not isinstance(error, dict):
            return NotImplemented
        status, code = error.get("status"), error.get("code")
        as_it_should = status in (None, self.status) and code in (None, self.code)
        tells = (status, code) != (None, None) or (self.status, self.code) == (None, None)
        return as_it_should and tells and self.words in error["message"]

    __hash__ = None  # type: ignore[assignment]  # it equals what has no hash


@dataclasses.dataclass(frozen=True)
class Message:
    """Of which our deserializer makes this value: bytes in base 64, or a ``message`` and its ``header``."""

    value: Any


@dataclasses.dataclass(frozen=True)
class Words:
    """A text that has these words in it."""

    words: str

    def __eq__(self, other: object) -> bool:
        return self.words in other if isinstance(other, str) else NotImplemented

    __hash__ = None  # type: ignore[assignment]  # it equals what has another


@dataclasses.dataclass(frozen=True)
class Filled:
    """This value, whatever else a client adds that is empty."""

    value: Any

    def __eq__(self, other: object) -> bool:
        return bool(_filled(other) == self.value)

    __hash__ = None  # type: ignore[assignment]  # it equals what has another


def _filled(value: Any) -> Any:
    if isinstance(value, list):
        return [_filled(item) for item in value]
    if isinstance(value, dict):
        return {key: _filled(item) for key, item in value.items() if item not in (None, "", [], {}, False)}
    return value
