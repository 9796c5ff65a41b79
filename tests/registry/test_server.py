"""The registry as a program: real granian, real processes, a real file."""

import os
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from urllib.parse import quote

import httpx2
import pytest

from fivebyte.cli import run as fivebyte
from tests.support.needs import ROOT
from tests.support.processes import need_proc, used_by_group
from tests.support.redis import FORGETFUL, running_redis
from tests.support.server import RunningRegistry, free_port, running_registry

SUBJECT = "a/b%é " * 50


@pytest.fixture
def store_url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/registry.db"


@pytest.fixture(scope="module")
def shared() -> Iterator[RunningRegistry]:
    with running_registry("memory:") as server:
        yield server


def listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def ends_to_listen(port: int) -> bool:
    """Whether the port is closed in the end; waits for long before it says no."""
    deadline = time.monotonic() + 30
    while listens(port) and time.monotonic() < deadline:
        time.sleep(0.02)
    return not listens(port)


def test_it_says_where_it_is_once_it_answers(shared: RunningRegistry) -> None:
    assert shared.output == f"fivebyte registry on {shared.url}, store memory:\n"
    assert httpx2.get(f"{shared.url}/").json() == {}


def test_a_subject_of_300_characters_with_anything_in_it(shared: RunningRegistry) -> None:
    path = f"{shared.url}/subjects/{quote(SUBJECT, safe='')}"
    assert len(SUBJECT) == 300
    registered = httpx2.post(f"{path}/versions", json={"schema": '"int"'})
    assert (registered.status_code, registered.json()["version"]) == (200, 1)
    assert SUBJECT in httpx2.get(f"{shared.url}/subjects").json()
    assert httpx2.get(f"{path}/versions/latest").json()["subject"] == SUBJECT
    assert httpx2.post(path, json={"schema": '"int"'}).json()["subject"] == SUBJECT
    assert httpx2.delete(path).json() == [1]
    assert httpx2.delete(f"{path}?permanent=true").json() == [1]
    assert httpx2.get(f"{path}/versions").json() == {
        "error_code": 40401,
        "message": f"Subject '{SUBJECT}' not found.",
    }


@pytest.mark.parametrize(
    "path", ["/subjects/%FF/versions", "/subjects/%00/versions", "/%", "/subjects/../config"]
)
def test_a_path_that_is_hardly_one(shared: RunningRegistry, path: str) -> None:
    with socket.create_connection(("127.0.0.1", shared.port)) as connection:
        connection.sendall(f"GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
        answer = b"".join(iter(lambda: connection.recv(65536), b""))
    assert answer.split()[1] in {b"400", b"404", b"405"}


def test_large_schemas_up_to_the_limit_and_beyond(shared: RunningRegistry) -> None:
    def register(size: int) -> httpx2.Response:
        schema = '{"type":"enum","name":"E","symbols":["A"],"doc":"%s"}'
        schema %= "x" * (size - len(schema) + 2)
        return httpx2.post(f"{shared.url}/subjects/large/versions", json={"schema": schema}, timeout=60)

    assert register(1024 * 1024).status_code == 200
    too_large = register(2_000_000)
    assert (too_large.status_code, too_large.json()["error_code"]) == (422, 42209)
    assert "the limit is 1048576" in too_large.json()["message"]


@pytest.mark.parametrize(
    "schema", ["[" * 5000 + "]" * 5000, '{"type":"array","items":' * 5000 + '"int"' + "}" * 5000]
)
def test_a_schema_nested_5000_deep(shared: RunningRegistry, schema: str) -> None:
    answer = httpx2.post(f"{shared.url}/subjects/deep/versions", json={"schema": schema})
    assert (answer.status_code, answer.json()["error_code"]) == (422, 42201)
    body = '{"schema":"int","x":' + "[" * 5000 + "]" * 5000 + "}"
    answer = httpx2.post(f"{shared.url}/subjects/deep/versions", content=body)
    assert (answer.status_code, answer.json()["error_code"]) == (400, 400)
    assert httpx2.get(f"{shared.url}/").status_code == 200


def test_what_was_registered_is_there_after_a_restart(store_url: str) -> None:
    with running_registry(store_url) as server:
        registered = httpx2.post(f"{server.url}/subjects/s/versions", json={"schema": '"int"'}).json()
        httpx2.put(f"{server.url}/config", json={"compatibility": "FULL"})
        before = httpx2.get(f"{server.url}/subjects/s/versions/1").json()
        assert server.stop() == 0
        assert not listens(server.port)
        server.restart()
        assert httpx2.get(f"{server.url}/subjects/s/versions/1").json() == before
        assert httpx2.get(f"{server.url}/schemas/ids/{registered['id']}").json()["schema"] == '"int"'
        assert httpx2.get(f"{server.url}/config").json() == {"compatibilityLevel": "FULL"}


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_request_under_way_is_answered_before_the_end(
    store_url: str, tmp_path: Path, number: signal.Signals
) -> None:
    answers = []
    with running_registry(store_url) as server, httpx2.Client(base_url=server.url, timeout=30) as client:
        client.get("/")  # the connection is open

        def register() -> None:
            answers.append(client.post("/subjects/s/versions", json={"schema": '"int"'}).status_code)

        with closing(sqlite3.connect(tmp_path / "registry.db", isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")  # registering waits for this
            request = threading.Thread(target=register)
            request.start()
            time.sleep(1)
            os.kill(server.pid, number)
            time.sleep(0.2)
            other.execute("ROLLBACK")
        request.join()
        assert ends_to_listen(server.port)
    assert answers == [200]


def test_workers_end_with_a_parent_that_was_killed(store_url: str) -> None:
    with running_registry(store_url, workers=2) as server:
        os.kill(server.pid, signal.SIGKILL)
        assert ends_to_listen(server.port)


def test_a_worker_that_was_killed_gets_a_successor(store_url: str) -> None:
    need_proc()
    with running_registry(store_url, workers=2) as server:

        def workers() -> set[int]:
            return set(used_by_group(server.pid)) - {server.pid}

        first, second = workers()
        os.kill(first, signal.SIGKILL)
        deadline = time.monotonic() + 30
        while len(workers() - {first, second}) != 1 and time.monotonic() < deadline:
            time.sleep(0.05)
        assert len(workers()) == 2
        assert second in workers()
        for number in range(1, 11):
            answer = httpx2.post(f"{server.url}/subjects/s{number}/versions", json={"schema": '"int"'})
            assert answer.status_code == 200
        assert server.stop() == 0


def test_several_workers_on_one_file_are_one_registry(store_url: str) -> None:
    with running_registry(store_url, workers=2) as server:
        for n in range(1, 31):  # each on a connection of its own: either worker may get it
            schema = {"schema": f'{{"type":"fixed","name":"F{n}","size":1}}'}
            assert httpx2.post(f"{server.url}/subjects/s{n}/versions", json=schema).json()["id"] == n
            assert httpx2.get(f"{server.url}/schemas/ids/{n}").status_code == 200
            assert len(httpx2.get(f"{server.url}/subjects").json()) == n
        assert server.stop() == 0


def test_settings_reach_the_workers() -> None:
    with running_registry("memory:", compatibility="full", max_schema_bytes=10, max_body_bytes=200) as server:
        assert httpx2.get(f"{server.url}/config").json() == {"compatibilityLevel": "FULL"}
        url = f"{server.url}/subjects/s/versions"
        assert httpx2.post(url, json={"schema": '"int"' + " " * 6}).json()["error_code"] == 42209
        assert httpx2.post(url, content=b" " * 201).status_code == 413


def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "fivebyte", "serve", *arguments],
        env={**os.environ, **environment, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_a_port_that_is_taken(shared: RunningRegistry) -> None:
    done = run("--port", str(shared.port), "--store", "memory:")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == (
        f"fivebyte: cannot listen on 127.0.0.1:{shared.port}: Address already in use; "
        "give another --host or --port, or stop what uses it\n"
    )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--port", "0"], "--port 0: give a whole number from 1 to 65535"),
        (["--port", "65536"], "--port 65536: give a whole number from 1 to 65535"),
        (["--store", "x.db"], "no store is known for 'x.db': give memory:, sqlite:///relative.db,"),
        (
            ["--store", "memory:", "--workers", "2"],
            "workers=2 with store=memory: would be as many registries",
        ),
    ],
)
def test_settings_that_cannot_be(
    arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert fivebyte(["serve", *arguments]) == 2
    output = capsys.readouterr()
    assert output.out == ""
    assert output.err.startswith(f"fivebyte: {message}")
    assert output.err.count("\n") == 1


def test_a_store_that_cannot_be_used(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "no.db").write_text("this is no database" * 100)
    port = str(free_port())
    for path, message in [
        ("nowhere/x.db", f"there is no folder {tmp_path}/nowhere; make it first"),
        ("no.db", "file is not a database; the file is no SQLite database; give another path"),
    ]:
        url = f"sqlite:///{tmp_path}/{path}"
        assert fivebyte(["serve", "--port", port, "--store", url]) == 1
        output = capsys.readouterr()
        assert (output.out, output.err) == ("", f"fivebyte: {url}: {message}\n")


def test_what_is_wrong_in_the_environment_is_named() -> None:
    done = run(FIVEBYTE_PORT="eighty")
    assert (done.returncode, done.stderr) == (
        2,
        "fivebyte: FIVEBYTE_PORT=eighty: give a whole number from 1 to 65535\n",
    )


def test_a_redis_that_forgets_is_warned_of_once() -> None:
    with running_redis(*FORGETFUL) as redis, running_registry(redis.url(), workers=2) as server:
        assert server.output.count("a restart loses every schema. Set appendonly yes") == 1
        assert server.output.count("\n") == 2  # and where it is
