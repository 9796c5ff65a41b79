"""TOML files read, with the line of whatever is wrong in them."""

import tomllib
from pathlib import Path
from re import compile as regex
from typing import Any

from registry.errors import SettingsError

_POSITION = regex(r" \(at (?:line (\d+), column (\d+)|end of document)\)$")


def read(file: Path) -> tuple[str, dict[str, Any]]:
    """The text of `file`, and what it says. Raises SettingsError, with the line."""
    try:
        text = file.read_text("utf-8-sig")
    except OSError as fault:
        raise SettingsError(f"{file} cannot be read: {fault.strerror}") from None
    except UnicodeDecodeError as fault:
        line = fault.object[: fault.start].count(b"\n") + 1
        raise SettingsError(f"{file}:{line}: this is not UTF-8 text; save the file as UTF-8") from None
    try:
        return text, tomllib.loads(text)
    except tomllib.TOMLDecodeError as fault:
        match = _POSITION.search(str(fault))
        if match is None or match[1] is None:
            lines = text.splitlines() or [""]
            position = f"{len(lines)}:{len(lines[-1]) + 1}"
        else:
            position = f"{match[1]}:{match[2]}"
        said = _POSITION.sub("", str(fault))
        raise SettingsError(f"{file}:{position}: this is not TOML: {said}") from None


def line(text: str, *path: str | int) -> int:
    """The line of the key, table or element of an array that `path` leads to in TOML.

    tomllib doesn't tell it, but it reads every beginning of a document that ends with a whole statement: the
    key is in the first one that has it.
    """
    lines = text.splitlines(keepends=True)
    start = 1
    for end in range(1, len(lines) + 1):
        try:
            found: Any = tomllib.loads("".join(lines[:end]))
        except tomllib.TOMLDecodeError:
            continue  # in the middle of a statement
        if _has(found, path):
            return start
        start = end + 1
    return start


def _has(value: Any, path: tuple[str | int, ...]) -> bool:
    for step in path:
        try:
            value = value[step]
        except (LookupError, TypeError):
            return False
    return True
