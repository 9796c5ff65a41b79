"""Where the settings come from: a flag over ``FIVEBYTE_*`` in the environment over ``fivebyte.toml`` over
the default.

In the file they are the keys of the table ``[server]``. Every value that is
given is checked, also one that another place overrides, and an error names the
place. What nobody knows is an error, too: a misspelt setting would be one that
is silently not set.
"""

import difflib
import json
import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from registry import toml_text
from registry.errors import SettingsError
from registry.setting import PREFIX, Setting
from registry.settings import Settings, declared_settings
from registry.store import without_password

FILE = "fivebyte.toml"
"""Read from the working directory if it is there, where no other file is named."""
FILE_VARIABLE = "FIVEBYTE_CONFIG"
DEFAULT = "default"
"""The origin of a value that nobody gave."""

_TABLE = "server"
PROJECT_KEYS = (
    "against",
    "baseline",
    "deleted",
    "exclude",
    "level",
    "lint",
    "override",
    "registries",
    "registry",
    "schemas",
    "subject",
)
"""What else the file may hold: the project's schemas and how they are checked (`registry.check.project`)."""
# What is no setting of the server: for the command line, the serializers, and the project's own tests.
OTHER_VARIABLES = {
    FILE_VARIABLE,
    "FIVEBYTE_REGISTRY",
    "FIVEBYTE_BROKER",
    "FIVEBYTE_CODEC",
    "FIVEBYTE_REQUIRE_ALL",
}
# Kubernetes tells every container of the services around it. That of a service called fivebyte, or
# fivebyte-something, begins as ours do: FIVEBYTE_SERVICE_HOST, FIVEBYTE_PORT=tcp://10.0.0.1:8081.
_SERVICE_NAME = re.compile(
    r"FIVEBYTE(_[A-Z0-9_]+)?_(SERVICE_(HOST|PORT(_[A-Z0-9_]+)?)|PORT_[0-9]+_[A-Z0-9_]+)"
)
_SERVICE_ADDRESS = re.compile(r"(tcp|udp|sctp)://.+")


@dataclass(frozen=True, slots=True)
class Configuration:
    """Settings, and for each by its name where it came from: ``--port``, ``FIVEBYTE_PORT``,
    ``fivebyte.toml:3`` or ``default``.

    file: the file that was read.
    """

    settings: Settings
    origins: Mapping[str, str]
    file: Path | None = None


def load(
    flags: Mapping[str, str | None] | None = None,
    *,
    config: str | None = None,
    environment: Mapping[str, str] | None = None,
) -> Configuration:
    """The settings as all places together give them.

    flags: texts by the settings' names; None is not given.
    config: the file to read instead of `FILE`; it must be there.
    environment: default: that of the process.

    Raises SettingsError.
    """
    environment = os.environ if environment is None else environment
    values: dict[str, Any] = {}
    origins = {declared.name: DEFAULT for declared in declared_settings()}
    file = _file(config, environment)
    given = [*_in_file(file), *_in_environment(environment), *_in_flags(flags or {})]
    for name, value, origin in given:
        values[name], origins[name] = value, origin
    try:
        settings = Settings(**values)
    except SettingsError as fault:  # each is right by itself, but not together
        named = [name for name in values if f"{name}=" in str(fault)]
        places = ", ".join(f"{name} is from {origins[name]}" for name in named)
        raise SettingsError(f"{fault} ({places})") from None
    return Configuration(settings, origins, file)


_Given = Iterable[tuple[str, object, str]]
"""Name, value and origin of each setting that a place gives."""


def _in_flags(flags: Mapping[str, str | None]) -> _Given:
    for declared in declared_settings():
        text = flags.get(declared.name)
        if text is not None:
            place = f"{declared.flag} {without_password(text)}"
            yield declared.name, _parsed(declared, text, place), declared.flag


def _in_environment(environment: Mapping[str, str]) -> _Given:
    known = {declared.variable: declared for declared in declared_settings()}
    for variable, text in sorted(environment.items()):
        if not variable.startswith(PREFIX) or variable in OTHER_VARIABLES or _is_service(variable, text):
            continue
        declared = known.get(variable)
        if declared is None:
            raise SettingsError(f"{variable}: {_unknown(variable, [*known, *sorted(OTHER_VARIABLES)])}")
        place = f"{variable}={without_password(text)}"
        yield declared.name, _parsed(declared, text, place), variable


def _is_service(variable: str, text: str) -> bool:
    if _SERVICE_NAME.fullmatch(variable):
        return True
    return variable.endswith("_PORT") and _SERVICE_ADDRESS.fullmatch(text) is not None


def _parsed(declared: Setting, text: str, place: str) -> object:
    try:
        return declared.parse(text)
    except SettingsError as fault:
        raise SettingsError(f"{place}: {fault}") from None


def _file(config: str | None, environment: Mapping[str, str]) -> Path | None:
    named, place = config, "--config "
    if named is None and FILE_VARIABLE in environment:
        named, place = environment[FILE_VARIABLE], f"{FILE_VARIABLE}="
    if named is None:
        return Path(FILE) if Path(FILE).is_file() else None
    if not Path(named).exists():
        raise SettingsError(f"{place}{named}: there is no such file; give the path of a {FILE}")
    return Path(named)


def _in_file(file: Path | None) -> _Given:
    if file is None:
        return
    text, content = toml_text.read(file)
    for name in content:
        if name != _TABLE and name not in PROJECT_KEYS:
            said = f"{_unknown(name, [_TABLE, *PROJECT_KEYS])} The server's settings are in [{_TABLE}]"
            raise SettingsError(f"{file}:{toml_text.line(text, name)}: {name}: {said}")
    table = content.get(_TABLE, {})
    if not isinstance(table, dict):
        place = f"{file}:{toml_text.line(text, _TABLE)}"
        raise SettingsError(f"{place}: {_TABLE} is not a table; write [{_TABLE}]")
    known = {declared.name: declared for declared in declared_settings()}
    for name, value in table.items():
        origin = f"{file}:{toml_text.line(text, _TABLE, name)}"
        declared = known.get(name)
        if declared is None:
            raise SettingsError(f"{origin}: {name}: {_unknown(name, known)}")
        try:
            yield name, declared.check(value), origin
        except SettingsError as fault:
            shown = without_password(value) if isinstance(value, str) else value
            shown = json.dumps(shown, default=str, ensure_ascii=False)
            raise SettingsError(f"{origin}: {name} = {shown}: {fault}") from None


def _unknown(name: str, known: Iterable[str]) -> str:
    near = difflib.get_close_matches(name, list(known), n=1)
    if near:
        return f"there is no such setting; did you mean {near[0]}?"
    return "there is no such setting; see `fivebyte serve --help`"
