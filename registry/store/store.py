"""What the registry asks of the place that keeps its log.

A log is a list of entries at positions 1, 2, 3, ... Each entry carries one or
more records that take effect together. Writing is "append at position n, or
fail": whoever is second at a position gets `Conflict`, reads on, and decides
again. So any number of writers need no leader.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple, Protocol

from registry.records import LogRecord


class Entry(NamedTuple):
    """What one append wrote.

    position: 1 for the first of a log.
    time: milliseconds since 1970, when it was appended.
    principal: who asked for it, where that is known. Every store has room for it in each entry.
    token: tells it from any other entry that was ever at its position, in stores that can lose
        their end and be written on from there; empty in others.
    """

    position: int
    time: int
    records: tuple[LogRecord, ...]
    principal: str | None = None
    token: str = ""


class Store(Protocol):
    """A log. Safe to use from several threads at once.

    Every method raises StoreError where the log cannot be read or written,
    StoreAwayError if that is because nobody answers, and LogFormatError where
    it is damaged.
    """

    @property
    def url(self) -> str:
        """As `open_store` takes it, but without user and password: it is shown in messages."""

    @property
    def head_lasts(self) -> float:
        """For how many seconds a head that was looked at will do, for answers that hardly ever change.

        It says what looking costs: 0 for nothing, infinity for a round trip. Such a log is followed.
        """

    def read(self, after: int) -> Iterator[Entry]:
        """The entries after position `after`, in order, up to the head at the time of the call."""

    def append(
        self, position: int, records: Sequence[LogRecord], principal: str | None = None, *, after: str = ""
    ) -> Entry:
        """Write `records` (at least one) as the entry at `position`, and answer it as `read` would.

        Returns when the entry is as durable as the store can make it and every
        reader sees it.

        after: the token that the entry before it must have. Empty: whichever is there; a store whose
            entries have no tokens takes no notice of it.

        Raises Conflict unless `position` is the one after the head, and `after` the token there.
        """

    def extend(self, entries: Sequence[Entry]) -> None:
        """Append entries of another log as they are, with their times and principals: all of them or none.

        entries: at least one, at positions that follow each other. Their tokens stay behind: those are a
        store's own.

        Raises Conflict unless the first position is the one after the head.
        """

    def head(self) -> int:
        """The position of the last entry; 0 for an empty log."""

    def tail(self) -> tuple[int, str]:
        """The head, and the token of the entry there; 0 and "" for an empty log."""

    def wait(self, after: int, timeout: float) -> int:
        """Wait until the head is beyond `after`, but for at most `timeout` seconds; then the head."""

    def warnings(self) -> list[str]:
        """Why what was acknowledged may be lost all the same, as the place is set; each with what to do."""

    def close(self) -> None:
        """Let go of files and connections. May be called again."""
