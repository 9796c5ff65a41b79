"""Logs copied between stores: equal, verified, resumed; refused where the target holds something else."""

import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from registry.errors import TransferError
from registry.records import LogRecord
from registry.store import Entry, MemoryStore, SQLiteStore, Store, open_store
from registry.transfer.copying import Copied, copy
from registry.transfer.opening import open_source, open_target
from tests.registry.histories import folded
from tests.registry.samples import gone, stored
from tests.support.needs import ROOT


def an_entry(position: int, *records: LogRecord, time: int | None = None, by: str | None = None) -> Entry:
    moment = 1_700_000_000_000 + position if time is None else time
    return Entry(position, moment, records or (stored("s", position, position),), by)


class Elsewhere(MemoryStore):
    url = "elsewhere"


def log(*entries: Entry, store: MemoryStore | None = None) -> MemoryStore:
    store = MemoryStore() if store is None else store
    for entry in entries:
        store.extend([entry])
    return store


def bare(store: Store) -> list[Entry]:
    return [entry._replace(token="") for entry in store.read(0)]


ENTRIES = [
    an_entry(1, stored("s", 1, 1, '"é😀"'), by="ada"),
    an_entry(2, LogRecord({"keytype": "ODD", "z": 1, "a": 2}, {"y": None}), stored(":.eu:t", 1, 1)),
    an_entry(3, gone("s", 1), time=5),
]


def test_a_copy_goes_from_sqlite_to_redis_and_back_unchanged(
    tmp_path: Path, store_url: Callable[[str], str]
) -> None:
    urls = f"sqlite:///{tmp_path}/a.db", store_url("redis"), f"sqlite:///{tmp_path}/b.db"
    first, middle, last = map(open_store, urls)
    first.extend(ENTRIES)
    first.extend([an_entry(position, stored("s", position, position)) for position in range(4, 1203)])
    assert copy(first, middle) == copy(middle, last) == Copied(1202, 1202, 0)
    assert bare(first) == bare(middle) == bare(last)
    for store in (first, middle, last):
        store.close()
    rows = [_rows(tmp_path / name) for name in ("a.db", "b.db")]
    assert rows[0] == rows[1]


def _rows(path: Path) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute("SELECT position, time, principal, records FROM log ORDER BY 1").fetchall()


def test_a_copy_goes_on_where_another_ended() -> None:
    source, target = log(*ENTRIES), log(*ENTRIES[:1], store=Elsewhere())
    assert copy(source, target) == Copied(3, 2, 0)
    assert copy(source, target) == Copied(3, 0, 0)
    source.append(4, [stored("s", 2, 2)])
    assert copy(source, target) == Copied(4, 1, 0)
    assert bare(source) == bare(target)
    assert folded(source) == folded(target)


def test_an_empty_log_is_copied() -> None:
    assert copy(MemoryStore(), Elsewhere()) == Copied(0, 0, 0)


@pytest.mark.parametrize(
    ("there", "why"),
    [
        (an_entry(2, *ENTRIES[1].records, time=7), "position 2 differs in its time"),
        (an_entry(2, *ENTRIES[1].records, by="eve"), "position 2 differs in its principal"),
        (
            an_entry(2, stored("t", 1, 7)),
            "records: .* has ODD of None, SCHEMA of ':.eu:t' version 1 id 1 .* 't' version 1 id 7",
        ),
    ],
)
def test_a_target_that_holds_something_else_is_refused(tmp_path: Path, there: Entry, why: str) -> None:
    source, target = log(*ENTRIES), SQLiteStore(tmp_path / "t.db")
    target.extend([ENTRIES[0], there])
    with pytest.raises(TransferError, match=f"{why}.*nothing was written"):
        copy(source, target)
    assert target.head() == 2
    target.close()


def test_a_target_with_more_than_the_source_is_refused(tmp_path: Path) -> None:
    target = SQLiteStore(tmp_path / "t.db")
    target.extend(ENTRIES)
    with pytest.raises(TransferError, match="has 3 entries, and the source memory: only 1"):
        copy(log(*ENTRIES[:1]), target)
    target.close()


def test_the_source_may_be_written_to_meanwhile(tmp_path: Path) -> None:
    source, target = log(*ENTRIES), SQLiteStore(tmp_path / "t.db")

    def meddle(what: str, done: int, total: int) -> None:
        if source.head() < 5:
            source.append(source.head() + 1, [stored("later", source.head(), 100 + source.head())])

    assert copy(source, target, meddle) == Copied(3, 3, 2)
    assert bare(target) == ENTRIES
    assert copy(source, target) == Copied(5, 2, 0)
    target.close()


def test_a_target_that_others_write_to_is_refused(tmp_path: Path) -> None:
    class Racing(MemoryStore):
        url = "racing"

        def extend(self, entries: object) -> None:
            super().append(self.head() + 1, [stored("mine", 1, 1)])
            super().extend(entries)  # type: ignore[arg-type]

    with pytest.raises(TransferError, match="somebody else wrote position 1 of the target racing"):
        copy(log(*ENTRIES), Racing())


def test_a_store_that_does_not_keep_what_it_took_is_found_out() -> None:
    class Forgetful(MemoryStore):
        url = "forgetful"

        def extend(self, entries: object) -> None:
            super().extend([entry._replace(time=0) for entry in entries])  # type: ignore[attr-defined]

    with pytest.raises(TransferError, match="position 1 differs in its time"):
        copy(log(*ENTRIES), Forgetful())


def test_what_cannot_be_a_source_or_a_target(tmp_path: Path) -> None:
    with pytest.raises(TransferError, match="no such file"):
        open_source(f"sqlite:///{tmp_path}/mistyped.db")
    assert not list(tmp_path.iterdir())
    for opening in (open_source, open_target):
        with pytest.raises(TransferError, match="in memory ends with its process"):
            opening("memory:")
    store = SQLiteStore(tmp_path / "a.db")
    with pytest.raises(TransferError, match="is the source and the target"):
        copy(store, store)
    store.close()


def test_a_copy_that_is_killed_goes_on(tmp_path: Path, store_url: Callable[[str], str]) -> None:
    """SIGKILL at some moment of the writing, until one copy gets through."""
    url, target_url = f"sqlite:///{tmp_path}/a.db", store_url("redis")
    source = open_store(url)
    source.extend([an_entry(position, stored("s", position, position)) for position in range(1, 4_001)])
    target, kills = open_store(target_url), 0
    command = [sys.executable, "-m", "fivebyte", "registry", "copy", url, target_url]
    while target.head() < source.head():
        before = target.head()
        process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL)
        while target.head() < min(before + 1000, source.head()) and process.poll() is None:
            time.sleep(0.001)
        if target.head() < source.head():
            process.send_signal(signal.SIGKILL)
            kills += 1
        process.wait()
        assert target.head() > before
    assert kills >= 1
    assert copy(source, target) == Copied(4_000, 0, 0)
    assert bare(source) == bare(target)
    source.close()
    target.close()
