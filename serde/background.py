"""Jobs that are to be done later, on a few threads of their own."""

import heapq
import threading
import time
from collections.abc import Callable
from typing import Final

_THREADS: Final = 4


class Background:
    """Does each job after its time, at most four at once. A job must not raise.

    Threads begin with the first job and end when none is left. They are daemons:
    a program's end does not wait for them.
    """

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._jobs: list[tuple[float, int, Callable[[], None]]] = []
        self._count = 0
        self._threads = 0
        self._busy = 0
        self._is_closed = False

    def later(self, seconds: float, job: Callable[[], None]) -> None:
        """Do a job after so many seconds; never, once it is closed."""
        with self._changed:
            if self._is_closed:
                return
            self._count += 1
            heapq.heappush(self._jobs, (time.monotonic() + seconds, self._count, job))
            if self._threads < _THREADS and self._threads - self._busy < len(self._jobs):
                self._threads += 1
                threading.Thread(target=self._work, name="registry-client", daemon=True).start()
            self._changed.notify()

    def close(self) -> None:
        """Drop the jobs that have not begun."""
        with self._changed:
            self._is_closed = True
            self._jobs.clear()
            self._changed.notify_all()

    def _work(self) -> None:
        while (job := self._next()) is not None:
            try:
                job()
            except BaseException:
                with self._changed:
                    self._threads -= 1
                raise
            finally:
                with self._changed:
                    self._busy -= 1

    def _next(self) -> Callable[[], None] | None:
        """Wait for the next job's time; None when there is none, and this thread is to end."""
        with self._changed:
            while self._jobs:
                wait = self._jobs[0][0] - time.monotonic()
                if wait <= 0:
                    self._busy += 1
                    return heapq.heappop(self._jobs)[2]
                self._changed.wait(wait)
            # Under the same lock as seeing that there is no job: who brings one sees this thread gone.
            self._threads -= 1
            return None
