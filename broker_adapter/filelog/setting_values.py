"""What a setting's value may be: functions that take what was given, a number or text, and check it.

Owns no file. What they return, and what each raises of, names the setting.
"""

import re
from collections.abc import Callable
from typing import Final

from broker_adapter.errors import InvalidConfig

INT_MAX: Final = 0x7FFF_FFFF
LONG_MAX: Final = 0x7FFF_FFFF_FFFF_FFFF
_REPLICAS: Final = re.compile(r"\*|(\d+:\d+)?(,\d+:\d+)*")


def number(name: str, lowest: int, highest: int) -> Callable[[object], int]:
    """A whole number. The function raises `InvalidConfig`, as all here do."""

    def parse(given: object) -> int:
        try:
            found = int(str(given))
        except ValueError:
            raise InvalidConfig(f"{name}={given!r} is not a whole number") from None
        if not lowest <= found <= highest:
            raise InvalidConfig(f"{name}={found} is out of range; give {lowest} to {highest}")
        return found

    return parse


def ratio(name: str) -> Callable[[object], float]:
    """A number from 0 to 1."""

    def parse(given: object) -> float:
        try:
            found = float(str(given))
        except ValueError:
            raise InvalidConfig(f"{name}={given!r} is not a number") from None
        if not 0 <= found <= 1:
            raise InvalidConfig(f"{name}={found} is out of range; give 0 to 1")
        return found

    return parse


def word(name: str, words: tuple[str, ...]) -> Callable[[object], str]:
    """One of some words."""

    def parse(given: object) -> str:
        if given not in words:
            raise InvalidConfig(f"{name}={given!r} is not known; use one of: {', '.join(words)}")
        return str(given)

    return parse


def words(name: str, known: tuple[str, ...], forms: str) -> Callable[[object], str]:
    """Some of some words, between commas. `forms` says how they may be given."""

    def parse(given: object) -> str:
        chosen = {each.strip() for each in str(given).split(",")}
        if not chosen <= set(known):
            raise InvalidConfig(f"{name}={given!r} is not known; use {forms}")
        return ",".join(sorted(chosen))

    return parse


def flag(name: str) -> Callable[[object], str]:
    """true or false, in any case of letters."""

    def parse(given: object) -> str:
        return word(name, ("true", "false"))(str(given).strip().lower())

    return parse


def replicas(name: str) -> Callable[[object], str]:
    """``*``, or pairs of a partition and a broker, ``0:1,1:2``."""

    def parse(given: object) -> str:
        if not _REPLICAS.fullmatch(str(given)):
            raise InvalidConfig(f"{name}={given!r} is not known; use '*', or pairs as in '0:1,1:2'")
        return str(given)

    return parse
