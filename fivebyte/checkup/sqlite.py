"""A log in a SQLite file: that it can be read and written, is whole, and has room to grow."""

import os
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from fivebyte.checkup.finding import Finding, ok, problem, told, warning
from registry.errors import RegistryError
from registry.store import open_store

_MEGABYTE = 1024 * 1024
_NETWORK = ("nfs", "cifs", "smb", "fuse.sshfs", "9p", "glusterfs", "ceph")


def check(url: str) -> Iterator[Finding]:
    """The file that `url` (``sqlite:///PATH``) names. One that is not there is not made."""
    path = Path(url.removeprefix("sqlite:///"))
    folder = path.parent
    if not folder.is_dir():
        yield problem(f"store {url}: there is no folder {folder}", f"make it: mkdir -p {folder}")
        return
    if not os.access(folder, os.W_OK | os.X_OK):
        yield problem(
            f"store {url}: files cannot be written in {folder.resolve()}",
            "give the user of the server the right to; SQLite keeps files beside the database",
        )
        return
    yield from _disk(url, folder)
    if not path.exists() or path.stat().st_size == 0:
        yield ok(f"store {url}: there is no log yet; the first start makes it")
        return
    try:
        with closing(open_store(url)) as store:  # takes the lock for writing, and lets go of it
            head = store.head()
    except RegistryError as fault:
        yield told(fault)
        return
    yield ok(f"store {url}: can be read and written; the log is at position {head}")
    yield from _inside(url, path)


def _inside(url: str, path: Path) -> Iterator[Finding]:
    try:
        with closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=rw", uri=True)) as connection:
            journal = connection.execute("PRAGMA journal_mode").fetchone()[0]
            faults = [row[0] for row in connection.execute("PRAGMA quick_check(5)")]
    except sqlite3.OperationalError as fault:
        yield problem(f"store {url}: {fault}", "see whether the disk and the file are in order")
        return
    except sqlite3.DatabaseError as fault:  # so damaged that it cannot be looked through
        faults = [str(fault)]
    if faults != ["ok"]:
        yield problem(f"store {url}: the file is damaged: {'; '.join(faults)}", "restore it from a backup")
        return
    yield ok(f"store {url}: the file is whole (quick_check), journal mode {journal}")


def _disk(url: str, folder: Path) -> Iterator[Finding]:
    free = shutil.disk_usage(folder).free // _MEGABYTE
    where = f"store {url}: {free} MiB are free on its disk"
    if free < 10:
        yield problem(where, "make room: a full disk takes no new schemas")
    elif free < 200:
        yield warning(where, "make room before it is full")
    else:
        yield ok(where)
    kind = _filesystem(folder)
    if kind.startswith(_NETWORK):
        yield warning(
            f"store {url}: {folder.resolve()} is on a network file system ({kind})",
            "SQLite's locks may not hold there: use a local disk, or Redis for several nodes",
        )


def _filesystem(folder: Path) -> str:
    """The type of the file system that `folder` is on; "" where the system does not tell."""
    best, kind = "", ""
    try:
        mounts = Path("/proc/self/mounts").read_text()
    except OSError:
        return ""
    for line in mounts.splitlines():
        _, point, found, *_ = line.split(" ")
        point = point.encode().decode("unicode_escape")  # a space is \040
        if len(point) >= len(best) and folder.resolve().is_relative_to(point):
            best, kind = point, found
    return kind
