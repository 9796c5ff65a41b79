"""Durable appends: what threads that flush one partition at the same time gain by sharing flushes.

    python -m benchmarks.log.flushing

Each thread has a producer with ``durability=batch`` and waits for each record
of 100 bytes before it sends the next. Beside it, in turns: one thread that
writes the same bytes to a file and calls fdatasync, with nothing around it.
"""

import os
import statistics
import tempfile
import threading
import time
from pathlib import Path

from broker_adapter import connect

THREADS = (1, 2, 8, 32)
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


def main() -> None:
    """Print a line for each number of threads."""
    found: dict[int, list[float]] = {threads: [] for threads in (0, *THREADS)}
    with tempfile.TemporaryDirectory(prefix="fivebyte-bench-") as name:
        for _ in range(ROUNDS):
            found[0].append(bare(Path(name)))
            for threads in THREADS:
                found[threads].append(durable(Path(name), threads))
    alone = statistics.median(found[0])
    print(f"{os.cpu_count()} cores, load average {os.getloadavg()[0]:.1f}; {ROUNDS} rounds of {SECONDS:g} s")
    print(f"{'fdatasync, bare':>20}{alone:>10,.0f} a second")
    for threads in THREADS:
        rate = statistics.median(found[threads])
        print(f"{threads:>13} threads{rate:>10,.0f} a second, {rate / alone:.2f} of bare")


if __name__ == "__main__":
    main()
