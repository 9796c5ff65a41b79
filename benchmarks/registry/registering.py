"""Registering a schema of 30 fields, beside one bare durable commit, and beside a GET through a Flask view.

    python -m benchmarks.registry.registering [--rounds 400] [--seconds 1]

In each round one client on one connection registers a schema that is new in a
new subject, and one that is the next version of a subject (held against the one
before it), and the same bytes as the first one's entry in the log are inserted
into another SQLite file on the same disk, in WAL mode with synchronous=FULL.
Median times, so a busy disk falls on all alike. To see what the rest is made of,
the client also GETs what it registered, and the schema is parsed and printed
here, without a server.

Then wrk registers a known schema over and over, in turn with GETs of it by id
that a Flask view answers: the same server with the fast path taken out.
"""

import argparse
import sqlite3
import statistics
import tempfile
import time
from pathlib import Path

from benchmarks.registry.by_id import running
from benchmarks.registry.support import Client, Target, machine, posting, record, save, wrk
from registry.languages.avro import AVRO
from registry.model import SchemaContent
from registry.records import SchemaRecord
from registry.store.encoding import encode_records
from tests.support.server import running_registry

CONNECTIONS = (1, 8, 32)
WRK_ROUNDS = 5
_INSERT = "INSERT INTO log (position, time, principal, records) VALUES (?, ?, NULL, ?)"
_TABLE = """
    CREATE TABLE log (
        position INTEGER PRIMARY KEY, time INTEGER NOT NULL, principal TEXT, records TEXT NOT NULL
    )
"""


def bare_log(path: Path) -> sqlite3.Connection:
    """A file as the registry's, without the registry."""
    connection = sqlite3.connect(path, isolation_level=None)
    for statement in ("PRAGMA journal_mode=WAL", "PRAGMA synchronous=FULL", _TABLE):
        connection.execute(statement)
    return connection


def commit(log: sqlite3.Connection, number: int, text: str) -> float:
    """The seconds to commit one row."""
    start = time.perf_counter()
    log.execute(_INSERT, (number, 1_700_000_000_000, text))
    return time.perf_counter() - start


def parse(text: str) -> float:
    """The seconds to parse a schema and to print it."""
    start = time.perf_counter()
    assert AVRO.parse(text).canonical == text
    return time.perf_counter() - start


def entry(subject: str, number: int, text: str) -> str:
    """What the registry writes for a new schema."""
    return encode_records([SchemaRecord(subject, 1, number, SchemaContent("AVRO", text)).to_log()])


def new_ones(folder: Path, rounds: int) -> dict[str, list[float]]:
    """Seconds to commit, and to register a new schema in both ways."""
    names = ("bare commit", "new subject", "next version", "GET it", "parse it")
    found: dict[str, list[float]] = {name: [] for name in names}
    log = bare_log(folder / "bare.db")
    with running_registry(f"sqlite:///{folder}/registry.db") as registry, Client(registry.port) as client:
        for number in range(1, rounds + 21):
            text, successor = record(30, f"Order{number}"), record(30, last=f"last_{number}")
            took = [
                commit(log, number, entry(f"orders-{number}", number, text)),
                client.timed("POST", f"/subjects/orders-{number}/versions", {"schema": text}),
                client.timed("POST", "/subjects/orders/versions", {"schema": successor}),
                client.timed("GET", f"/subjects/orders-{number}/versions/1"),
                parse(text),
            ]
            if number > 20:  # the first ones warm up
                for name, seconds in zip(names, took, strict=True):
                    found[name].append(seconds)
    log.close()
    return found


def known_ones(folder: Path, seconds: int) -> dict[int, tuple[float, float]]:
    """By connections: GETs through Flask and registrations of a known schema, a second."""
    text = record(30)
    script = posting(folder, text)
    found = {}
    with running("flask", folder) as (port, _):
        with Client(port) as client:
            client.ask("POST", "/subjects/orders/versions", {"schema": text})
        for connections in CONNECTIONS:
            reads, writes = [], []
            for _ in range(WRK_ROUNDS):
                reads.append(wrk(port, "/schemas/ids/1", connections, seconds)[1])
                writes.append(wrk(port, "/subjects/orders/versions", connections, seconds, script)[1])
            found[connections] = statistics.median(reads), statistics.median(writes)
    return found


def main() -> None:
    """Measure, print, keep."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=400)
    parser.add_argument("--seconds", type=int, default=1)
    options = parser.parse_args()
    about = machine()
    with tempfile.TemporaryDirectory(prefix="fivebyte-bench-") as name:
        new = new_ones(Path(name), options.rounds)
        known = known_ones(Path(name), options.seconds)
    bare = statistics.median(new["bare commit"])
    lines = [about, "", f"{'ms':>14}{'p10':>9}{'p50':>9}{'p90':>9}{'x commit':>10}   {options.rounds} rounds"]
    for kind, times in new.items():
        tenths = [seconds * 1e3 for seconds in statistics.quantiles(times, n=10)]
        row = f"{kind:>14}{tenths[0]:>9.2f}{tenths[4]:>9.2f}{tenths[8]:>9.2f}"
        lines.append(f"{row}{statistics.median(times) / bare:>10.1f}")
    lines += ["", f"{'connections':>14}{'Flask GET/s':>13}{'known POST/s':>14}{'of GET':>8}"]
    for connections, (reads, writes) in known.items():
        lines.append(f"{connections:>14}{reads:>13,.0f}{writes:>14,.0f}{writes / reads:>8.0%}")
    times_commit = statistics.median(new["new subject"]) / bare
    least = min(writes / reads for reads, writes in known.values())
    lines += [
        "",
        str(Target("a new schema, p50 in bare commits", times_commit, 3)),
        str(Target("a known schema, of the speed of a GET through Flask", least, 0.5, at_least=True)),
    ]
    save("registering", "\n".join(lines))


if __name__ == "__main__":
    main()
