"""Counts that the worker processes of a server share: each writes its own, any of them reads all.

A worker's counts lie in a file that is mapped into memory, so counting is an
addition and not a call to anybody, and what a worker that died has counted
stays. All numbers are unsigned, 8 bytes, in the machine's order::

    rows in use, log position, append conflicts, 29 unused
    a row a kind of request: its labels (120 bytes), requests by bucket, nanoseconds in all

Sums are exact: no floating point is added up. prometheus_client's own way with
several processes costs four times as much a request, and its values are global
to the process, where tests run a thousand registries.
"""

import mmap
import os
import threading
import time
from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

BUCKETS = (0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)
"""Upper bounds of the buckets, in seconds; beyond them is one more."""

_BOUNDS = [round(bound * 1e9) for bound in BUCKETS]
_CELLS = 32  # in a row, of 8 bytes
_LABELS = 15  # cells of labels at the start of a row
_SUM = _LABELS + len(BUCKETS) + 1
_ROWS = 1024
_SIZE = 8 * _CELLS * (1 + _ROWS)
_USED, _POSITION, _CONFLICTS = range(3)

Labels = tuple[str, str, int]
"""Of a request: its method, route and status."""


@dataclass(slots=True)
class Latencies:
    """Requests of one kind: how many in each bucket, the last one open, and the seconds they took in all."""

    buckets: list[int] = field(default_factory=lambda: [0] * (len(BUCKETS) + 1))
    seconds: float = 0.0

    @property
    def count(self) -> int:
        """How many requests there were."""
        return sum(self.buckets)


class Tally:
    """One process's counts. Safe to use from several threads.

    folder: where the processes that are to be counted together have theirs; None: this one is alone.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self._folder = folder
        self._memory = mmap.mmap(-1, _SIZE) if folder is None else _map(folder)
        self._cells = memoryview(self._memory).cast("Q")
        self._rows: dict[Labels, int] = {}
        self._lock = threading.Lock()

    def add(self, labels: Labels, nanoseconds: int) -> None:
        """Count a request that took so long."""
        with self._lock:
            row = self._rows.get(labels) or self._new_row(labels)
            self._cells[row + _LABELS + bisect_left(_BOUNDS, nanoseconds)] += 1
            self._cells[row + _SUM] += nanoseconds

    def note(self, position: int, conflicts: int) -> None:
        """Say how far this process has read the log, and how many of its appends met a conflict so far."""
        self._cells[_POSITION], self._cells[_CONFLICTS] = position, conflicts

    def requests(self) -> dict[Labels, Latencies]:
        """The requests that all the processes counted."""
        found: dict[Labels, Latencies] = {}
        for _, cells in self._all():
            for row in range(_CELLS, _CELLS * (1 + cells[_USED]), _CELLS):
                method, status, route = bytes(cells[row : row + _LABELS]).rstrip(b"\0").decode().split(" ", 2)
                whole = found.setdefault((method, route, int(status)), Latencies())
                whole.seconds += cells[row + _SUM] / 1e9
                for bucket in range(len(BUCKETS) + 1):
                    whole.buckets[bucket] += cells[row + _LABELS + bucket]
        return found

    def conflicts(self) -> int:
        """The conflicts that all the processes met."""
        return sum(cells[_CONFLICTS] for _, cells in self._all())

    def position(self) -> int:
        """How far the process that is furthest behind has read the log, of those that live."""
        return min(cells[_POSITION] for pid, cells in self._all() if _lives(pid))

    def _new_row(self, labels: Labels) -> int:
        method, route, status = labels
        text = f"{method} {status} {route}".encode()[: 8 * _LABELS]
        used = self._cells[_USED]
        if used == _ROWS:  # more kinds than there are: count on, under the last one's labels
            return used * _CELLS
        row = (1 + used) * _CELLS
        self._memory[8 * row : 8 * row + len(text)] = text
        self._cells[_USED] += 1  # only now may others look at it
        self._rows[labels] = row
        return row

    def _all(self) -> Iterator[tuple[int, memoryview]]:
        """Every process's id and cells."""
        if self._folder is None:
            yield os.getpid(), self._cells
            return
        for path in self._folder.iterdir():
            content = path.read_bytes()
            if len(content) == _SIZE:  # or else it is being made
                yield int(path.name.partition("-")[0]), memoryview(content).cast("Q")


def _map(folder: Path) -> mmap.mmap:
    # The system may give a process the id of one that died, whose counts must stay.
    with (folder / f"{os.getpid()}-{time.time_ns()}").open("x+b") as file:
        file.truncate(_SIZE)
        return mmap.mmap(file.fileno(), _SIZE)


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return True
