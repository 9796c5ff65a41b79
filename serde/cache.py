"""A bounded memory of what was asked. Asking once for many is `serde.steps.Once`'s part."""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

from serde import arguments

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class Cache(Generic[K, V]):
    """Least recently used, at most `capacity` entries; each for `ttl` seconds; None: for ever.

    Safe to use from several threads. After a fork the child calls `after_fork`: the lock may have been
    taken by a thread that the child does not have.
    """

    def __init__(self, capacity: int, ttl: float | None = None) -> None:
        arguments.whole_number("the capacity of a cache", capacity)
        if capacity < 1:
            raise ValueError(f"the capacity of a cache is at least 1, not {capacity}")
        self._capacity = capacity
        self._ttl = ttl
        self._entries: OrderedDict[K, tuple[V, float]] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: K) -> V | None:
        """What is kept under the key; None if nothing is."""
        with self._lock:
            entry = self._entries.get(key)
            if entry is None:
                return None
            value, since = entry
            if self._ttl is not None and time.monotonic() - since >= self._ttl:
                del self._entries[key]
                return None
            self._entries.move_to_end(key)
            return value

    def peek(self, key: K) -> V | None:
        """What is kept under the key, which does not count as a use."""
        with self._lock:
            entry = self._entries.get(key)
            return None if entry is None else entry[0]

    def put(self, key: K, value: V) -> None:
        """Keep a value, in place of what was kept there."""
        with self._lock:
            self._entries[key] = (value, time.monotonic())
            self._entries.move_to_end(key)
            if len(self._entries) > self._capacity:
                self._entries.popitem(last=False)

    def remove(self, key: K) -> None:
        """Forget the key."""
        with self._lock:
            self._entries.pop(key, None)

    def discard(self, drop: Callable[[K], bool]) -> None:
        """Forget the keys for which `drop` says so."""
        with self._lock:
            for key in [key for key in self._entries if drop(key)]:
                del self._entries[key]

    def values(self) -> list[V]:
        """What is kept now."""
        with self._lock:
            return [value for value, _ in self._entries.values()]

    def after_fork(self) -> None:
        """Go on in a child process."""
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._entries)
