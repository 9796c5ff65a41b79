"""The settings of a registry server: a flag over ``FIVEBYTE_*`` in the environment over the default."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any

from registry.errors import InvalidCompatibilityLevelError, SettingsError
from registry.model import CompatibilityLevel
from registry.registry import MAX_SCHEMA_BYTES

PREFIX = "FIVEBYTE_"


@dataclass(frozen=True, slots=True)
class Settings:
    """How a registry server runs. ``FIVEBYTE_`` and a field's name in capitals sets it.

    host, port: where it listens.
    store: where the log is kept, as `registry.store.open_store` takes it.
    compatibility: the level where none is set by the API.
    workers: processes. The memory store allows one.
    threads: requests that a worker handles at once.
    max_schema_bytes: the longest schema text, in bytes of UTF-8.
    max_body_bytes: the longest request body, in bytes.
    mode_mutability: whether the API may change modes.

    Raises SettingsError.
    """

    host: str = "127.0.0.1"
    port: int = 8081
    store: str = "sqlite:///fivebyte.db"
    compatibility: CompatibilityLevel = CompatibilityLevel.BACKWARD
    workers: int = 1
    threads: int = 8
    max_schema_bytes: int = field(default=MAX_SCHEMA_BYTES)
    max_body_bytes: int = 16 * 1024 * 1024
    mode_mutability: bool = True

    def __post_init__(self) -> None:
        _check("port", self.port, 1, 65535)
        _check("workers", self.workers, 1, 256)
        _check("threads", self.threads, 1, 1024)
        _check("max_schema_bytes", self.max_schema_bytes, 1, 2**31)
        _check("max_body_bytes", self.max_body_bytes, 1, 2**31)
        if self.workers > 1 and self.store.startswith("memory:"):
            raise SettingsError(
                f"workers={self.workers} with the store memory: would be as many registries; "
                "give one worker, or a store that processes can share (sqlite:///PATH, redis://HOST)"
            )

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ, **flags: Any) -> "Settings":
        """The settings that `environment` gives, under those of `flags` that are not None.

        Raises SettingsError for a value that cannot be.
        """
        values: dict[str, Any] = {}
        for name in (f.name for f in fields(cls)):
            text = environment.get(PREFIX + name.upper())
            if text is not None:
                values[name] = _read(name, text)
        values.update((name, value) for name, value in flags.items() if value is not None)
        return replace(cls(), **values)

    def to_environment(self) -> dict[str, str]:
        """What `from_environment` would read these settings from."""
        return {PREFIX + f.name.upper(): str(getattr(self, f.name)) for f in fields(self)}


def _read(name: str, text: str) -> object:
    if name in {"host", "store"}:
        return text
    if name == "compatibility":
        try:
            return CompatibilityLevel.parse(text)
        except InvalidCompatibilityLevelError as fault:
            raise SettingsError(f"{PREFIX}COMPATIBILITY={text}: {fault}") from None
    if name == "mode_mutability":
        if text.lower() not in {"true", "false"}:
            raise SettingsError(f"{PREFIX}MODE_MUTABILITY={text}: give true or false")
        return text.lower() == "true"
    try:
        return int(text)
    except ValueError:
        raise SettingsError(f"{PREFIX}{name.upper()}={text}: give a whole number") from None


def _check(name: str, value: int, least: int, most: int) -> None:
    if not least <= value <= most:
        raise SettingsError(f"{name}={value}: give a whole number from {least} to {most}")
