"""Waiting for what another process may do at any moment: looking again, less and less often."""

import time
from collections.abc import Callable
from typing import Final

_FIRST_PAUSE: Final = 0.0002
_LONGEST_PAUSE: Final = 0.02


def wait_until(ready: Callable[[], bool], timeout: float | None) -> bool:
    """Wait up to `timeout` seconds, None for ever, until `ready()` holds; whether it does.

    Looks at once, and then after pauses from 0.2 ms to 20 ms.
    """
    deadline = None if timeout is None else time.monotonic() + timeout
    pause = _FIRST_PAUSE
    while not ready():
        left = _LONGEST_PAUSE if deadline is None else deadline - time.monotonic()
        if left <= 0:
            return False
        time.sleep(min(pause, left))
        pause = min(pause * 2, _LONGEST_PAUSE)
    return True
