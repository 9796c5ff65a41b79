"""A schema by id from a server of one worker, beside Flask's answer to the same and granian's constant bytes.

    python -m benchmarks.registry.by_id [--seconds 2] [--rounds 5]

wrk, in a process of its own, loads four servers in turn, in short rounds, so
that whatever else the machine does falls on all alike:

    fivebyte   `fivebyte serve` on SQLite, as it is: head checked, counted, named
    flask      the same without the fast path: the same bytes from Flask's view
    constant   granian and an application that only returns these bytes and headers
    bare       the same with the two least headers

All run under `registry.server.serve`, with its settings for granian. The schema
is a record of 30 fields. The first table has the median of the rounds' requests
a second. wrk and the server share the cores, so the ratios say more than the
numbers; and where other work shares them too, the second table says more than
the first: the least of the rounds' microseconds of CPU that the worker spent on
a request, all its threads taken together.

Prints a table, and leaves it in benchmarks/results/.
"""

import argparse
import http.client
import json
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import registry.server
from benchmarks.registry.support import Target, cpu_seconds, machine, record, save, wrk
from registry.http.fast_path import FastPath
from registry.settings import Settings
from tests.support.server import free_port

KINDS = ("fivebyte", "flask", "constant", "bare")
CONNECTIONS = (1, 8, 32, 64)
PATH = "/schemas/ids/1"

Application = Callable[[dict[str, Any], Any], Iterable[bytes]]
Answer = tuple[bytes, list[tuple[str, str]]]
Servers = dict[str, tuple[int, int]]
Row = dict[str, float]


def serve(kind: str, port: int, folder: Path) -> int:
    """Be a server of this kind, until SIGTERM. `folder` has the answer for those that only repeat it."""
    if kind == "flask":
        FastPath.find = lambda *_: None  # type: ignore[method-assign]
    elif kind != "fivebyte":
        body = (folder / "body").read_bytes()
        headers = [(name, value) for name, value in json.loads((folder / "headers").read_text())]
        least = [header for header in headers if header[0].startswith("content-")]
        application = constant(body, headers if kind == "constant" else least)
        registry.server.worker = lambda *_: application  # type: ignore[assignment]
    return registry.server.serve(Settings(port=port, store=f"sqlite:///{folder}/{kind}.db"))


def constant(body: bytes, headers: list[tuple[str, str]]) -> Application:
    """An application that always says the same."""

    def application(_environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        start_response("200 OK", headers)
        return [body]

    return application


@contextmanager
def running(kind: str, folder: Path) -> Iterator[tuple[int, int]]:
    """The port and the process of a server of this kind."""
    port = free_port()
    command = [
        sys.executable,
        "-m",
        "benchmarks.registry.by_id",
        "--serve",
        kind,
        "--port",
        str(port),
        "--folder",
        str(folder),
    ]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        try:
            assert process.stdout is not None
            assert b"fivebyte registry on" in process.stdout.readline()
            yield port, process.pid
        finally:
            process.terminate()


def ask(port: int, method: str, path: str, body: object = None) -> Answer:
    """The body and the headers of an answer."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    text = None if body is None else json.dumps(body)
    connection.request(method, path, text, {"Content-Type": "application/json"})
    reply = connection.getresponse()
    content = reply.read()
    assert reply.status == 200, content
    headers = [(name.lower(), value) for name, value in reply.getheaders()]
    return content, [header for header in headers if header[0] not in {"server", "date"}]


def prepare(port: int) -> Answer:
    """Register the schema; the answer to who asks for it."""
    ask(port, "POST", "/subjects/s/versions", {"schema": record(30)})
    return ask(port, "GET", PATH)


def measure(servers: Servers, connections: int, seconds: int, rounds: int) -> tuple[Row, Row]:
    """The median of requests a second, and the least microseconds of CPU a request, by server."""
    rates: dict[str, list[float]] = {kind: [] for kind in servers}
    costs: dict[str, list[float]] = {kind: [] for kind in servers}
    for number in range(rounds):
        order = list(servers)
        for kind in order[number % len(order) :] + order[: number % len(order)]:
            port, process = servers[kind]
            before = cpu_seconds(process)
            count, rate = wrk(port, PATH, connections, seconds)
            costs[kind].append((cpu_seconds(process) - before) / count * 1e6)
            rates[kind].append(rate)
    return (
        {kind: statistics.median(found) for kind, found in rates.items()},
        {kind: min(found) for kind, found in costs.items()},
    )


def table(rows: dict[int, Row], what: str, power: int) -> str:
    """A table with how ours compares. power: 1 where more is better, -1 where less is."""
    lines = [f"{'connections':>11}" + "".join(f"{kind:>10}" for kind in KINDS)]
    lines[0] += f"{'x flask':>10}{'of constant':>13}{'of bare':>9}   {what}"
    for connections, row in rows.items():
        flask, whole, bare = ((row["fivebyte"] / row[kind]) ** power for kind in KINDS[1:])
        line = f"{connections:>11}" + "".join(f"{row[kind]:>10,.{1 - power}f}" for kind in KINDS)
        lines.append(f"{line}{flask:>9.1f}x{whole:>12.0%}{bare:>9.0%}")
    return "\n".join(lines) + "\n"


def main() -> None:
    """Measure and print, or be one of the servers."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--serve", choices=KINDS)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--folder", type=Path)
    options = parser.parse_args()
    if options.serve:
        raise SystemExit(serve(options.serve, options.port, options.folder))
    about = machine()
    with tempfile.TemporaryDirectory(prefix="fivebyte-bench-") as name:
        folder = Path(name)
        with running("fivebyte", folder) as fast, running("flask", folder) as flask:
            body, headers = prepare(fast[0])
            assert prepare(flask[0])[0] == body
            (folder / "body").write_bytes(body)
            (folder / "headers").write_text(json.dumps(headers))
            with running("constant", folder) as whole, running("bare", folder) as bare:
                servers = dict(zip(KINDS, (fast, flask, whole, bare), strict=True))
                found = {n: measure(servers, n, options.seconds, options.rounds) for n in CONNECTIONS}
    rates = table({n: row for n, (row, _) in found.items()}, "requests a second", 1)
    costs = table({n: row for n, (_, row) in found.items()}, "microseconds of CPU a request", -1)
    least = {kind: min(row["fivebyte"] / row[kind] for row, _ in found.values()) for kind in KINDS}
    lines = [
        about,
        f"GET {PATH}, {len(body)} bytes, one worker; {options.rounds} rounds of {options.seconds} s",
        f"\n{rates}\n{costs}",
        str(Target("times Flask's requests a second, the least", least["flask"], 6, at_least=True)),
        str(Target("of constant bytes' requests a second, the least", least["constant"], 0.7, at_least=True)),
    ]
    save("by_id", "\n".join(lines))


if __name__ == "__main__":
    main()
