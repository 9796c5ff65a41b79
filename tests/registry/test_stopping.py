"""SIGTERM under load: what the server has begun to answer, it answers."""

import os
import signal
import socket
import sqlite3
import threading
import time
from contextlib import closing, suppress
from pathlib import Path

import httpx2

from tests.support.server import RunningRegistry, running_registry

WAITING = 3
LOADING = 8


def ask(connection: socket.socket, method: str, path: str, body: bytes = b"") -> bytes:
    """All that the server says to a request, until it has said it or hangs up."""
    head = f"{method} {path} HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\n\r\n"
    connection.sendall(head.encode() + body)
    said = b""
    while not is_whole(said):
        part = b""
        with suppress(ConnectionResetError):
            part = connection.recv(65536)
        if not part:
            break
        said += part
    return said


def is_whole(answer: bytes) -> bool:
    """Whether it has as many bytes of body as it says."""
    head, end, body = answer.partition(b"\r\n\r\n")
    lengths = [
        line.split(b":")[1] for line in head.lower().splitlines() if line.startswith(b"content-length")
    ]
    return bool(end) and len(body) == int(lengths[0])


def load(server: RunningRegistry, outcomes: list[str]) -> None:
    """Ask until nobody answers any more, every other time on a connection of its own."""
    while True:
        try:
            connection = socket.create_connection(("127.0.0.1", server.port), timeout=60)
        except OSError:
            outcomes.append("refused")
            return
        with connection, suppress(BrokenPipeError):
            for path in ("/schemas/ids/1", "/schemas/ids/1?fetchMaxId=true"):  # ready bytes, and Flask's
                said = ask(connection, "GET", path)
                outcomes.append("whole" if is_whole(said) else "partial" if said else "nothing")


def test_what_was_begun_is_answered_under_load(tmp_path: Path) -> None:
    answers: list[bytes] = []
    outcomes: list[str] = []
    with running_registry(f"sqlite:///{tmp_path}/log.db") as server:
        httpx2.post(f"{server.url}/subjects/s/versions", json={"schema": '"int"'})

        def register(number: int) -> None:
            with socket.create_connection(("127.0.0.1", server.port), timeout=60) as connection:
                path = f"/subjects/s{number}/versions"
                answers.append(ask(connection, "POST", path, b'{"schema": "\\"long\\""}'))

        loading = [threading.Thread(target=load, args=(server, outcomes)) for _ in range(LOADING)]
        waiting = [threading.Thread(target=register, args=(number,)) for number in range(WAITING)]
        with closing(sqlite3.connect(tmp_path / "log.db", isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")  # registering waits for this
            for thread in (*waiting, *loading):
                thread.start()
            while outcomes.count("whole") < 500:
                time.sleep(0.01)
            os.kill(server.pid, signal.SIGTERM)
            for thread in loading:
                thread.join()
            other.execute("ROLLBACK")
        for thread in waiting:
            thread.join()
    assert [answer.split(b"\r\n")[0] for answer in answers] == [b"HTTP/1.1 200 OK"] * WAITING
    assert all(is_whole(answer) for answer in answers)
    # A request that meets the end is not answered at all: nobody has begun to, and it can be sent again.
    assert "partial" not in outcomes
    assert outcomes.count("refused") == LOADING
