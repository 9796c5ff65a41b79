"""File locks that the kernel drops at a process's death, and what a fork must undo.

Owns the lock files (``.wlock`` of a partition, ``.topics.lock`` of a folder of
topics, ``group.lock``, the members' files and the partitions' files of a
group). Any thread of any process.

Locks are flock's. POSIX record locks vanish when any descriptor of the file is
closed anywhere in the process, so they cannot be used. A flock belongs to the
open file, which a forked child shares with its parent: the child must close
its copy, or a dead parent's lock would live on in it (`reset_in_child`).
"""

import fcntl
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Final, Self

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
            self._lock(fcntl.LOCK_EX)
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

    @contextmanager
    def if_free(self) -> Iterator[bool]:
        """A context that has the lock if nobody else had; it says which."""
        taken = self._threads.acquire(blocking=False)
        try:
            if taken:
                try:
                    self._lock(fcntl.LOCK_EX | fcntl.LOCK_NB)
                except BaseException:
                    self._threads.release()
                    taken = False
                    raise
        except BlockingIOError:
            pass
        try:
            yield taken
        finally:
            if taken:
                self.__exit__(None, None, None)

    def _lock(self, how: int) -> None:
        if self._descriptor < 0:
            self._descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        fcntl.flock(self._descriptor, how)

    def close(self) -> None:
        """Give the descriptor back. The next use opens it again."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1


class _Owned:
    """A file that is locked until `close` or death."""

    def __init__(self, path: Path, descriptor: int) -> None:
        self.path = path
        self._descriptor = descriptor
        reset_in_child(self)

    @property
    def held(self) -> bool:
        """Whether this process still holds it: not after `close`, and never in a forked child."""
        return self._descriptor >= 0

    def after_fork(self) -> None:
        """The parent holds the lock, not its child, which would keep it alive."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def close(self) -> None:
        """Let go. A second call does nothing."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1


class LifeLock(_Owned):
    """A lock on a file of one's own, held until `close` or death: the lock is the heartbeat.

    In the file is a number of 8 bytes, which `count` raises: so others see
    that its owner goes on, and not only lives.
    """

    def __init__(self, path: Path) -> None:
        """Create `path` and lock it. Raises `OSError`."""
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o644)
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        super().__init__(path, descriptor)
        self._turns = 0

    def count(self) -> None:
        """Say that one goes on. Raises `OSError`."""
        self._turns += 1
        os.pwrite(self._descriptor, self._turns.to_bytes(_COUNT_BYTES, "little"), 0)

    def close(self) -> None:
        """Remove the file and let go."""
        if self.held:
            self.path.unlink(missing_ok=True)
        super().close()


class OwnerLock(_Owned):
    """A lock on a file that all use, with its owner's name in it. Made by `take`."""

    @classmethod
    def take(cls, path: Path, owner: str, is_entitled: Callable[[str], bool]) -> Self | None:
        """Lock `path` and write `owner` into it; None if somebody has it who is entitled to it.

        From one who is not, the file is taken away: that one's lock is then of a file that nobody sees. All
        who take must have one more lock between them. Raises `OSError`.
        """
        # Looked at without opening it to write: closing such a file looks to others as if it were let go of.
        if is_held(path):
            if is_entitled(path.read_text()):
                return None
            path.unlink(missing_ok=True)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            os.pwrite(descriptor, owner.encode(), 0)
            os.ftruncate(descriptor, len(owner.encode()))
        except BaseException:
            os.close(descriptor)
            raise
        return cls(path, descriptor)


_COUNT_BYTES: Final = 8


def is_held(path: Path) -> bool:
    """Whether a living process holds the `LifeLock` at `path`; False if the file is gone."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    try:
        # Shared, so that two who look at the same time do not take each other for the owner.
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    else:
        return False
    finally:
        os.close(descriptor)
