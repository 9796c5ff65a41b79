"""The log in a SQLite file: durable, for one machine, any number of processes.

The file is in WAL mode with ``synchronous=FULL``: `append` returns after the
commit was synced to disk, and from then on every reader in every process sees
the entry. One row is one entry. The primary key lets only one writer have a
position. ``application_id`` marks the file as ours and ``user_version`` is the
format of its table.

A store may be used from several threads: reads share one connection, appends
another, each under its own lock. It must not be carried over a fork; open it in
the process that uses it.
"""

import sqlite3
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TypeVar

from registry.errors import Conflict, LogFormatError, StoreBusyError, StoreError
from registry.records import LogRecord
from registry.store.encoding import decode_records, encode_records
from registry.store.store import Entry

T = TypeVar("T")

APPLICATION_ID = 0x35427974  # "5Byt"
FORMAT = 1
_TABLE = """
    CREATE TABLE log (
        position INTEGER PRIMARY KEY,
        time INTEGER NOT NULL,  -- milliseconds since 1970
        principal TEXT,
        records TEXT NOT NULL   -- JSON: [{"key": ..., "value": ...}, ...]
    )
"""
_APPEND = """
    INSERT INTO log (position, time, principal, records)
    SELECT ?, ?, ?, ? WHERE (SELECT coalesce(max(position), 0) FROM log) = ?
"""
_INSERT = "INSERT INTO log (position, time, principal, records) VALUES (?, ?, ?, ?)"
_HEAD = "SELECT coalesce(max(position), 0) FROM log"
_READ = "SELECT position, time, principal, records FROM log WHERE position > ? AND position <= ? ORDER BY 1"
_PAGE = 1000
_POLL = 0.02


class SQLiteStore:
    """The log in the SQLite file at `path`, which is made if it is not there.

    busy_timeout: seconds for which a write waits for other processes.

    Raises StoreError, StoreBusyError, LogFormatError.
    """

    head_lasts = 0.0005

    def __init__(self, path: str | Path, *, busy_timeout: float = 5.0) -> None:
        self._path = Path(path)
        self._busy_timeout = busy_timeout
        self._reading = threading.Lock()
        self._writing = threading.Lock()
        self._closed = False
        if not self._path.parent.is_dir():
            raise StoreError(f"{self.url}: there is no folder {self._path.parent}; make it first")
        self._writer = self._connect()
        try:
            self._guard(self._prepare)
            self._reader = self._connect()
        except BaseException:
            self._writer.close()
            raise

    @property
    def url(self) -> str:
        """See `Store`."""
        return f"sqlite:///{self._path}"

    def read(self, after: int) -> Iterator[Entry]:
        """See `Store`. Rows are fetched by the thousand, so a slow caller holds nothing up."""
        head = self.head()
        while after < head:
            rows = self._page(after, min(after + _PAGE, head))
            if [row[0] for row in rows] != list(range(after + 1, after + 1 + len(rows))) or not rows:
                raise LogFormatError(
                    f"{self.url}: the log has a gap after position {after}; restore it from a backup"
                )
            for position, moment, principal, text in rows:
                yield Entry(position, moment, decode_records(text, self.url, position), principal)
            after = rows[-1][0]

    def append(
        self, position: int, records: Sequence[LogRecord], principal: str | None = None, *, after: str = ""
    ) -> Entry:
        """See `Store`. Waits for other writers for at most the busy timeout, then raises StoreBusyError."""
        moment = time.time_ns() // 1_000_000
        row = (position, moment, principal, encode_records(records), position - 1)
        with self._writing:
            added = self._guard(lambda: self._writer.execute(_APPEND, row).rowcount)
        if added != 1:
            raise Conflict(position)
        return Entry(position, moment, tuple(records), principal)

    def extend(self, entries: Sequence[Entry]) -> None:
        """See `Store`. One transaction; waits for other writers as `append` does."""
        rows = [(e.position, e.time, e.principal, encode_records(e.records)) for e in entries]
        with self._writing:
            self._guard(lambda: self._insert(rows))

    def head(self) -> int:
        """See `Store`."""
        with self._reading:
            return self._guard(self._head)

    def tail(self) -> tuple[int, str]:
        """See `Store`."""
        return self.head(), ""

    def wait(self, after: int, timeout: float) -> int:
        """See `Store`. SQLite tells no other process of a write, so this looks every 20 ms."""
        deadline = time.monotonic() + timeout
        while (head := self.head()) <= after:
            remaining = deadline - time.monotonic()
            if remaining <= 0:
                break
            time.sleep(min(_POLL, remaining))
        return head

    def warnings(self) -> list[str]:
        """See `Store`."""
        return []

    def close(self) -> None:
        """See `Store`."""
        with self._writing, self._reading:
            self._closed = True
            for connection in (self._reader, self._writer):
                with suppress(sqlite3.Error):  # the commits are on disk; there is nothing left to lose
                    connection.close()

    def _insert(self, rows: Sequence[tuple[int, int, str | None, str]]) -> None:
        writer = self._writer
        writer.execute("BEGIN IMMEDIATE")
        with _rolled_back_on_error(writer):
            if rows[0][0] != writer.execute(_HEAD).fetchone()[0] + 1:
                raise Conflict(rows[0][0])
            writer.executemany(_INSERT, rows)
            writer.execute("COMMIT")

    def _page(self, after: int, last: int) -> list[tuple[int, int, str | None, str]]:
        with self._reading:
            return self._guard(lambda: self._reader.execute(_READ, (after, last)).fetchall())

    def _head(self) -> int:
        head: int = self._reader.execute(_HEAD).fetchone()[0]
        return head

    def _connect(self) -> sqlite3.Connection:
        def connect() -> sqlite3.Connection:
            # Autocommit: each statement is its own transaction. Our locks do what check_same_thread would.
            connection = sqlite3.connect(
                self._path, timeout=self._busy_timeout, isolation_level=None, check_same_thread=False
            )
            try:
                connection.execute("PRAGMA synchronous=FULL")
            except BaseException:
                connection.close()
                raise
            return connection

        return self._guard(connect)

    def _prepare(self) -> None:
        """Make the table in an empty file; refuse a file that is not a registry's log of this format."""
        writer = self._writer
        if not self._is_ready():
            writer.execute("BEGIN IMMEDIATE")
            with _rolled_back_on_error(writer):
                if not self._is_ready():  # another process may have been faster
                    writer.execute(_TABLE)
                    writer.execute(f"PRAGMA application_id={APPLICATION_ID}")
                    writer.execute(f"PRAGMA user_version={FORMAT}")
                writer.execute("COMMIT")
        if self._pragma("journal_mode") != "wal" and self._pragma("journal_mode=WAL") != "wal":
            raise StoreError(f"{self.url}: SQLite cannot use write-ahead logging here; use a local disk")
        # A file that can be read only is met here, at start, and not by the first who registers.
        writer.execute("BEGIN IMMEDIATE")
        writer.execute("ROLLBACK")

    def _is_ready(self) -> bool:
        application, version = self._pragma("application_id"), self._pragma("user_version")
        if application == APPLICATION_ID:
            if version != FORMAT:
                raise LogFormatError(
                    f"{self.url}: the file has format {version}, and this release of fivebyte reads "
                    f"format {FORMAT}; use the release that wrote it, or a newer one"
                )
            return True
        if self._writer.execute("SELECT count(*) FROM sqlite_schema").fetchone()[0] or application or version:
            raise LogFormatError(
                f"{self.url}: the file is a SQLite database, but not a registry's; give another path"
            )
        return False

    def _pragma(self, pragma: str) -> object:
        return self._writer.execute(f"PRAGMA {pragma}").fetchone()[0]

    def _guard(self, action: Callable[[], T]) -> T:
        """Do `action`; what SQLite complains of is said with the path and what to do."""
        try:
            return action()
        except sqlite3.Error as fault:
            raise self._explain(fault) from fault

    def _explain(self, fault: sqlite3.Error) -> StoreError:
        if self._closed:
            return StoreError(f"{self.url}: the store is closed")
        code = getattr(fault, "sqlite_errorcode", 0) & 0xFF
        kind, advice = _ADVICE.get(code, (StoreError, "see whether the disk and the file are in order"))
        seconds = f"{self._busy_timeout:g}"
        return kind(f"{self.url}: {fault}; {advice.replace('{seconds}', seconds)}")


_ADVICE: dict[int, tuple[type[StoreError], str]] = {
    sqlite3.SQLITE_BUSY: (
        StoreBusyError,
        "another process held the file for {seconds} s; see who has it open, then try again",
    ),
    sqlite3.SQLITE_LOCKED: (StoreBusyError, "try again"),
    sqlite3.SQLITE_NOTADB: (LogFormatError, "the file is no SQLite database; give another path"),
    sqlite3.SQLITE_CORRUPT: (LogFormatError, "the file is damaged; restore it from a backup"),
    sqlite3.SQLITE_READONLY: (StoreError, "give the process the right to write the file and its folder"),
    sqlite3.SQLITE_CANTOPEN: (
        StoreError,
        "see whether the path is a file that the process may read and write",
    ),
    sqlite3.SQLITE_FULL: (StoreError, "the disk is full; nothing was written: make room, then try again"),
    sqlite3.SQLITE_IOERR: (StoreError, "the disk failed; see the system's log"),
}


@contextmanager
def _rolled_back_on_error(connection: sqlite3.Connection) -> Iterator[None]:
    try:
        yield
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise
