"""One setting of the server: how it is declared, and how its value is read and checked.

All that is known of a setting is in its declaration, one line in
`registry.settings.Settings`. Its flag, its variable and its key in a file come
from its name.
"""

import re
from dataclasses import Field, dataclass, field
from enum import Enum
from types import UnionType
from typing import Any, TypeVar, get_args

from registry.errors import SettingsError
from registry.store import without_password

PREFIX = "FIVEBYTE_"
T = TypeVar("T")
_WHOLE_NUMBER = re.compile(r"[+-]?[0-9]{1,19}")


def setting(
    default: T,
    about: str,
    *,
    least: int | None = None,
    most: int | None = None,
    choices: tuple[int, ...] = (),
    form: str = "",
) -> T:
    """A field of `Settings`. Its type is one of str, int, bool, an enum, or one of these or None.

    about: what it sets, for help and documentation; no capital, no full stop.
    least, most: the range of a number. An int needs both, or choices.
    choices: all that a number may be.
    form: what its value looks like, in help (``URL``); known by itself for all types but str.
    """
    # Any: a field's default stands where the type checker looks for a value of the field's type.
    declared = {"about": about, "least": least, "most": most, "choices": choices, "form": form}
    found: Any = field(default=default, metadata=declared)
    value: T = found
    return value


@dataclass(frozen=True, slots=True)
class Setting:
    """A declared setting.

    name: the field's, and the key in a file.
    kind: the type of its value, where it has one.
    """

    name: str
    kind: type
    default: object
    about: str
    least: int | None
    most: int | None
    choices: tuple[int, ...]
    form: str

    @classmethod
    def of(cls, declared: Field[Any]) -> "Setting":
        """The setting that a field of `Settings` declares."""
        kind = declared.type
        if isinstance(kind, UnionType):
            kind = next(alternative for alternative in get_args(kind) if alternative is not type(None))
        assert isinstance(kind, type)
        return cls(name=declared.name, kind=kind, default=declared.default, **declared.metadata)

    @property
    def flag(self) -> str:
        """``--max-body-bytes``."""
        return f"--{self.name.replace('_', '-')}"

    @property
    def variable(self) -> str:
        """``FIVEBYTE_MAX_BODY_BYTES``."""
        return PREFIX + self.name.upper()

    @property
    def takes(self) -> str:
        """What it takes, for help: ``true|false``, ``1-65535``, ``URL``."""
        if self.kind is bool:
            return "true|false"
        if self.kind is int and not self.choices:
            return f"{self.least}-{self.most}"
        return "|".join(self._names()) or self.form or "TEXT"

    def parse(self, text: str) -> object:
        """The value that `text` of a flag or a variable stands for. Raises SettingsError, with no place."""
        if self.kind is bool and text.lower() in {"true", "false"}:
            return text.lower() == "true"
        if self.kind is int and _WHOLE_NUMBER.fullmatch(text):
            return self.check(int(text))
        if self.kind in {bool, int}:
            raise SettingsError(self._advice())
        return self.check(text)

    def check(self, value: object) -> object:
        """`value`, with the name of an enum's member made the member. Raises SettingsError, with no place."""
        if value is None and self.default is None:
            return None
        if issubclass(self.kind, Enum) and isinstance(value, str):
            value = self.kind.__members__.get(value.upper(), value)
        if type(value) is not self.kind or value == "":
            raise SettingsError(self._advice())
        if isinstance(value, int) and self.kind is int and not self._allows(value):
            raise SettingsError(self._advice())
        return value

    def show(self, value: object) -> str:
        """`value` as `parse` takes it, but without a URL's user and password; "" for None."""
        if value is None:
            return ""
        if isinstance(value, bool):
            return str(value).lower()
        return value.name if isinstance(value, Enum) else without_password(str(value))

    def _allows(self, number: int) -> bool:
        if self.choices:
            return number in self.choices
        assert self.least is not None
        assert self.most is not None
        return self.least <= number <= self.most

    def _names(self) -> list[str]:
        """All that it may be, where they are few."""
        return list(self.kind.__members__) if issubclass(self.kind, Enum) else [str(n) for n in self.choices]

    def _advice(self) -> str:
        if self.kind is bool:
            return "give true or false"
        if self.kind is int and not self.choices:
            return f"give a whole number from {self.least} to {self.most}"
        if names := self._names():
            return f"give one of {', '.join(names)}"
        return f"give a text that is not empty, or leave {self.name} out"
