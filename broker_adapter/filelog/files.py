"""The few things that every file of a log needs: errors with a path, whole writes, durable names.

Owns no file. Functions only: any thread, any process.
"""

import os
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType

from broker_adapter.errors import LogIOError


class reporting:  # noqa: N801 - read as a word: with reporting("append to", path)
    """A context that turns an `OSError` into a `LogIOError` that says what was done to which path."""

    __slots__ = ("_doing", "_path")

    def __init__(self, doing: str, path: Path) -> None:
        self._doing = doing
        self._path = path

    def __enter__(self) -> None:
        return None

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if isinstance(error, OSError):
            raise LogIOError(self._doing, self._path, error) from error


def pwrite_all(descriptor: int, parts: Sequence[bytes | memoryview], position: int) -> None:
    """Write all of `parts` at `position`. At a size limit the system writes a part first, then fails."""
    wanted = sum(len(part) for part in parts)
    done = os.pwritev(descriptor, parts, position)
    if done == wanted:
        return
    rest = memoryview(b"".join(parts))[done:]
    while rest:
        done = os.pwrite(descriptor, rest, position + wanted - len(rest))
        rest = rest[done:]


def sync_directory(directory: Path) -> None:
    """Make the names in `directory` durable: a new file is lost with its name otherwise."""
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write_atomically(path: Path, text: str, *, durable: bool = True) -> None:
    """Replace `path` so that a reader, or a machine that comes up again, finds the old or the new text.

    Not `durable` it waits for no disk; a machine that goes down may then leave anything.
    """
    unfinished = path.with_name(path.name + ".tmp")
    with unfinished.open("w", encoding="utf-8") as file:
        file.write(text)
        if durable:
            file.flush()
            os.fsync(file.fileno())
    unfinished.replace(path)
    if durable:
        sync_directory(path.parent)
