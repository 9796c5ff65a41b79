"""``fivebyte doctor`` on set-ups that are in order, and on some that are not."""

import json
import os
import resource
import socket
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

import pytest

from fivebyte.checkup import machine
from fivebyte.cli import run as fivebyte
from registry.records import LogRecord
from registry.store import open_store
from tests.support.certificates import root, signed
from tests.support.needs import ROOT
from tests.support.redis import DURABLE, FORGETFUL, running_redis
from tests.support.server import free_port, running_registry

RECORD = LogRecord({"keytype": "NOOP"}, None)


class Line(NamedTuple):
    verdict: str
    what: str
    advice: str


class Report(NamedTuple):
    code: int
    lines: list[Line]

    def line(self, start: str) -> Line:
        """The one line that begins so."""
        (found,) = [line for line in self.lines if line.what.startswith(start)]
        return found


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def doctor(capsys: pytest.CaptureFixture[str], *arguments: str) -> Report:
    code = fivebyte(["doctor", "--json", "--port", str(free_port()), *arguments])
    output = capsys.readouterr()
    assert output.err == ""
    return Report(code, [Line(**line) for line in json.loads(output.out)])


def test_a_new_set_up_is_in_order_and_stays_as_it_is(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    report = doctor(capsys)
    assert report.code == 0
    assert {line.verdict for line in report.lines} <= {"ok", "warning"}
    assert report.line("fivebyte ").what.startswith("fivebyte 0.")
    assert "granian" in report.line("packages: ").what
    assert "codec" in report.line("Avro is read and written by the ").what
    assert "the first start makes it" in report.line("store sqlite:///fivebyte.db: there").what
    assert "free to listen on" in report.line("127.0.0.1:").what
    assert report.line("FIVEBYTE_REGISTRY is not set").verdict == "ok"
    assert report.line("broker file:./data: there is no folder yet").verdict == "ok"
    assert list(folder.iterdir()) == []


def test_as_a_person_sees_it(folder: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "fivebyte", "doctor", "--store", "sqlite:///nowhere/x.db"],
        env=os.environ | {"PYTHONPATH": str(ROOT), "FIVEBYTE_PORT": str(free_port())},
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (1, "")
    assert "ok       fivebyte 0." in done.stdout
    assert (
        "problem  store sqlite:///nowhere/x.db: there is no folder nowhere; make it: mkdir -p nowhere\n"
        in done.stdout
    )
    assert "\x1b" not in done.stdout


def test_settings_that_cannot_be(capsys: pytest.CaptureFixture[str]) -> None:
    report = doctor(capsys, "--workers", "0")
    assert report == (1, [("problem", "--workers 0: give a whole number from 1 to 256", "")])


def test_a_log_in_a_file(capsys: pytest.CaptureFixture[str]) -> None:
    with closing(open_store("sqlite:///x.db")) as store:
        store.append(1, [RECORD])
        report = doctor(capsys, "--store", "sqlite:///x.db")
        assert report.code == 0
        assert "the log is at position 1" in report.line("store sqlite:///x.db: can be read").what
        assert "journal mode wal" in report.line("store sqlite:///x.db: the file is whole").what
        store.append(2, [RECORD])  # nothing is locked


def test_a_file_that_is_no_log(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "x.db").write_text("this is no database" * 100)
    report = doctor(capsys, "--store", "sqlite:///x.db")
    assert report.code == 1
    assert report.line("sqlite:///x.db: file is not a database").verdict == "problem"


def test_a_damaged_file(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with closing(open_store("sqlite:///x.db")) as store:
        for position in range(1, 400):
            store.append(position, [RECORD])
    with closing(sqlite3.connect("x.db")) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        size = connection.execute("PRAGMA page_size").fetchone()[0]
    content = bytearray((folder / "x.db").read_bytes())
    middle = len(content) // size // 2 * size
    content[middle : middle + size] = b"\xff" * size
    (folder / "x.db").write_bytes(content)
    report = doctor(capsys, "--store", "sqlite:///x.db")
    assert report.code == 1
    (damage,) = [line for line in report.lines if line.verdict == "problem"]
    assert damage.what.startswith("store sqlite:///x.db: the file is damaged: ")
    assert damage.advice == "restore it from a backup"


def test_a_redis_that_keeps_what_it_has(capsys: pytest.CaptureFixture[str]) -> None:
    with running_redis(*DURABLE) as server:
        report = doctor(capsys, "--store", server.url())
        assert report.code == 0
        answers, state, clock = (line for line in report.lines if line.what.startswith("store "))
        assert answers.what.endswith("?key=fivebyte: answers; the log is at position 0")
        assert "appendonly yes, 0 replicas connected" in state.what
        assert clock.what.endswith("its clock and ours agree")
        assert {answers.verdict, state.verdict, clock.verdict} == {"ok"}


def test_a_redis_that_forgets(capsys: pytest.CaptureFixture[str]) -> None:
    with running_redis(*FORGETFUL, "--maxmemory-policy", "allkeys-lru") as server:
        report = doctor(capsys, "--store", server.url())
        assert report.code == 0
        warnings = [line for line in report.lines if line.verdict == "warning"]
        assert [line.advice for line in warnings[-2:]] == [
            "Set appendonly yes",
            "Set maxmemory-policy noeviction",
        ]


def test_a_redis_that_says_little(capsys: pytest.CaptureFixture[str]) -> None:
    with running_redis(*DURABLE) as server, server.client() as client:
        client.execute_command("ACL", "SETUSER", "few", "on", ">x", "~*", "+@all", "-info", "-time")
        report = doctor(capsys, "--store", server.url(credentials="few:x@"))
    assert report.code == 0
    warnings = [line for line in report.lines if line.verdict == "warning"]
    assert "see that appendonly is yes" in warnings[-2].what
    assert warnings[-1].advice == "allow its user INFO and TIME"


def test_a_redis_that_is_not_there(capsys: pytest.CaptureFixture[str]) -> None:
    report = doctor(capsys, "--store", f"redis://user:secret@127.0.0.1:{free_port()}/0")
    assert report.code == 1
    assert "see whether Redis runs there" in report.line("redis://127.0.0.1:").what
    assert "secret" not in str(report)


@pytest.mark.parametrize(
    ("url", "verdict", "said"),
    [
        ("memory:", "warning", "store memory:: forgets every schema when it ends"),
        ("x.db", "problem", "no store is known for 'x.db'"),
    ],
)
def test_other_stores(url: str, verdict: str, said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert doctor(capsys, "--store", url).line(said).verdict == verdict


def test_a_server_that_runs_is_found(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with running_registry() as server:
        monkeypatch.setenv("FIVEBYTE_REGISTRY", f"{server.url}, http://127.0.0.1:{free_port()}")
        report = doctor(capsys, "--port", str(server.port))
        assert report.line(f"a registry answers on {server.url}, version 0.").verdict == "ok"
        assert report.line(f"FIVEBYTE_REGISTRY {server.url} is a schema registry, version 0.").verdict == "ok"
        (away,) = [line for line in report.lines if line.verdict == "problem"]
        assert "cannot be reached" in away.what
        assert fivebyte(["doctor", "--ready", "--port", str(server.port)]) == 0
        assert capsys.readouterr().out == f"ok       the registry on {server.url} is ready\n"
    assert fivebyte(["doctor", "--ready", "--port", str(server.port)]) == 1
    assert f"no registry answers on {server.url}; start it" in capsys.readouterr().out


def test_a_port_that_something_else_has(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        port = other.getsockname()[1]
        report = doctor(capsys, "--port", str(port))
    assert report.line(f"cannot listen on 127.0.0.1:{port}: Address already in use").verdict == "problem"


def test_a_registry_that_is_none(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    for url in ("http://[", "ftp://127.0.0.1"):
        monkeypatch.setenv("FIVEBYTE_REGISTRY", url)
        assert doctor(capsys).line(f"FIVEBYTE_REGISTRY {url}").verdict == "problem"


def test_a_server_behind_tls(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    authority = root(folder)
    pair = signed(folder, "server", authority)
    files = {"tls_certificate": pair.certificate, "tls_key": pair.key, "tls_client_ca": authority.certificate}
    options = [part for name, file in files.items() for part in (f"--{name.replace('_', '-')}", file)]
    with running_registry(**files) as server:
        url = server.url.replace("http:", "https:")
        report = doctor(capsys, *options, "--port", str(server.port))
        assert report.code == 0
        assert report.line(f"the certificate {pair.certificate}").verdict == "ok"
        assert report.line(f"a registry answers on {url}").verdict == "ok"
        assert fivebyte(["doctor", "--ready", *options, "--port", str(server.port)]) == 0


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("kafka://host:9092", "FIVEBYTE_BROKER kafka://host:9092 names no broker"),
        ("file:", "FIVEBYTE_BROKER file: names no broker"),
        ("file:./a-file/data", "broker file:./a-file/data: files cannot be written in"),
    ],
)
def test_a_broker_that_cannot_be(
    url: str, said: str, folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "a-file").write_text("")
    monkeypatch.setenv("FIVEBYTE_BROKER", url)
    assert doctor(capsys).line(said).verdict == "problem"


def test_few_files_are_warned_of() -> None:
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (512, limits[1]))
    try:
        (found,) = [finding for finding in machine.check() if "files" in finding.what]
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, limits)
    assert (found.verdict, found.what) == (
        "warning",
        "a process may have 512 files and connections open",
    )


def test_a_server_whose_redis_is_away_is_not_ready(capsys: pytest.CaptureFixture[str]) -> None:
    with running_redis(*DURABLE) as redis, running_registry(redis.url()) as server:
        redis.kill()
        assert fivebyte(["doctor", "--ready", "--port", str(server.port)]) == 1
        said = capsys.readouterr().out
        assert said.startswith(f"problem  the registry on {server.url} is not ready: 503 ")
