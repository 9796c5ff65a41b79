"""A log in memory, for tests and for trying things out. It ends with the process."""

import threading
import time
from collections.abc import Iterator, Sequence

from registry.errors import Conflict
from registry.records import LogRecord
from registry.store.encoding import decode_records, encode_records
from registry.store.store import Entry


class MemoryStore:
    """A log in memory. What is kept is text, so that no caller can change what another one reads."""

    url = "memory:"
    head_lasts = 0.0

    def __init__(self) -> None:
        self._rows: list[tuple[int, str, str | None]] = []
        self._grown = threading.Condition()

    def read(self, after: int) -> Iterator[Entry]:
        """See `Store`."""
        rows = self._rows[max(after, 0) :]
        for position, (moment, text, principal) in enumerate(rows, max(after, 0) + 1):
            yield Entry(position, moment, decode_records(text, self.url, position), principal)

    def append(
        self, position: int, records: Sequence[LogRecord], principal: str | None = None, *, after: str = ""
    ) -> Entry:
        """See `Store`."""
        text, moment = encode_records(records), time.time_ns() // 1_000_000
        with self._grown:
            if position != len(self._rows) + 1:
                raise Conflict(position)
            self._rows.append((moment, text, principal))
            self._grown.notify_all()
        return Entry(position, moment, tuple(records), principal)

    def extend(self, entries: Sequence[Entry]) -> None:
        """See `Store`."""
        rows = [(entry.time, encode_records(entry.records), entry.principal) for entry in entries]
        with self._grown:
            if entries[0].position != len(self._rows) + 1:
                raise Conflict(entries[0].position)
            self._rows += rows
            self._grown.notify_all()

    def clear(self) -> None:
        """Drop every entry. Who has read some is told by `registry.replica.Replica.forget`."""
        with self._grown:
            self._rows.clear()

    def head(self) -> int:
        """See `Store`."""
        return len(self._rows)

    def tail(self) -> tuple[int, str]:
        """See `Store`."""
        return self.head(), ""

    def wait(self, after: int, timeout: float) -> int:
        """See `Store`."""
        with self._grown:
            self._grown.wait_for(lambda: len(self._rows) > after, timeout)
            return len(self._rows)

    def warnings(self) -> list[str]:
        """See `Store`."""
        return []

    def close(self) -> None:
        """See `Store`."""
