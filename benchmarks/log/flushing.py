"""Durable appends: what threads, and processes, gain that flush one partition at the same time.

    python -m benchmarks.log.flushing

Each thread has a producer with ``durability=batch`` and waits for each record
of 100 bytes before it sends the next. Threads of a process share flushes;
processes, with one thread each here, flush in turn. Beside them, in turns: one
thread that writes the same bytes to a file and calls fdatasync, with nothing
around it, and processes that do that under a lock: each its own flush, or
sharing flushes by two marks in shared memory, written and flushed. These two
are the bound of what processes could gain by it.
"""

import fcntl
import mmap
import multiprocessing
import os
import statistics
import tempfile
import threading
import time
from collections.abc import Callable
from multiprocessing.synchronize import Barrier
from pathlib import Path

from broker_adapter import connect

THREADS = (1, 2, 8, 32)
PROCESSES = (1, 2, 4)
ROUNDS = 5
SECONDS = 1.0
VALUE = b"v" * 100


def bare(folder: Path) -> float:
    """Writes flushed a second, by one thread."""
    descriptor = os.open(folder / "bare", os.O_RDWR | os.O_CREAT)
    try:
        done, position = 0, os.fstat(descriptor).st_size
        end = time.perf_counter() + SECONDS
        while time.perf_counter() < end:
            position += os.pwrite(descriptor, VALUE, position)
            os.fdatasync(descriptor)
            done += 1
    finally:
        os.close(descriptor)
    return done / SECONDS


def durable(folder: Path, threads: int) -> float:
    """Records acknowledged a second."""
    done = [0] * threads
    with connect(f"file:{folder / 'log'}?durability=batch") as broker:
        if "t" not in broker.admin.topics():
            broker.admin.create_topic("t")
        end = time.perf_counter() + SECONDS

        def send(number: int) -> None:
            with broker.producer(linger=0) as producer:
                while time.perf_counter() < end:
                    producer.send("t", VALUE).result()
                    done[number] += 1

        running = [threading.Thread(target=send, args=(number,)) for number in range(threads)]
        for thread in running:
            thread.start()
        for thread in running:
            thread.join()
    return sum(done) / SECONDS


def in_turn(folder: Path, deadline: Callable[[], float]) -> int:
    """Writes flushed by one of several processes, each under the lock."""
    done = 0
    with Shared(folder) as shared:
        end = deadline()
        while time.perf_counter() < end:
            shared.lock("write")
            at = shared.marks[0]
            os.pwrite(shared.log, VALUE, at)
            os.fdatasync(shared.log)
            shared.marks[0] = at + len(VALUE)
            shared.unlock("write")
            done += 1
    return done


def together(folder: Path, deadline: Callable[[], float]) -> int:
    """Writes flushed by one of several processes, with whichever flush came first after them."""
    done = 0
    with Shared(folder) as shared:
        end = deadline()
        while time.perf_counter() < end:
            shared.lock("write")
            mine = shared.marks[0] + len(VALUE)
            os.pwrite(shared.log, VALUE, mine - len(VALUE))
            shared.marks[0] = mine
            shared.unlock("write")
            shared.lock("flush")
            if shared.marks[1] < mine:
                written = shared.marks[0]
                os.fdatasync(shared.log)
                shared.marks[1] = written
            shared.unlock("flush")
            done += 1
    return done


def appending(folder: Path, deadline: Callable[[], float]) -> int:
    """Records acknowledged to one of several processes."""
    done = 0
    with connect(f"file:{folder}?durability=batch") as broker, broker.producer(linger=0) as producer:
        producer.send("t", VALUE).result()
        end = deadline()
        while time.perf_counter() < end:
            producer.send("t", VALUE).result()
            done += 1
    return done


class Shared:
    """A file that processes write to, two locks, and two marks that all see."""

    def __init__(self, folder: Path) -> None:
        self.log = os.open(folder / "shared", os.O_RDWR | os.O_CREAT)
        self._locks = {name: os.open(folder / name, os.O_RDWR | os.O_CREAT) for name in ("write", "flush")}
        marks = os.open(folder / "marks", os.O_RDWR | os.O_CREAT)
        os.ftruncate(marks, mmap.PAGESIZE)
        self._map = mmap.mmap(marks, mmap.PAGESIZE)
        os.close(marks)
        self.marks = memoryview(self._map).cast("q")

    def lock(self, name: str) -> None:
        """Wait for a lock."""
        fcntl.flock(self._locks[name], fcntl.LOCK_EX)

    def unlock(self, name: str) -> None:
        """Let go of it."""
        fcntl.flock(self._locks[name], fcntl.LOCK_UN)

    def __enter__(self) -> "Shared":
        return self

    def __exit__(self, *_: object) -> None:
        self.marks.release()
        self._map.close()
        for descriptor in (self.log, *self._locks.values()):
            os.close(descriptor)


Work = Callable[[Path, Callable[[], float]], int]
_SPAWN = multiprocessing.get_context("spawn")


def _run(work: Work, folder: Path, begin: Barrier, counts: "multiprocessing.Queue[int]") -> None:
    def deadline() -> float:
        begin.wait()
        return time.perf_counter() + SECONDS

    counts.put(work(folder, deadline))


def by_processes(work: Work, folder: Path, processes: int) -> float:
    """What `processes` do of `work` together, a second."""
    begin, counts = _SPAWN.Barrier(processes), _SPAWN.Queue()
    running = [_SPAWN.Process(target=_run, args=(work, folder, begin, counts)) for _ in range(processes)]
    for process in running:
        process.start()
    done: int = sum(counts.get() for _ in running)
    for process in running:
        process.join()
    return done / SECONDS


def main() -> None:
    """Print a line for each number of threads, and of processes."""
    found: dict[tuple[str, int], list[float]] = {}
    with tempfile.TemporaryDirectory(prefix="fivebyte-bench-") as name:
        folder = Path(name)
        for _ in range(ROUNDS):
            found.setdefault(("bare", 1), []).append(bare(folder))
            for threads in THREADS:
                found.setdefault(("threads", threads), []).append(durable(folder, threads))
            for processes in PROCESSES:
                for work, place in ((appending, folder / "log"), (in_turn, folder), (together, folder)):
                    rate = by_processes(work, place, processes)
                    found.setdefault((work.__name__, processes), []).append(rate)
    rates = {key: statistics.median(each) for key, each in found.items()}
    alone = rates["bare", 1]
    print(f"{os.cpu_count()} cores, load average {os.getloadavg()[0]:.1f}; {ROUNDS} rounds of {SECONDS:g} s")
    print(f"{'fdatasync, bare':>20}{alone:>10,.0f} a second")
    for threads in THREADS:
        rate = rates["threads", threads]
        print(f"{threads:>13} threads{rate:>10,.0f} a second, {rate / alone:.2f} of bare")
    print(f"{'processes':>20}{'ours':>10}{'of bare':>9}{'bare in turn':>14}{'sharing':>10}{'its gain':>10}")
    for processes in PROCESSES:
        ours, turns, shared = (rates[each.__name__, processes] for each in (appending, in_turn, together))
        columns = f"{ours:>10,.0f}{ours / alone:>9.2f}{turns:>14,.0f}{shared:>10,.0f}{shared / turns:>10.2f}"
        print(f"{processes:>20}{columns}")


if __name__ == "__main__":
    main()
