"""The newest versions of subjects: kept for a while, and renewed in the background before a caller waits.

What was asked for is renewed about every `ttl` seconds for as long as it is in
use. A value is given until one refresh after its time; then somebody asks for it
again and waits. Only while the registry is away is an older one given, and the
log says so once.
"""

import logging
import time
from collections.abc import Callable
from random import SystemRandom
from typing import Final, NamedTuple

from serde import arguments
from serde.cache import Cache
from serde.errors import NotFound, RegistryBusy, RegistryUnreachable, SerdeError
from serde.model import RegisteredSchema
from serde.steps import Later, Steps, once

_log = logging.getLogger("serde.client")

_EARLY: Final = 0.1
"""Refreshes are spread over this last part of the time, so that not all come at once."""

_IDLE: Final = 10
"""An entry that nobody wanted for so many times its time is forgotten."""

_AWAY: Final = 10.0
"""How often, in seconds, a registry that is away is asked whether it is back."""

_STRIPES: Final = 256

Load = Callable[[], Steps[RegisteredSchema]]


class LatestKey(NamedTuple):
    """A subject, and the metadata that the version must have; none of them are: any version."""

    subject: str
    properties: tuple[tuple[str, str], ...] = ()


class _Entry:
    """value, as it was found at `since`; `used` is when it was last wanted. is_old: its refresh failed.
    turn: the number of the refresh that is to come.
    """

    __slots__ = ("is_old", "since", "turn", "used", "value")

    def __init__(self, value: RegisteredSchema) -> None:
        self.used = time.monotonic()
        self.turn = 0
        self.set(value)

    def set(self, value: RegisteredSchema) -> None:
        self.value = value
        self.since = time.monotonic()
        self.is_old = False


class Latest:
    """changes: goes up when a subject's newest version may be another one than it was.

    ttl: seconds for which a version is taken to be the newest; 0 asks each time. capacity: subjects kept.
    refresh: the most seconds that asking takes.
    """

    def __init__(self, ttl: float, capacity: int, refresh: float) -> None:
        arguments.number("latest_ttl", ttl)
        if ttl < 0:
            raise ValueError(f"latest_ttl is 0 or more seconds, not {ttl}")
        self._ttl = ttl
        self._refresh = refresh
        self._entries: Cache[LatestKey, _Entry] = Cache(capacity)
        self._changes = [0] * _STRIPES
        self.changes = 0
        self._is_away = False  # as far as the last answer tells
        self._is_told = False  # in the log
        self._random = SystemRandom()

    def get(self, key: LatestKey, load: Load) -> Steps[RegisteredSchema]:
        """The newest version, from `load()` if it is not known. Raises what `load` raises."""
        entry = self._entries.get(key)
        if entry is not None and self._is_good(entry):
            entry.used = time.monotonic()
            return entry.value
        return (yield from once(("latest", key), lambda: self._first(key, load)))

    def registered(self, found: RegisteredSchema, subject: str) -> None:
        """Hear that this client registered a version of the subject, or found that it was."""
        self._change(subject)
        entry = self._entries.get(LatestKey(subject))
        if entry is not None and entry.value.version < found.version:
            entry.set(found)
        self._entries.discard(lambda key: key.subject == subject and bool(key.properties))
        self.changes += 1

    def forget(self, subject: str) -> None:
        """Hear that this client deleted a version of the subject, or all."""
        self._change(subject)
        self._entries.discard(lambda key: key.subject == subject)
        self.changes += 1

    def after_fork(self) -> None:
        """Go on in a child process, which has no one who renews what the parent knew."""
        self._entries.after_fork()
        self._entries.discard(lambda _: True)
        self._is_away = self._is_told = False

    def _is_good(self, entry: _Entry) -> bool:
        return self._is_away or entry.is_old or time.monotonic() - entry.since < self._ttl + self._refresh

    def _first(self, key: LatestKey, load: Load) -> Steps[RegisteredSchema]:
        entry = self._entries.get(key)
        if entry is not None and self._is_good(entry):
            return entry.value  # another asked just now
        before = self._changed(key.subject)
        try:
            value = yield from load()
        except SerdeError as error:
            if entry is None or isinstance(error, NotFound):
                self._entries.remove(key)
                raise
            self._went_away(entry, error)
            yield self._next(_AWAY, key, entry, load)
            return entry.value
        self._answered()
        if self._ttl > 0 and before == self._changed(key.subject):
            entry = _Entry(value)
            self._entries.put(key, entry)
            yield self._next(self._ttl, key, entry, load)
        return value

    def _next(self, seconds: float, key: LatestKey, entry: _Entry, load: Load) -> Later:
        entry.turn += 1
        turn = entry.turn
        seconds *= self._random.uniform(1 - _EARLY, 1)
        return Later(seconds, lambda: self._renew(key, entry, turn, load))

    def _renew(self, key: LatestKey, entry: _Entry, turn: int, load: Load) -> Steps[None]:
        """One refresh, and the next one's beginning; nothing where the entry is no longer kept or wanted."""
        if self._entries.peek(key) is not entry or entry.turn != turn:
            return
        if time.monotonic() - entry.used > _IDLE * self._ttl:
            self._entries.remove(key)
            return
        before = self._changed(key.subject)
        wait = self._ttl
        try:
            value = yield from load()
        except NotFound:
            self._entries.remove(key)
            return
        except SerdeError as error:
            self._went_away(entry, error)
            wait = min(self._ttl, _AWAY)
        else:
            entry.is_old = False
            # What was registered meanwhile is newer than what was found.
            if before == self._changed(key.subject):
                is_new = entry.value.id != value.id
                entry.set(value)
                self.changes += is_new
            self._answered()
        yield self._next(wait, key, entry, load)

    def _went_away(self, entry: _Entry, error: SerdeError) -> None:
        entry.is_old = True
        # Then nobody waits for the others either. A refusal is about this one alone.
        self._is_away = isinstance(error, RegistryUnreachable | RegistryBusy)
        if not self._is_told:
            self._is_told = True
            _log.warning("The latest versions last known are used until the registry is back: %s", error)

    def _answered(self) -> None:
        self._is_away = False
        if self._is_told and not any(entry.is_old for entry in self._entries.values()):
            self._is_told = False
            _log.info("The registry is back; the latest versions are known.")

    def _changed(self, subject: str) -> int:
        return self._changes[hash(subject) % _STRIPES]

    def _change(self, subject: str) -> None:
        self._changes[hash(subject) % _STRIPES] += 1
