"""The SQLite store's file: what it survives, what it refuses, and what it says then."""

import os
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from registry.errors import LogFormatError, StoreBusyError, StoreError
from registry.records import LogRecord
from registry.store import SQLiteStore

RECORD = LogRecord({"keytype": "NOOP"}, None)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "log.db"


def filled(path: Path, entries: int = 3) -> Path:
    store = SQLiteStore(path)
    for position in range(1, entries + 1):
        store.append(position, [RECORD])
    store.close()
    return path


def change(path: Path, *statements: str) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        for statement in statements:
            connection.execute(statement)


def test_the_log_outlives_the_store(path: Path) -> None:
    filled(path)
    with closing(SQLiteStore(path)) as store:
        assert [entry.position for entry in store.read(0)] == [1, 2, 3]
        store.append(4, [RECORD])
    with closing(SQLiteStore(path)) as store:
        assert store.head() == 4


def test_appends_are_synced_before_they_return(path: Path) -> None:
    with closing(SQLiteStore(path)) as store:
        writer = store._writer
        assert writer.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        assert writer.execute("PRAGMA synchronous").fetchone() == (2,)  # FULL: every commit syncs the WAL
        assert not writer.in_transaction
        store.append(1, [RECORD])
        assert not writer.in_transaction


def test_what_was_appended_is_there_for_who_copies_the_files_of_an_open_store(
    path: Path, tmp_path: Path
) -> None:
    with closing(SQLiteStore(path)) as store:
        store.append(1, [RECORD])
        copy = tmp_path / "copy.db"
        for suffix in ("", "-wal"):  # what a kill -9 leaves behind
            copy.with_name(copy.name + suffix).write_bytes(path.with_name(path.name + suffix).read_bytes())
    with closing(SQLiteStore(copy)) as store:
        assert store.head() == 1


def test_a_file_that_is_no_database(path: Path) -> None:
    path.write_text("no database, but more than a header's hundred bytes of something else " * 50)
    with pytest.raises(LogFormatError, match=rf"sqlite:///{path}: .*no SQLite database; give another path"):
        SQLiteStore(path)


def test_a_database_of_somebody_else(path: Path) -> None:
    change(path, "CREATE TABLE theirs (x)")
    with pytest.raises(LogFormatError, match="not a registry's; give another path"):
        SQLiteStore(path)
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT name FROM sqlite_schema").fetchall() == [("theirs",)]


def test_a_file_of_a_newer_format(path: Path) -> None:
    change(filled(path), "PRAGMA user_version=2")
    with pytest.raises(LogFormatError, match="has format 2, and this release of fivebyte reads format 1"):
        SQLiteStore(path)


def test_a_damaged_file(path: Path) -> None:
    filled(path, 400)
    content = bytearray(path.read_bytes())
    content[4096:8192] = os.urandom(4096)
    path.write_bytes(content)
    with closing(SQLiteStore(path)) as store, pytest.raises(LogFormatError, match="restore it from a backup"):
        list(store.read(0))


def test_a_damaged_entry_is_named(path: Path) -> None:
    change(filled(path), "UPDATE log SET records = '[{' WHERE position = 2")
    with (
        closing(SQLiteStore(path)) as store,
        pytest.raises(LogFormatError, match=rf"{path}: the entry at position 2 of the log is damaged"),
    ):
        list(store.read(0))


@pytest.mark.parametrize(
    "records", ['[{"key": 1, "value": null}]', '[{"key": {}}]', "{}x", '{"a": 1}', "[1]"]
)
def test_an_entry_of_another_shape_is_named(path: Path, records: str) -> None:
    change(filled(path), f"UPDATE log SET records = '{records}' WHERE position = 3")
    with closing(SQLiteStore(path)) as store, pytest.raises(LogFormatError, match="position 3 of the log"):
        list(store.read(0))


def test_a_gap_in_the_log_is_not_read_over(path: Path) -> None:
    change(filled(path), "DELETE FROM log WHERE position = 2")
    with closing(SQLiteStore(path)) as store, pytest.raises(LogFormatError, match="a gap after position 0"):
        list(store.read(0))


def test_a_file_that_another_process_holds(path: Path) -> None:
    filled(path)
    with closing(SQLiteStore(path, busy_timeout=0.05)) as store:
        with closing(sqlite3.connect(path, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            with pytest.raises(StoreBusyError, match=r"another process held the file for 0\.05 s"):
                store.append(4, [RECORD])
            with pytest.raises(StoreBusyError):
                SQLiteStore(path, busy_timeout=0.05)
            assert store.head() == 3  # reading goes on
        store.append(4, [RECORD])


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match=rf"there is no folder {tmp_path}/nowhere; make it first"):
        SQLiteStore(tmp_path / "nowhere" / "log.db")


def test_a_path_that_is_a_folder(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="unable to open database file; see whether the path is a file"):
        SQLiteStore(tmp_path)


@pytest.fixture
def unprivileged() -> Iterator[Path]:
    """A folder that all may enter, and no right to write where the mode forbids it, for root neither."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        user = os.geteuid()
        try:
            yield Path(folder)
        finally:
            os.seteuid(user)


def test_a_file_that_may_not_be_written(unprivileged: Path) -> None:
    path = filled(unprivileged / "log.db")
    path.chmod(0o444)
    unprivileged.chmod(0o555)
    try:
        if os.geteuid() == 0:
            os.seteuid(65534)
        with pytest.raises(StoreError, match="give the process the right to write the file and its folder"):
            SQLiteStore(path)
    finally:
        os.seteuid(os.getuid())
        unprivileged.chmod(0o755)


def test_a_full_disk_loses_nothing_that_was_acknowledged(path: Path) -> None:
    with closing(SQLiteStore(path)) as store:
        store.append(1, [RECORD])
        pages = store._writer.execute("PRAGMA page_count").fetchone()[0]
        store._writer.execute(f"PRAGMA max_page_count={pages}")
        too_much = LogRecord({"keytype": "TEST"}, {"x": "y" * 1_000_000})
        with pytest.raises(StoreError, match="the disk is full; nothing was written: make room"):
            store.append(2, [too_much])
        assert store.head() == 1
        store._writer.execute("PRAGMA max_page_count=1000000")
        store.append(2, [RECORD])
        assert [entry.records for entry in store.read(0)] == [(RECORD,), (RECORD,)]


def test_a_closed_store_says_so(path: Path) -> None:
    store = SQLiteStore(path)
    store.close()
    with pytest.raises(StoreError, match="the store is closed"):
        store.head()
    with pytest.raises(StoreError, match="the store is closed"):
        store.append(1, [RECORD])


def test_the_principal_and_the_time_are_columns(path: Path) -> None:
    with closing(SQLiteStore(path)) as store:
        store.append(1, [RECORD], principal="me")
    with closing(sqlite3.connect(path)) as connection:
        (row,) = connection.execute("SELECT position, principal, records FROM log").fetchall()
    assert row == (1, "me", '[{"key":{"keytype":"NOOP"},"value":null}]')
