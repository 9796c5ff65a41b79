"""File locks that the kernel drops at a process's death, and what a fork must undo.

Owns the lock files (``.wlock`` of a partition, ``.lock`` of a folder of
topics, ``group.lock`` and the members' files of a group); they are never read
for their contents. Any thread of any process.

Locks are flock's. POSIX record locks vanish when any descriptor of the file is
closed anywhere in the process, so they cannot be used. A flock belongs to the
open file, which a forked child shares with its parent: the child must close
its copy, or a dead parent's lock would live on in it (`reset_in_child`).
"""

import fcntl
import os
import threading
from pathlib import Path
from types import TracebackType
from typing import Self

from broker_adapter.forks import reset_in_child


class FileLock:
    """Mutual exclusion between all threads of all processes that use the same path.

    A context manager; not re-entrant. Raises `OSError`.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._threads = threading.Lock()
        self._descriptor = -1
        reset_in_child(self)

    def after_fork(self) -> None:
        """Let go of the parent's lock, and forget a thread that held it and is not in this process."""
        self._threads = threading.Lock()
        self.close()

    def __enter__(self) -> Self:
        # The kernel's lock is this object's, not the thread's: threads need their own in front of it.
        self._threads.acquire()
        try:
            if self._descriptor < 0:
                self._descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
            fcntl.flock(self._descriptor, fcntl.LOCK_EX)
        except BaseException:
            self._threads.release()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()

    def try_acquire(self) -> bool:
        """Take the lock if it is free; whether it was. To be followed by `release`."""
        if not self._threads.acquire(blocking=False):
            return False
        try:
            if self._descriptor < 0:
                self._descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            self._threads.release()
            return False
        except BaseException:
            self._threads.release()
            raise
        return True

    def release(self) -> None:
        """Let go."""
        fcntl.flock(self._descriptor, fcntl.LOCK_UN)
        self._threads.release()

    def close(self) -> None:
        """Give the descriptor back. The next use opens it again."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1


class LifeLock:
    """A lock on a file of one's own, held until `close` or death: the lock is the heartbeat."""

    def __init__(self, path: Path) -> None:
        """Create `path` and lock it. Raises `OSError`."""
        self.path = path
        self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o644)
        fcntl.flock(self._descriptor, fcntl.LOCK_EX)
        reset_in_child(self)

    @property
    def held(self) -> bool:
        """Whether this process still holds it: not after `close`, and never in a forked child."""
        return self._descriptor >= 0

    def after_fork(self) -> None:
        """The parent is the member, not its child."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def close(self) -> None:
        """Remove the file and let go."""
        if self._descriptor >= 0:
            self.path.unlink(missing_ok=True)
            os.close(self._descriptor)
            self._descriptor = -1


def is_held(path: Path) -> bool:
    """Whether a living process holds the `LifeLock` at `path`; False if the file is gone."""
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    else:
        return False
    finally:
        os.close(descriptor)
