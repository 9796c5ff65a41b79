"""What is wrong with a value or with a body, and where.

`Fault` stays inside serde: it knows the path within a record but not the topic
or the schema's id. The serializers, which know those, turn it into
`SerializationError` and `DeserializationError`.
"""

import reprlib
import struct
from collections.abc import Iterable
from difflib import get_close_matches
from typing import Final


class _Shown(reprlib.Repr):
    def repr_int(self, value: int, level: int) -> str:
        try:
            return super().repr_int(value, level)
        except ValueError:  # Python refuses to write out thousands of digits
            return f"an integer of {value.bit_length()} bits"


_SHOWN: Final = _Shown()
_SHOWN.maxstring = _SHOWN.maxother = 60


class Fault(Exception):
    """A value that does not fit its schema, or bytes that are no value of it.

    reason: what is wrong, without the place.
    path: the place: ``order.lines[3].price``, map keys as ``["key"]``; "" is the whole value.
    """

    def __init__(self, reason: str) -> None:
        self.reason = reason
        self._steps: list[str] = []
        super().__init__(reason)

    def under(self, step: str) -> "Fault":
        """Move the fault one step down: it is inside what `step` names."""
        self._steps.append(step)
        return self

    @property
    def path(self) -> str:
        return "".join(reversed(self._steps)).removeprefix(".")

    def __str__(self) -> str:
        return f"{self.path}: {self.reason}" if self._steps else self.reason


# What the writers and readers of single values raise; the containers add the step and pass it on.
FAULTS: Final = (Fault, IndexError, struct.error, ValueError, ArithmeticError, OSError)


def shown(value: object) -> str:
    """`value` as a message shows it: Python's notation, cut where it is long."""
    return _SHOWN.repr(value)


def closest(given: str, names: Iterable[str]) -> str | None:
    """Which of the names may have been meant, in either case of letters; None if none is close."""
    known = {name.lower(): name for name in names}
    near = get_close_matches(given.lower(), known, 1)
    return known[near[0]] if near else None


def nearest(given: object, names: Iterable[str]) -> str:
    """What may have been meant, as a message about a value says it; "" if nothing is close."""
    meant = closest(given, names) if isinstance(given, str) else None
    return "" if meant is None else f" (did you mean {meant!r}?)"


def mismatch(expected: str, value: object) -> Fault:
    return Fault(f"expected {expected}, got {shown(value)}")


def as_fault(error: Exception) -> Fault:
    """Any of `FAULTS` as a Fault."""
    if isinstance(error, Fault):
        return error
    if isinstance(error, IndexError | struct.error):
        return Fault("the message ends inside this value")
    if isinstance(error, UnicodeDecodeError):
        return Fault(f"not UTF-8: {error.reason} at byte {error.start} of the string")
    if isinstance(error, UnicodeEncodeError):
        return Fault(f"cannot be written as UTF-8: {error.reason} at character {error.start}")
    return Fault(str(error))
