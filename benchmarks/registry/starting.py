"""How long a server takes from its start to its first answer, on a log of 100,000 versions of 1 KiB.

    python -m benchmarks.registry.starting [--rounds 3]

The versions are spread over some 19,000 subjects: most have few, some hundreds.
Each round starts a server of one worker, and one of four, on the same SQLite
file and asks for one schema until it is there. Then, on one connection, it asks
for 2,000 others: the median of the first 200 says whether the server is at full
speed from then on, beside that of the last 200. What processes share counts
once as their memory.
"""

import argparse
import random
import statistics
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from benchmarks.registry.support import Client, Target, cpu_seconds, machine, megabytes, record, save
from registry.model import SchemaContent
from registry.records import SchemaRecord
from registry.store import Entry, SQLiteStore
from tests.support.server import RunningRegistry

VERSIONS = 100_000
WORKERS = (1, 4)
FIELDS = 16  # 1 KiB
ASKED = 2000
_PAGE = 5000


@dataclass(frozen=True, slots=True)
class Start:
    """Seconds to the first answer, and of CPU until then; MB then; seconds of the answers after it."""

    seconds: float
    cpu: float
    memory: float
    answers: list[float]


def entries() -> Iterator[Entry]:
    """The log: a registry that has lived for long."""
    chance, newest = random.Random(1), Counter[int]()
    for number in range(1, VERSIONS + 1):
        subject = int(20_000 * chance.random() ** 2)
        newest[subject] += 1
        content = SchemaContent("AVRO", record(FIELDS, f"Order{subject}", f"added_by_version_{number}"))
        version = SchemaRecord(f"shop.orders-{subject}-value", newest[subject], number, content)
        yield Entry(number, 1_700_000_000_000 + number, (version.to_log(),))


def write_log(path: Path) -> None:
    """It, in a file."""
    store, rest = SQLiteStore(path), entries()
    while page := list(islice(rest, _PAGE)):
        store.extend(page)
    store.close()


def first_answer(port: int, number: int) -> float:
    """When a server that is about to start has answered."""
    while True:
        try:
            with Client(port) as client:
                client.ask("GET", f"/schemas/ids/{number}")
                return time.perf_counter()
        except ConnectionError:
            time.sleep(0.005)


def start(log: Path, workers: int) -> Start:
    """Start a server, ask it, and stop it."""
    registry = RunningRegistry(f"sqlite:///{log}", log.parent, {"workers": workers})
    waiting = threading.Thread(target=registry.start)
    begin = time.perf_counter()
    waiting.start()
    try:
        seconds = first_answer(registry.port, 1) - begin
        cpu = cpu_seconds(registry.pid)
        with Client(registry.port) as client:
            chance = random.Random(2)
            numbers = [chance.randrange(2, VERSIONS + 1) for _ in range(ASKED)]
            answers = [client.timed("GET", f"/schemas/ids/{number}") for number in numbers]
        waiting.join()
        return Start(seconds, cpu, megabytes(registry.pid), answers)
    finally:
        waiting.join()
        registry.stop()


def main() -> None:
    """Measure, print, keep."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=3)
    rounds = parser.parse_args().rounds
    about = machine()
    found: dict[int, list[Start]] = {workers: [] for workers in WORKERS}
    with tempfile.TemporaryDirectory(prefix="fivebyte-bench-") as folder:
        log = Path(folder) / "registry.db"
        write_log(log)
        size = log.stat().st_size / 1e6
        for _ in range(rounds):
            for workers in WORKERS:
                found[workers].append(start(log, workers))
    text = len(record(FIELDS, "Order10000", "added_by_version_50000"))
    lines = [
        about,
        f"{VERSIONS:,} versions of {text} bytes, a file of {size:.0f} MB; {rounds} starts, median",
        "",
    ]
    lines.append(
        f"{'workers':>8}{'seconds':>9}{'fastest':>9}{'CPU s':>7}{'MB':>6}"
        f"{'first 200 GETs, us':>20}{'the slowest':>13}{'last 200':>10}"
    )
    targets = []
    for workers, starts in found.items():
        seconds = statistics.median(each.seconds for each in starts)
        memory = statistics.median(each.memory for each in starts)
        first, last = (
            statistics.median(statistics.median(each.answers[part]) for each in starts) * 1e6
            for part in (slice(200), slice(-200, None))
        )
        slowest = statistics.median(max(each.answers[:200]) for each in starts) * 1e6
        lines.append(
            f"{workers:>8}{seconds:>9.2f}{min(each.seconds for each in starts):>9.2f}"
            f"{statistics.median(each.cpu for each in starts):>7.2f}{memory:>6.0f}"
            f"{first:>20.0f}{slowest:>13.0f}{last:>10.0f}"
        )
        kind = f"{workers} worker{'s' if workers > 1 else ''}"
        targets += [
            Target(f"{kind}, start to the first answer", seconds, 3, " s"),
            Target(f"{kind}, memory", memory, 600, " MB"),
            Target(f"{kind}, the first 200 answers beside the last 200", first / last, 1.5),
        ]
    save("starting", "\n".join([*lines, "", *map(str, targets)]))


if __name__ == "__main__":
    main()
