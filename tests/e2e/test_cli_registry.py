"""``fivebyte registry`` as a user runs it: real processes, real stores, a real server."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest

from registry.store import Entry, SQLiteStore
from tests.e2e.test_cli import Cli, failed, ok
from tests.registry.samples import avro, stored
from tests.support.needs import ROOT
from tests.support.redis import RunningRedis, running_redis
from tests.support.server import RunningRegistry, running_registry


@pytest.fixture
def run(tmp_path: Path) -> Cli:
    return Cli(tmp_path, "http://127.0.0.1:1")


@pytest.fixture
def server(tmp_path: Path) -> Iterator[RunningRegistry]:
    """A registry with some life behind it, on old.db."""
    with (
        running_registry(f"sqlite:///{tmp_path}/old.db") as server,
        httpx2.Client(base_url=server.url) as client,
    ):
        for number in (1, 2):
            client.post("/subjects/s%2Fé/versions?force=true", json={"schema": avro(f"R{number}")})
        client.post("/subjects/:.eu:t/versions", json={"schema": '"int"'})
        client.put("/config/s%2Fé", json={"compatibility": "FULL"})
        client.delete("/subjects/s%2Fé/versions/1")
        yield server


@pytest.fixture(scope="module")
def redis() -> Iterator[RunningRedis]:
    with running_redis() as server:
        yield server


def entries(count: int, start: int = 1) -> list[Entry]:
    return [Entry(n, 1_700_000_000_000 + n, (stored("s", n, n),)) for n in range(start, start + count)]


def test_a_registry_moves_to_redis_and_is_backed_up(
    run: Cli, server: RunningRegistry, redis: RunningRedis
) -> None:
    to = redis.url("?key=moved")
    assert (
        ok(run("registry", "copy", "sqlite:///old.db", to))
        == "copied up to position 5, and verified: 5 entries\n"
    )
    again = "copied up to position 5, and verified: 5 entries, 5 of them were there before\n"
    assert ok(run("registry", "copy", "sqlite:///old.db", to)) == again
    assert ok(run("registry", "export", "--store", to, "a.jsonl")) == "exported 6 records to a.jsonl\n"
    lines = (run.folder / "a.jsonl").read_text()
    assert ok(run("registry", "export", "--store", "sqlite:///old.db")) == lines
    assert ok(run("registry", "export", "--store", "sqlite:///old.db", "-")) == lines
    assert not (run.folder / "-").exists()
    assert sorted(path.name for path in run.folder.glob("*jsonl*")) == ["a.jsonl"]
    with running_registry(to) as moved, httpx2.Client(base_url=moved.url) as client:
        assert client.get("/subjects?subjectPrefix=:*:").json() == [":.eu:t", "s/é"]

    printed = ok(run("registry", "import", "a.jsonl", "--store", "sqlite:///new.db"))
    assert printed.splitlines() == [
        "imported: SCHEMA records 4, CONTEXT records 1, CONFIG records 1",
        "the log is at position 5",
    ]
    nothing = "nothing was to be imported: it is all there\nthe log is at position 5\n"
    assert (
        ok(
            run(
                "registry",
                "import",
                "-",
                "--store",
                "sqlite:///new.db",
                stdin=(run.folder / "a.jsonl").read_bytes(),
            )
        )
        == nothing
    )
    assert (
        ok(run("registry", "export", "--store", "sqlite:///new.db")) == (run.folder / "a.jsonl").read_text()
    )


def test_importing_from_a_running_registry(run: Cli, server: RunningRegistry) -> None:
    printed = ok(run("registry", "import", server.url, "--store", "sqlite:///new.db"))
    assert printed.splitlines()[0] == "imported: contexts 1, versions 2, soft-deleted versions 1, configs 2"
    assert ok(run("registry", "import", server.url, "--store", "sqlite:///new.db")).startswith(
        "nothing was to be"
    )
    with running_registry(f"sqlite:///{run.folder}/new.db") as new, httpx2.Client(base_url=new.url) as client:
        old = httpx2.get(f"{server.url}/schemas?subjectPrefix=:*:&deleted=true").json()
        assert client.get("/schemas?subjectPrefix=:*:&deleted=true").json() == old
        with running_registry() as empty:
            printed = ok(run("registry", "import", server.url, "--registry", empty.url))
            assert printed == "imported: versions 3, soft-deleted versions 1, configs 1\n"
        client.post("/subjects/mine/versions", json={"schema": '"bytes"'})
    httpx2.post(f"{server.url}/subjects/theirs/versions", json={"schema": '"string"'})
    said = failed(run("registry", "import", server.url, "--store", "sqlite:///new.db"), 1)
    assert (
        "id 3 in context . is version 1 of theirs at the source and version 1 of mine at the target" in said
    )


def test_the_history(run: Cli, server: RunningRegistry) -> None:
    lines = ok(run("registry", "history", "--store", "sqlite:///old.db")).splitlines()
    assert [line[24:].split() for line in lines[-2:]] == [
        ["4", "s/é", "compatibility", "set", "to", "FULL"],
        ["5", "s/é", "soft-deleted", "version", "1", "with", "id", "1"],
    ]
    told = ok(run("registry", "history", ":.eu:", "--json", "--since", "1h", "--store", "sqlite:///old.db"))
    events = [json.loads(line) for line in told.splitlines()]
    assert [event["action"] for event in events] == ["context made", "registered"]
    assert ok(run("registry", "history", "--since", "2100-01-01", "--store", "sqlite:///old.db")) == ""
    assert ok(run("registry", "history", "--since", "2000-01-01T00:00+02:00", "--store", "sqlite:///old.db"))
    assert "'yesterday' is no time" in failed(run("registry", "history", "--since", "yesterday"), 2)


def test_history_shows_who_where_it_is_known(run: Cli) -> None:
    store = SQLiteStore(run.folder / "a.db")
    store.append(1, [stored("s", 1, 1)], "ada")
    store.close()
    assert ok(run("registry", "history", "--store", "sqlite:///a.db")).endswith(
        "s  registered version 1 with id 1  by ada\n"
    )


def test_what_cannot_be_done_is_said_in_a_line(run: Cli, server: RunningRegistry) -> None:
    for command in (
        ("copy", "sqlite:///none.db", "sqlite:///new.db"),
        ("export", "--store", "sqlite:///none.db"),
        ("history", "--store", "sqlite:///none.db"),
    ):
        assert "no such file; give the store that has the log" in failed(run("registry", *command), 1)
    assert not (run.folder / "none.db").exists()
    assert "in memory ends with" in failed(run("registry", "copy", "memory:", "sqlite:///new.db"), 1)
    assert "none.jsonl cannot be read: No such file" in failed(run("registry", "import", "none.jsonl"), 1)
    assert "no schema registry at" in failed(run("registry", "import", "http://127.0.0.1:1"), 1)
    both = ("--store", "sqlite:///new.db", "--registry", server.url)
    assert "give --store or --registry" in failed(run("registry", "import", "x.jsonl", *both), 2)
    (run.folder / "cut.jsonl").write_text('{"topic":"_schemas","key":"{\\"keyty')
    assert "cut.jsonl, line 1: " in failed(run("registry", "import", "cut.jsonl"), 1)
    said = failed(run("registry", "export", "--store", "sqlite:///old.db", "no/such/folder.jsonl"), 1)
    assert "cannot be written: No such file or directory" in said
    exported = ok(run("registry", "export", "--store", "sqlite:///old.db"))
    (run.folder / "other.jsonl").write_text(exported.replace("R1", "Other"))
    ok(run("registry", "import", "other.jsonl", "--store", "sqlite:///other.db"))
    said = failed(run("registry", "copy", "sqlite:///old.db", "sqlite:///other.db"), 1)
    assert "position 1 differs in its records" in said


def test_the_store_is_the_servers_unless_said_otherwise(run: Cli, server: RunningRegistry) -> None:
    (run.folder / "fivebyte.toml").write_text('[server]\nstore = "sqlite:///old.db"\n')
    assert ok(run("registry", "history")) == ok(run("registry", "history", "--store", "sqlite:///old.db"))
    (run.folder / "other.toml").write_text('[server]\nstore = "sqlite:///none.db"\n')
    assert "none.db: there is no such file" in failed(run("registry", "history", "--config", "other.toml"), 1)


def test_an_import_that_is_killed_goes_on(run: Cli) -> None:
    """SIGKILL at some moment of the writing, until one import gets through."""
    source = SQLiteStore(run.folder / "a.db")
    source.extend(entries(5000))
    ok(run("registry", "export", "--store", "sqlite:///a.db", "a.jsonl"))
    target, kills = SQLiteStore(run.folder / "b.db"), 0
    command = [sys.executable, "-m", "fivebyte", "registry", "import", "a.jsonl", "--store", "sqlite:///b.db"]
    while target.head() < source.head():
        before = target.head()
        process = subprocess.Popen(
            command, cwd=run.folder, stdout=subprocess.DEVNULL, env=os.environ | {"PYTHONPATH": str(ROOT)}
        )
        while target.head() < min(before + 1500, 5000) and process.poll() is None:
            time.sleep(0.001)
        if target.head() < 5000:
            process.send_signal(signal.SIGKILL)
            kills += 1
        process.wait()
        assert target.head() > before
    assert kills >= 1
    assert list(target.read(0)) == list(source.read(0))
    source.close()
    target.close()


def test_an_export_that_is_killed_leaves_the_last_one(run: Cli) -> None:
    store = SQLiteStore(run.folder / "a.db")
    store.extend(entries(5))
    ok(run("registry", "export", "--store", "sqlite:///a.db", "a.jsonl"))
    whole = (run.folder / "a.jsonl").read_text()
    for start in range(6, 20_006, 1000):
        store.extend(entries(1000, start))
    store.close()
    command = [sys.executable, "-m", "fivebyte", "registry", "export", "--store", "sqlite:///a.db", "a.jsonl"]
    process = subprocess.Popen(
        command, cwd=run.folder, stdout=subprocess.DEVNULL, env=os.environ | {"PYTHONPATH": str(ROOT)}
    )
    part = run.folder / ".a.jsonl.part"
    while process.poll() is None and not (part.exists() and part.stat().st_size):
        time.sleep(0.0005)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert (run.folder / "a.jsonl").read_text() == whole
    assert (
        ok(run("registry", "export", "--store", "sqlite:///a.db", "a.jsonl"))
        == "exported 20005 records to a.jsonl\n"
    )
    assert not part.exists()
