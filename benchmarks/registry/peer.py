"""Another registry on the same machine, under the same loads: Apicurio Registry, as Confluent's API.

    mvn dependency:unpack -Dartifact=io.apicurio:apicurio-registry-app:3.3.3:tar.gz:all \\
        -DoutputDirectory=.cache/apicurio -Dmdep.unpack.markersDirectory=.cache/apicurio
    python -m benchmarks.registry.peer [--rounds 3]

Needs Java 21 or later; without it, or without the above, it says so and does
nothing. Both servers run as they come, which is one worker and a SQLite file
with a durable commit for each new schema here, and all cores and a database in
memory there. Both are warmed up, then loaded in turn, in rounds of a second, on
schemas of 30 fields.
"""

import argparse
import os
import re
import shutil
import statistics
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.registry.support import Client, machine, megabytes, posting, record, save, wrk
from tests.support.needs import ROOT
from tests.support.server import RunningRegistry, free_port

PEER = ROOT / ".cache" / "apicurio"
CONNECTIONS = (1, 32)
_VERSION = re.compile(r'version "((\d+)[^"]*)"')
_WARM_UP = 5  # seconds a load


@dataclass(frozen=True, slots=True)
class Server:
    """A registry that runs. prefix: of its paths. started: the seconds it took to its first answer."""

    port: int
    prefix: str
    process: int
    started: float


def java() -> tuple[str, str] | None:
    """A Java that can run the peer, and its version."""
    homes = [os.environ.get("JAVA_HOME", ""), *map(str, sorted(Path("/usr/lib/jvm").glob("*"), reverse=True))]
    for program in [*(f"{home}/bin/java" for home in homes if home), shutil.which("java") or ""]:
        if shutil.which(program):
            said = subprocess.run([program, "-version"], capture_output=True, text=True, check=False).stderr
            found = _VERSION.search(said)
            if found and int(found[2]) >= 21:
                return program, found[1]
    return None


@contextmanager
def ours(folder: Path) -> Iterator[Server]:
    """A new registry of ours."""
    registry = RunningRegistry(f"sqlite:///{folder}/registry.db", folder, {})
    begin = time.perf_counter()
    registry.start()
    try:
        yield Server(registry.port, "", registry.pid, time.perf_counter() - begin)
    finally:
        registry.stop()


@contextmanager
def theirs(program: str, folder: Path) -> Iterator[Server]:
    """A new registry of theirs."""
    port, prefix = free_port(), "/apis/ccompat/v7"
    settings = {
        "QUARKUS_HTTP_HOST": "127.0.0.1",
        "QUARKUS_HTTP_PORT": str(port),
        "QUARKUS_MANAGEMENT_HOST": "127.0.0.1",
        "QUARKUS_MANAGEMENT_PORT": str(free_port()),
        "QUARKUS_HTTP_ACCESS_LOG_ENABLED": "false",
        "QUARKUS_LOG_LEVEL": "WARN",
    }
    begin = time.perf_counter()
    with (folder / "peer.log").open("wb") as log:
        process = subprocess.Popen(
            [program, "-jar", str(PEER / "quarkus-run.jar")],
            env={**os.environ, **settings},
            stdout=log,
            stderr=log,
        )
    try:
        while True:
            try:
                with Client(port, prefix) as client:
                    client.ask("GET", "/subjects")
                break
            except (ConnectionError, AssertionError):  # it is not there, or not ready
                if process.poll() is not None or time.perf_counter() - begin > 120:
                    raise SystemExit((folder / "peer.log").read_text()) from None
                time.sleep(0.02)
        yield Server(port, prefix, process.pid, time.perf_counter() - begin)
    finally:
        process.terminate()
        process.wait()


def prepare(server: Server) -> int:
    """Register a schema; its id."""
    with Client(server.port, server.prefix) as client:
        answer = client.ask("POST", "/subjects/orders/versions", {"schema": record(30)})
    found = re.search(rb'"id": ?(\d+)', answer)
    assert found, answer
    return int(found[1])


def throughput(servers: list[Server], rounds: int, folder: Path) -> dict[str, list[float]]:
    """Requests a second of each server, by load."""
    script = posting(folder, record(30))
    loads: dict[str, list[tuple[str, Path | None]]] = {
        "GET by id": [(f"{server.prefix}/schemas/ids/{prepare(server)}", None) for server in servers],
        "known POST": [(f"{server.prefix}/subjects/orders/versions", script) for server in servers],
    }
    found = {}
    for name, requests in loads.items():
        for server, (path, how) in zip(servers, requests, strict=True):
            wrk(server.port, path, max(CONNECTIONS), _WARM_UP, how)
        for connections in CONNECTIONS:
            rates: list[list[float]] = [[] for _ in servers]
            for _ in range(rounds):
                for rate, server, (path, how) in zip(rates, servers, requests, strict=True):
                    rate.append(wrk(server.port, path, connections, 1, how)[1])
            key = f"{name}, a second, {connections} connection{'s' if connections > 1 else ''}"
            found[key] = [statistics.median(rate) for rate in rates]
    return found


def latencies(servers: list[Server], rounds: int) -> dict[str, list[float]]:
    """The median milliseconds of what one client does, by server."""
    new: list[list[float]] = [[] for _ in servers]
    checked: list[list[float]] = [[] for _ in servers]
    for number in range(rounds):
        for index, server in enumerate(servers):
            with Client(server.port, server.prefix) as client:
                body = {"schema": record(30, f"New{number}")}
                new[index].append(client.timed("POST", f"/subjects/new-{number}/versions", body))
                body = {"schema": record(30, last=f"last_{number}")}
                path = "/compatibility/subjects/orders/versions/latest"
                checked[index].append(client.timed("POST", path, body))
    half = rounds // 2  # the first half warms up
    return {
        "new schema, ms": [statistics.median(times[half:]) * 1e3 for times in new],
        "check against the latest, ms": [statistics.median(times[half:]) * 1e3 for times in checked],
    }


def main() -> None:
    """Measure, print, keep."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=3)
    rounds = parser.parse_args().rounds
    found = java()
    if found is None or not (PEER / "quarkus-run.jar").exists():
        print(
            "no peer: see benchmarks/registry/peer.py for how to get Apicurio Registry, and Java 21 or later"
        )
        return
    about, (program, version) = machine(), found
    with tempfile.TemporaryDirectory(prefix="fivebyte-bench-") as name:
        folder = Path(name)
        with ours(folder) as mine, theirs(program, folder) as other:
            servers = [mine, other]
            rows = {"start to the first answer, s": [server.started for server in servers]}
            rows |= throughput(servers, rounds, folder)
            rows |= latencies(servers, 150 * rounds)
            rows["memory at the end, MB"] = [megabytes(server.process) for server in servers]
    peer = next((PEER / "app").glob("apicurio-registry-app-*.jar")).stem.rpartition("-")[2]
    lines = [about, f"Apicurio Registry {peer}, Java {version}, H2 in memory; {rounds} rounds, median", ""]
    lines.append(f"{'':>38}{'fivebyte':>10}{'Apicurio':>10}{'ratio':>8}")
    for what, (own, their) in rows.items():
        better = own / their if "a second" in what else their / own
        lines.append(f"{what:>38}{own:>10,.1f}{their:>10,.1f}{better:>7.1f}x")
    save("peer", "\n".join([*lines, "", "ratio: how many times better fivebyte is"]))


if __name__ == "__main__":
    main()
