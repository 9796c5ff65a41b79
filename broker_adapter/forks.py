"""What a fork must undo in the child: locks that nobody holds there, threads that are not there."""

import os
import weakref
from typing import Final, Protocol


class Forkable(Protocol):
    """Hears of a fork, in the child."""

    def after_fork(self) -> None:
        """Called in a forked child, when no other thread runs."""


_forkables: Final[weakref.WeakSet[Forkable]] = weakref.WeakSet()


def reset_in_child(thing: Forkable) -> None:
    """Have `thing.after_fork()` called in every child that is forked while `thing` lives."""
    _forkables.add(thing)


def _after_fork() -> None:
    for thing in list(_forkables):
        thing.after_fork()


os.register_at_fork(after_in_child=_after_fork)
