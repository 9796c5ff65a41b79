"""A log's fold, kept at the log's head, and the way to write to the log: decide, append, or decide again."""

import logging
import random
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import NamedTuple, TypeVar

from registry.errors import Conflict, NotFoundError, StoreAwayError, StoreError, WriteTimedOutError
from registry.records import Record
from registry.state import State
from registry.store import Entry, Store

T = TypeVar("T")

_log = logging.getLogger("fivebyte.registry")

_WRITE_SECONDS = 10.0
"""For how long a write goes on trying when other processes win every position."""


class Fold(NamedTuple):
    """What a log says up to a position. token: of the entry there, in a store whose entries have one."""

    state: State
    token: str


class Replica:
    """The state that the log in `store` says. Safe to use from several threads.

    fold: what another replica had read of the log, to go on from. It becomes this one's.

    Two locks: one around the state, held for short; one in which the writers of
    this process queue, held over the append, so that readers never wait for a disk.
    """

    def __init__(self, store: Store, fold: Fold | None = None) -> None:
        self._store = store
        # The token is that of the last entry that was folded.
        self._state, self._token = Fold(State(), "") if fold is None else fold
        self._appended = 0  # the last position that this process wrote, which need not be folded yet
        self._folding = threading.RLock()
        self._writing = threading.Lock()
        self._away: str | None = None  # why the follower has to wait, while it has to
        self._looked = 0.0  # when `peek` found the state to be at the head
        self.conflicts = 0
        """How many appends found their position taken."""

    @property
    def store(self) -> Store:
        """Where the log is."""
        return self._store

    @property
    def state(self) -> State:
        """What was read last, not locked: only for what `State` says is safe so."""
        return self._state

    @property
    def fold(self) -> Fold:
        """What was read last, for a process that is forked off now."""
        return Fold(self._state, self._token)

    def peek(self) -> State | None:
        """The state, not locked, for one look into a table; None if it is known to be behind the log.

        What this process wrote is known at once, what others did after the store's `head_lasts`.
        """
        state, now = self._state, time.monotonic()
        if self._appended > state.position:
            return None
        if now - self._looked < self._store.head_lasts:
            return state
        try:
            if self._store.head() != state.position:
                return None
        except StoreError:
            return None
        self._looked = now
        return state

    def synced(self) -> "_Locked":
        """The state at the log's head, locked: read it, keep nothing of it that changes.

        Raises StoreError, LogFormatError. While the log is followed, and the follower finds the store to
        be away, that is at once: only the follower waits.
        """
        self._give_up_while_away()
        return _Locked(self._folding, self._at_head)

    def held(self) -> "_Locked":
        """The state as it was read last, locked: to go on with what was begun in `synced`."""
        return _Locked(self._folding, lambda: self._state)

    @contextmanager
    def lasting(self) -> Iterator[State]:
        """As `synced`; while the store is away, as it was read last: for answers that never change.

        Raises StoreAwayError also instead of a NotFoundError inside: it may be there by now.
        """
        away = None
        with self._folding:
            try:
                self._give_up_while_away()
                self._sync()
            except StoreAwayError as fault:
                away = fault
            try:
                yield self._state
            except NotFoundError:
                if away is not None:
                    raise away from None
                raise

    def follow(self, timeout: float) -> None:
        """Wait for the log to grow, for at most `timeout` seconds, and fold what is new.

        Not when the store was away: then others wait to hear that it is back.

        Raises StoreError, LogFormatError.
        """
        away = None
        try:
            self._store.wait(self._state.position, timeout if self._away is None else 0)
            with self._folding:
                self._sync()
        except StoreAwayError as fault:
            away = str(fault)
            raise
        finally:
            self._away = away

    def forget(self) -> None:
        """Begin again with nothing read, for a log that was emptied on purpose."""
        with self._writing, self._folding:
            self._state, self._token, self._appended, self._looked = State(), "", 0, 0.0

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
                    position, after = state.position + 1, self._token
                if not records:
                    return result
                try:
                    entry = self._store.append(position, [record.to_log() for record in records], after=after)
                except Conflict:
                    attempt += 1
                    self.conflicts += 1  # under the lock of the writers
                    if time.monotonic() > deadline:
                        raise WriteTimedOutError(
                            f"Register operation timed out: other writers were faster {attempt} times "
                            f"in {_WRITE_SECONDS:g} s; nothing was written, try again"
                        ) from None
                    time.sleep(random.uniform(0, 0.001 * min(attempt, 20)))  # noqa: S311 - spreads writers out
                else:
                    self._take(entry)
                    return result

    def _take(self, entry: Entry) -> None:
        """Fold what this process has just appended, without reading it back."""
        with self._folding:  # not while another thread holds a head that it asked for before
            self._appended = entry.position
            if self._state.position == entry.position - 1:  # or else another thread has read it already
                self._fold(self._state, entry)
                self._token = entry.token

    def _give_up_while_away(self) -> None:
        if self._away is not None:
            raise StoreAwayError(self._away)

    def _at_head(self) -> State:
        self._sync()
        return self._state

    def _sync(self) -> None:
        head, token = self._store.tail()
        position = self._state.position
        known = max(position, self._appended)
        if head < known:
            self._start_anew(f"ends at position {head}, but {known} had been read from it or written")
        elif head > position:
            self._catch_up()
        elif token != self._token:
            self._start_anew(f"has another entry at position {position} than had been read from it")

    def _catch_up(self) -> None:
        """Fold what is new."""
        state = self._state
        # The log may have lost its end and grown beyond it since: where entries have tokens, the last one
        # that was folded is looked at again.
        known = state.position if self._token else 0
        for entry in self._store.read(known - 1 if known else state.position):
            if entry.position != known:
                self._fold(state, entry)
                self._token = entry.token
            elif entry.token != self._token:
                self._start_anew(f"has another entry at position {known} than had been read from it")
                return

    def _start_anew(self, why: str) -> None:
        """Fold the log from its start: what had been read is not its beginning.

        The new state takes the place of the old one only when it is whole, so if this fails, the next who
        asks comes here again.
        """
        _log.error(
            "%s %s: it was replaced or lost its end. "
            "Answering from what is there now; writes that had been acknowledged may be gone",
            self._store.url,
            why,
        )
        state, token = State(), ""
        for entry in self._store.read(0):
            self._fold(state, entry)
            token = entry.token
        self._state, self._token, self._appended = state, token, 0

    def _fold(self, state: State, entry: Entry) -> None:
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


class _Locked:
    """A context in which a state is locked. A generator takes several times as long."""

    __slots__ = ("_lock", "_state")

    def __init__(self, lock: threading.RLock, state: Callable[[], State]) -> None:
        self._lock = lock
        self._state = state

    def __enter__(self) -> State:
        self._lock.acquire()
        try:
            return self._state()
        except BaseException:
            self._lock.release()
            raise

    def __exit__(self, *_: object) -> None:
        self._lock.release()
