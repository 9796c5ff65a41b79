"""What the registry's benchmarks share: a client, schemas, what to say of the machine, where results go."""

import json
import os
import platform
import re
import shutil
import socket
import sqlite3
import subprocess
import time
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Self

RESULTS = Path(__file__).resolve().parents[1] / "results"

_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_JSON = "application/vnd.schemaregistry.v1+json"


class Client:
    """One connection that is kept. It does so little that what is measured is the server's time."""

    def __init__(self, port: int, prefix: str = "") -> None:
        self._prefix = prefix
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=60)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()

    def ask(self, method: str, path: str, body: object = None) -> bytes:
        """The body of the answer, which has to be a 200."""
        content = b"" if body is None else json.dumps(body).encode()
        self._socket.sendall(
            f"{method} {self._prefix}{path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: {_JSON}\r\n"
            f"Content-Length: {len(content)}\r\n\r\n".encode()
            + content
        )
        received = b""
        while b"\r\n\r\n" not in received:
            received += self._receive()
        head, _, answer = received.partition(b"\r\n\r\n")
        length = _LENGTH.search(head)
        assert length, head
        while len(answer) < int(length[1]):
            answer += self._receive()
        assert b" 200 " in head.partition(b"\r\n")[0], head + answer
        return answer

    def timed(self, method: str, path: str, body: object = None) -> float:
        """The seconds until the answer was there."""
        start = time.perf_counter()
        self.ask(method, path, body)
        return time.perf_counter() - start

    def _receive(self) -> bytes:
        received = self._socket.recv(1 << 16)
        if not received:
            raise ConnectionError("the server closed the connection")
        return received


@dataclass(frozen=True, slots=True)
class Target:
    """What is aimed at. found: the number that is to be at most, or at least, `limit`."""

    what: str
    found: float
    limit: float
    unit: str = ""
    at_least: bool = False

    def __str__(self) -> str:
        met = self.found >= self.limit if self.at_least else self.found <= self.limit
        bound = "at least" if self.at_least else "at most"
        verdict = "met" if met else "NOT MET"
        return (
            f"{self.what}: {self.found:,.2f}{self.unit}, target {bound} {self.limit:g}{self.unit}: {verdict}"
        )


def record(fields: int, name: str = "Order", last: str = "last") -> str:
    """A record of so many optional texts; the last one has a name of its own."""
    names = [*(f"field_{n}" for n in range(fields - 1)), last]
    schema = {
        "type": "record",
        "name": name,
        "namespace": "org.example.shop",
        "fields": [{"name": each, "type": ["null", "string"], "default": None} for each in names],
    }
    return json.dumps(schema, separators=(",", ":"))


def machine() -> str:
    """A line about the machine and the versions, and how busy it is."""
    packages = ", ".join(f"{name} {version(name)}" for name in ("granian", "Flask"))
    return (
        f"{os.cpu_count()} cores, load average {os.getloadavg()[0]:.1f}; {platform.system()}, "
        f"Python {platform.python_version()}, SQLite {sqlite3.sqlite_version}, {packages}"
    )


def save(name: str, text: str) -> None:
    """Print the table, and keep it as ``benchmarks/results/registry_<name>.txt``."""
    print(text, flush=True)
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / f"registry_{name}.txt").write_text(f"{text}\n")


def processes(parent: int) -> list[int]:
    """A process and its children."""
    children = Path(f"/proc/{parent}/task/{parent}/children").read_text().split()
    return [parent, *map(int, children)]


def megabytes(parent: int) -> float:
    """The memory of a process and its children; what they share is counted once."""
    found = 0
    for process in processes(parent):
        sizes = Path(f"/proc/{process}/smaps_rollup").read_text()
        match = re.search(r"^Pss: +(\d+) kB", sizes, re.MULTILINE)
        assert match, sizes
        found += int(match[1])
    return found * 1024 / 1e6


def cpu_seconds(parent: int) -> float:
    """What a process and its children have spent."""
    ticks = 0
    for process in processes(parent):
        fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
        ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


def wrk(
    port: int, path: str, connections: int, seconds: int, script: Path | None = None
) -> tuple[int, float]:
    """How many requests wrk got answered with a 200, and how many a second."""
    if shutil.which("wrk") is None:
        raise SystemExit("needs wrk, the HTTP load generator: apt-get install wrk")
    command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}"]
    command += [] if script is None else ["-s", str(script)]
    url = f"http://127.0.0.1:{port}{path}"
    printed = subprocess.run([*command, url], capture_output=True, text=True, check=True).stdout
    assert "Non-2xx" not in printed, printed
    assert "Socket errors" not in printed, printed
    count, rate = (re.search(form, printed) for form in (r"(\d+) requests in", r"Requests/sec:\s+([0-9.]+)"))
    assert count, printed
    assert rate, printed
    return int(count[1]), float(rate[1])


def posting(folder: Path, text: str) -> Path:
    """A script for wrk, which makes it register `text`."""
    script = folder / "post.lua"
    body = json.dumps({"schema": text})
    script.write_text(
        f'wrk.method = "POST"\nwrk.headers["Content-Type"] = "{_JSON}"\nwrk.body = [==[{body}]==]\n'
    )
    return script
