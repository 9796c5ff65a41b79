"""What goes on in a child process must not share connections, locks or threads with its parent."""

import os
from typing import Protocol
from weakref import WeakSet


class Forkable(Protocol):
    """Hears of a fork, in the child, before anything else runs there."""

    def after_fork(self) -> None:
        """Drop what only the parent has, without closing it: it is the parent's too."""
        ...


_known: WeakSet[Forkable] = WeakSet()


def tell_after_fork(one: Forkable) -> None:
    """Let it know of each fork, for as long as it lives."""
    _known.add(one)


def _tell() -> None:
    for one in list(_known):
        one.after_fork()


if hasattr(os, "register_at_fork"):  # not on Windows, which does not fork
    os.register_at_fork(after_in_child=_tell)
