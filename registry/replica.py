"""A log's fold, kept at the log's head, and the way to write to the log: decide, append, or decide again."""

import logging
import random
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from registry.errors import Conflict, WriteTimedOutError
from registry.records import Record
from registry.state import State
from registry.store import Store

T = TypeVar("T")

_log = logging.getLogger("fivebyte.registry")

_WRITE_SECONDS = 10.0
"""For how long a write goes on trying when other processes win every position."""


class Replica:
    """The state that the log in `store` says. Safe to use from several threads.

    Two locks: one around the state, held for short; one in which the writers of
    this process queue, held over the append, so that readers never wait for a disk.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._state = State()
        self._folding = threading.RLock()
        self._writing = threading.Lock()

    @contextmanager
    def synced(self) -> Iterator[State]:
        """The state at the log's head, locked: read it, keep nothing of it that changes.

        Raises StoreError, LogFormatError.
        """
        with self._folding:
            head = self._store.head()
            if head < self._state.position:
                _log.error(
                    "%s ends at position %d, but %d had been read from it: it was replaced or lost its end. "
                    "Answering from what is there now; writes that had been acknowledged may be gone",
                    self._store.url,
                    head,
                    self._state.position,
                )
                self._state = State()
            if head > self._state.position:
                self._fold()
            yield self._state

    def write(self, decide: Callable[[State], tuple[list[Record], T]]) -> T:
        """Append the records that `decide` gives for the state at the head; answer what it gives beside them.

        When another process took the position, `decide` is asked again, at the
        new head. No records: nothing is written.

        Raises WriteTimedOutError where others win every time, StoreError, and what `decide` raises.
        """
        deadline = time.monotonic() + _WRITE_SECONDS
        with self._writing:
            attempt = 0
            while True:
                with self.synced() as state:
                    records, result = decide(state)
                    position = state.position + 1
                if not records:
                    return result
                try:
                    self._store.append(position, [record.to_log() for record in records])
                except Conflict:
                    attempt += 1
                    if time.monotonic() > deadline:
                        raise WriteTimedOutError(
                            f"Register operation timed out: other writers were faster {attempt} times "
                            f"in {_WRITE_SECONDS:g} s; nothing was written, try again"
                        ) from None
                    time.sleep(random.uniform(0, 0.001 * min(attempt, 20)))  # noqa: S311 - spreads writers out
                else:
                    return result

    def _fold(self) -> None:
        state = self._state
        for entry in self._store.read(state.position):
            refused = len(state.refused)
            state.apply(entry.position, entry.time, entry.records)
            for subject, version in state.refused[refused:]:
                _log.warning(
                    "%s, position %d: version %d of subject %s is ignored, its id stands for another schema",
                    self._store.url,
                    entry.position,
                    version,
                    subject,
                )
