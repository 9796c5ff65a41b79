"""A bounded cache that asks once, however many threads want the same thing."""

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from concurrent.futures import Future
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class SingleFlightCache(Generic[K, V]):
    """Least recently used, at most `capacity` entries. For values that never change.

    While one thread loads a key the others that want it wait for its result, or
    get its error. Errors are not kept: the next call asks again.
    """

    def __init__(self, capacity: int) -> None:
        if capacity < 1:
            raise ValueError(f"the capacity of a cache is at least 1, not {capacity}")
        self._capacity = capacity
        self._entries: OrderedDict[K, V] = OrderedDict()
        self._loading: dict[K, Future[V]] = {}
        self._lock = threading.Lock()

    def get(self, key: K, load: Callable[[], V]) -> V:
        """The value of `key`, from `load()` if it is not here."""
        with self._lock:
            if key in self._entries:
                self._entries.move_to_end(key)
                return self._entries[key]
            loading = self._loading.get(key)
            if loading is None:
                mine = self._loading[key] = Future()
        if loading is not None:
            return loading.result()
        try:
            value = load()
        except BaseException as error:
            with self._lock:
                del self._loading[key]
            mine.set_exception(error)
            raise
        with self._lock:
            del self._loading[key]
            self._put(key, value)
        mine.set_result(value)
        return value

    def put(self, key: K, value: V) -> None:
        with self._lock:
            self._put(key, value)

    def discard(self, drop: Callable[[K], bool]) -> None:
        """Forget the keys for which `drop` says so."""
        with self._lock:
            for key in [key for key in self._entries if drop(key)]:
                del self._entries[key]

    def _put(self, key: K, value: V) -> None:
        self._entries[key] = value
        self._entries.move_to_end(key)
        if len(self._entries) > self._capacity:
            self._entries.popitem(last=False)

    def __len__(self) -> int:
        return len(self._entries)
