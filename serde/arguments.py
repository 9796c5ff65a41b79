"""Arguments of the wrong kind: errors that name the argument, and say what it should be.

Without these a mistake surfaces where the argument is first used, which may be at a topic's first message.
"""

from collections.abc import Iterable, Mapping
from pathlib import PurePath
from typing import Any, Final

from serde.model import Metadata, Reference, RegisteredSchema, RuleSet, Schema

_NO_TEXT: Final = (Mapping, list, bytes, bytearray, PurePath, Schema, RegisteredSchema)
"""What is taken for a schema, and is neither its text nor a class."""


def number(name: str, value: object, what: str = "a number of seconds") -> None:
    """Raises TypeError for what is no number, and for one that is none (NaN)."""
    if isinstance(value, bool) or not isinstance(value, int | float) or value != value:
        raise TypeError(f"{name} is {what}, not {value!r}")


def whole_number(name: str, value: object) -> None:
    """Raises TypeError for anything but an int."""
    if isinstance(value, bool) or not isinstance(value, int):
        raise TypeError(f"{name} is a whole number, not {value!r}")


def function(name: str, value: object, *parameters: str) -> None:
    """Raises TypeError for what cannot be called; None is no function, and right."""
    if value is not None and not callable(value):
        call = f"{name}({', '.join(parameters)})"
        raise TypeError(f"{name} is a function, {call}, not {value!r}")


def properties(name: str, value: object) -> None:
    """Raises TypeError for what is no mapping; None is none, and right."""
    if value is not None and not isinstance(value, Mapping):
        raise TypeError(f"{name} is a dict of names and values, not {value!r}")


def references(value: Iterable[Reference]) -> tuple[Reference, ...]:
    """The references. Raises TypeError for what is not some of them."""
    if isinstance(value, Reference):
        raise TypeError("references are a list of Reference, not a single one")
    found = tuple(value)
    for each in found:
        if not isinstance(each, Reference):
            raise TypeError(f"references are a list of Reference(name, subject, version), not of {each!r}")
    return found


def contract(metadata: object, rule_set: object) -> None:
    """Raises TypeError for what is no Metadata, and no RuleSet; None is none, and right."""
    if metadata is not None and not isinstance(metadata, Metadata):
        raise TypeError(f"metadata is Metadata(properties=...), not {metadata!r}")
    if rule_set is not None and not isinstance(rule_set, RuleSet):
        raise TypeError(f"rule_set is RuleSet(...), not {rule_set!r}")


def text(value: object) -> None:
    """Raises TypeError for a schema that is not given as text."""
    if not isinstance(value, str):
        raise TypeError(f"a schema is given as text, not as {type(value).__name__}{_way_to_text(value)}")


def schema(value: object) -> None:
    """Raises TypeError for a schema that is neither text nor what a schema could be made of."""
    if isinstance(value, _NO_TEXT) or hasattr(value, "read"):
        kind = type(value).__name__
        raise TypeError(f"a schema is given as text, or as a class, not as {kind}{_way_to_text(value)}")


def client(owner: object, value: object, kind: type[Any]) -> None:
    """Raises TypeError for what is not the client that a serializer needs."""
    if isinstance(value, kind):
        return
    name = kind.__name__
    hint = f": {name}({value!r}) is one" if isinstance(value, str) and "://" in value else ""
    given = type(value).__name__
    raise TypeError(f"the first argument of {type(owner).__name__} is its {name}, not {given}{hint}")


def _way_to_text(value: object) -> str:
    if isinstance(value, bytes | bytearray):
        return ": decode() it"
    if isinstance(value, PurePath):
        return ": read_text() gives what is in the file"
    if isinstance(value, Schema | RegisteredSchema):
        return ": its `text` is that, and its `references` are another argument"
    if hasattr(value, "read"):
        return ": read() gives what is in the file"
    return ": json.dumps() makes it text" if isinstance(value, Mapping | list) else ""
