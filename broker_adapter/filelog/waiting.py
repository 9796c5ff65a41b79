"""Waiting for what another thread or process may do at any moment to the files of some folders.

Owns no file. A `Waiter` is for one thread at a time.

A thread of this process that appends says so (`wake`). What other processes
do, the kernel tells where it has inotify; everywhere a waiter looks again by
itself, less and less often, so that nothing depends on being told. The kernel
tells of a write before it is published, and of a death before the lock is
free: who was woken looks several times within some milliseconds.
"""

import contextlib
import ctypes
import os
import select
import struct
import threading
import time
from collections.abc import Callable, Collection, Iterator
from pathlib import Path
from typing import Final

from broker_adapter.forks import reset_in_child

_FIRST_PAUSE: Final = 0.0002
_FIRST_TOLD_PAUSE: Final = 0.001
"""Where the kernel tells of news: it is the least that a wait for it can take."""
_LONGEST_PAUSE: Final = 0.02
_GLANCES: Final = (0.00002, 0.00005, 0.0001, 0.0002, 0.0004)
"""Pauses before looking again after news that cannot be seen yet, in seconds."""

_MODIFY, _CLOSE_WRITE, _MOVED_TO, _CREATE = 0x2, 0x8, 0x80, 0x100
_WRITES: Final = _MODIFY | _CLOSE_WRITE | _CREATE
_CHANGES: Final = _CLOSE_WRITE | _MOVED_TO
_EVENT: Final = struct.Struct("iIII")
_EVENT_BYTES: Final = 16384


class _Inotify:
    """The kernel's news of folders. Raises `OSError` where there is none, or too much of it in use."""

    def __init__(self) -> None:
        library = ctypes.CDLL(None, use_errno=True)
        try:
            self._add, self._remove = library.inotify_add_watch, library.inotify_rm_watch
            self.descriptor = int(library.inotify_init1(os.O_CLOEXEC | os.O_NONBLOCK))
        except AttributeError:
            raise OSError("this system has no inotify") from None
        if self.descriptor < 0:
            raise OSError(ctypes.get_errno(), "inotify_init1")
        self._watches: dict[Path, int] = {}

    def watch(self, folders: dict[Path, int]) -> None:
        """Be told of exactly `folders`, each with what of it is news."""
        for folder in self._watches.keys() - folders.keys():
            self._remove(self.descriptor, self._watches.pop(folder))
        for folder, mask in folders.items():
            if folder not in self._watches:
                watch = self._add(self.descriptor, os.fsencode(folder), mask)
                if watch >= 0:  # a folder that is gone, or too many watches: looking by oneself is enough
                    self._watches[folder] = watch

    def folders_with_news(self) -> set[Path]:
        """The folders in which something was done since the last call."""
        try:
            data = os.read(self.descriptor, _EVENT_BYTES)
        except BlockingIOError:
            return set()
        watches: set[int] = set()
        at = 0
        while at < len(data):
            watch, _, _, length = _EVENT.unpack_from(data, at)
            watches.add(watch)
            at += _EVENT.size + length
        return {folder for folder, watch in self._watches.items() if watch in watches}

    def close(self) -> None:
        os.close(self.descriptor)


class _Bell:
    """What a waiter sleeps on: it can be rung by other threads, and where there is inotify, by the kernel."""

    def __init__(self) -> None:
        self._event: threading.Event | None = None
        self._inotify: _Inotify | None = None
        with contextlib.suppress(OSError):
            self._inotify = _Inotify()
        if self._inotify is None:
            self._event = threading.Event()
        else:
            self._reader, self._writer = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
            self._poll = select.poll()
            for descriptor in (self._reader, self._inotify.descriptor):
                self._poll.register(descriptor, select.POLLIN)
        self.first_pause = _FIRST_PAUSE if self._inotify is None else _FIRST_TOLD_PAUSE

    def watch(self, folders: dict[Path, int]) -> None:
        if self._inotify is not None:
            self._inotify.watch(folders)

    def ring(self) -> None:
        if self._event is not None:
            self._event.set()
        else:
            with contextlib.suppress(BlockingIOError):  # it rings already
                os.write(self._writer, b"!")

    def sleep(self, seconds: float) -> set[Path] | None:
        """Sleep until it rings, or for `seconds`: None if it did not; the folders that the kernel told of."""
        if self._inotify is None:
            assert self._event is not None
            rung = self._event.wait(seconds)
            self._event.clear()
            return set() if rung else None
        ready = {descriptor for descriptor, _ in self._poll.poll(seconds * 1000)}
        if not ready:
            return None
        if self._reader in ready:
            os.read(self._reader, 4096)
        return self._inotify.folders_with_news()

    def close(self) -> None:
        if self._inotify is not None:
            self._inotify.close()
            os.close(self._reader)
            os.close(self._writer)


class _Waiters:
    """Who in this process waits for which folder."""

    def __init__(self) -> None:
        self.by_folder: dict[Path, list[_Bell]] = {}
        self._lock = threading.Lock()
        reset_in_child(self)

    def after_fork(self) -> None:
        """The threads that waited are the parent's."""
        self._lock = threading.Lock()
        self.by_folder.clear()

    def add(self, folders: Collection[Path], bell: _Bell) -> None:
        with self._lock:
            for folder in folders:
                self.by_folder.setdefault(folder, []).append(bell)

    def remove(self, folders: Collection[Path], bell: _Bell) -> None:
        with self._lock:
            for folder in folders:
                bells = self.by_folder.get(folder, [])
                if bell in bells:
                    bells.remove(bell)
                if not bells:
                    self.by_folder.pop(folder, None)

    def ring(self, folder: Path) -> None:
        with self._lock:  # so that no bell is closed meanwhile
            for bell in self.by_folder.get(folder, ()):
                bell.ring()


_waiters: Final = _Waiters()


def wake(folder: Path) -> None:
    """Wake the threads of this process that wait for `folder`. Costs next to nothing where none does."""
    if folder in _waiters.by_folder:
        _waiters.ring(folder)


class Waiter:
    """A thread's way to wait. What it needs of the system it takes with its first wait, and keeps."""

    def __init__(
        self,
        ready: Callable[[], bool],
        written: Callable[[], Collection[Path]],
        changed: Collection[Path] = (),
        on_change: Callable[[], None] = lambda: None,
    ) -> None:
        """`ready` says whether there is anything left to wait for; it is called again and again.

        `written` are the folders in which files are written to, asked for
        while waiting. `changed` are those in which files are replaced, and
        closed at a process's death; `on_change` is called when that was so.
        """
        self._ready = ready
        self._written = written
        self._changed = frozenset(changed)
        self._on_change = on_change
        self._bell: _Bell | None = None
        reset_in_child(self)

    def after_fork(self) -> None:
        """The parent waits on its own; the copies of what it waits on are closed."""
        self.close()

    def wait(self, timeout: float | None) -> bool:
        """Wait up to `timeout` seconds, None for ever, until it is ready; whether it is."""
        if self._ready():
            return True
        if timeout is not None and timeout <= 0:
            return False
        deadline = None if timeout is None else time.monotonic() + timeout
        if self._bell is None:
            self._bell = _Bell()
        bell, pause = self._bell, self._bell.first_pause
        while True:
            with self._listening(bell):
                if self._ready():
                    return True
                left = _LONGEST_PAUSE if deadline is None else deadline - time.monotonic()
                if left <= 0:
                    return False
                news = bell.sleep(min(pause, left))
            if news is None:
                pause = min(pause * 2, _LONGEST_PAUSE)
                continue
            pause = bell.first_pause
            if news & self._changed:
                self._on_change()
            if any(self._is_ready_after(glance) for glance in _GLANCES):
                return True

    def _is_ready_after(self, pause: float) -> bool:
        if self._ready():
            return True
        time.sleep(pause)
        return False

    @contextlib.contextmanager
    def _listening(self, bell: _Bell) -> Iterator[None]:
        folders = frozenset(self._written())
        bell.watch({**dict.fromkeys(self._changed, _CHANGES), **dict.fromkeys(folders, _WRITES)})
        _waiters.add(folders, bell)
        try:
            yield
        finally:
            _waiters.remove(folders, bell)

    def close(self) -> None:
        """Give back what it needs of the system. It may be used again."""
        if self._bell is not None:
            self._bell.close()
            self._bell = None
