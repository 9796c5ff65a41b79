"""Schemas compared with what a registry has, over HTTP, with its levels, references, contexts; or its log."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from registry.check.errors import BaselineError, ProjectError
from registry.check.findings import Severity
from registry.check.reports import FORMATS
from registry.store import open_store
from registry.transfer.lines import to_lines
from serde import Reference, RegistryClient
from tests.registry.check.running import checked, found, write
from tests.support.server import running_registry

MONEY = (
    '{"type": "record", "name": "Money", "namespace": "shop", "fields": [{"name": "cents", "type": "long"}]}'
)
ORDER = """{"type": "record", "name": "Order", "namespace": "shop", "fields": [
  {"name": "total", "type": "Money"}
]}"""
SMALLER = MONEY.replace('"long"', '"int"')
MORE = ORDER.replace('"Money"}', '"Money"},\n  {"name": "note", "type": "string"%s}')
BOTH = {"money.avsc": MONEY, "order.avsc": ORDER}
MISSING = "READER_FIELD_MISSING_DEFAULT_VALUE"
CONFIG = '[[schemas]]\nfiles = "*.avsc"\nsubject = "%s{stem}-value"\n'


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with running_registry(f"sqlite:///{tmp_path_factory.mktemp('registry') / 'r.db'}") as server:
        yield server.url


def fill(client: RegistryClient, prefix: str) -> None:
    """Two subjects, one of which refers to the other, the second in two versions."""
    client.register(f"{prefix}money-value", MONEY)
    references = [Reference("shop.Money", f"{prefix}money-value", 1)]
    client.register(f"{prefix}order-value", ORDER, references=references)
    client.register(f"{prefix}order-value", MORE % ', "default": ""', references=references)


@pytest.mark.parametrize("prefix", ["plain-", ":.eu:"], ids=["default context", "context"])
def test_a_running_registry(url: str, prefix: str, tmp_path: Path) -> None:
    with RegistryClient(url) as client:
        fill(client, prefix)
        write(tmp_path, {**BOTH, "order.avsc": MORE % ', "default": ""', "fivebyte.toml": CONFIG % prefix})
        assert found(checked(tmp_path, url)) == []
        write(tmp_path, {"order.avsc": MORE % ""})
        assert found(checked(tmp_path, url)) == []  # the newest version had it
        client.set_config("BACKWARD_TRANSITIVE", f"{prefix}order-value")
        (finding,) = checked(tmp_path, url).findings
        assert (finding.rule, str(finding.place), str(finding.old_place), finding.against, finding.level) == (
            MISSING,
            "order.avsc:3:12",
            f"{prefix}order-value version 1",
            "version 1",
            "BACKWARD_TRANSITIVE",
        )
        assert found(checked(tmp_path, url, "BACKWARD")) == []
        write(tmp_path, {"money.avsc": SMALLER})
        report = checked(tmp_path, url)
        assert {(one.subject, one.element) for one in report.findings} == {
            (f"{prefix}money-value", "Money.cents"),
            (f"{prefix}order-value", "Order.total.cents"),
            (f"{prefix}order-value", "Order.note"),
        }
        verdict = client.check_compatibility(f"{prefix}money-value", SMALLER)
        assert verdict.messages[0] == next(
            one.detail for one in report.findings if one.subject == f"{prefix}money-value"
        )


def test_a_named_registry_with_a_context(url: str, tmp_path: Path) -> None:
    with RegistryClient(url, context=".us") as client:
        fill(client, "")
    named = f'registry = "here"\n{CONFIG % ""}[registries.here]\nurl = "{url}"\ncontext = ".us"\n'
    write(tmp_path, {"money.avsc": SMALLER, "order.avsc": ORDER, "fivebyte.toml": named})
    for against in ("here", "registry"):
        assert [one.subject for one in checked(tmp_path, against).findings] == ["money-value", "order-value"]
    write(tmp_path, {"new.avsc": '"int"', "money.avsc": MONEY})
    report = checked(tmp_path, "here")
    assert [(one.rule, one.severity) for one in report.findings] == [("SUBJECT_NEW", Severity.NOTE)]


def test_an_exported_log(tmp_path: Path) -> None:
    database, log = tmp_path / "r.db", tmp_path / "log.jsonl"
    with running_registry(f"sqlite:///{database}") as server, RegistryClient(server.url) as client:
        fill(client, "")
        client.set_config("FULL", "money-value")
    store = open_store(f"sqlite:///{database}")
    log.write_text("".join(to_lines(store.read(0))))
    store.close()
    project = tmp_path / "project"
    write(project, {"money.avsc": MONEY, "order.avsc": MORE % "", "fivebyte.toml": CONFIG % ""})
    assert found(checked(project, "../log.jsonl")) == []
    assert found(checked(project, "../log.jsonl", "BACKWARD_TRANSITIVE")) == [(MISSING, "order.avsc:3:12")]
    write(project, {"money.avsc": MONEY.replace('"long"', '"double"')})  # FULL, which the log says
    assert [one.subject for one in checked(project, "../log.jsonl").findings] == ["money-value"]
    log.write_text("no log")
    with pytest.raises(BaselineError, match=r"log\.jsonl is no exported log"):
        checked(project, "../log.jsonl")


def test_a_log_that_is_empty(tmp_path: Path) -> None:
    write(tmp_path, {**BOTH, "backup.jsonl": ""})
    with pytest.raises(BaselineError, match=r"backup.jsonl is empty: write it with fivebyte registry export"):
        checked(tmp_path, "backup.jsonl")


def test_a_registry_that_cannot_be_asked(url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path, {**BOTH, "fivebyte.toml": f'[registries.a]\nurl = "{url}"\ntoken_variable = "NOT_SET"\n'})
    with pytest.raises(ProjectError, match="the registry a needs NOT_SET in the environment; it is not set"):
        checked(tmp_path, "a")
    with pytest.raises(ProjectError, match="the project file names none"):
        checked(tmp_path, "registry")
    with pytest.raises(BaselineError, match="the registry cannot be compared with"):
        checked(tmp_path, "http://127.0.0.1:9")
    with pytest.raises(BaselineError, match=r"no such folder .* \(the project file has a\)"):
        checked(tmp_path, "b")
    monkeypatch.setenv("NOT_SET", "a token")
    assert checked(tmp_path, "a").new == 2
    # A user and a password are for the registry, not for a report that everybody sees.
    report = checked(tmp_path, url.replace("://", "://ada:hunter2@"))
    assert report.against == url
    assert "hunter2" not in "".join(make(report) for make in FORMATS.values())


@pytest.mark.parametrize(
    ("status", "body", "said"),
    [
        (
            200,
            "<html>log in</html>",
            "the answer is not a schema registry's: no JSON but '<html>log in</html>'",
        ),
        (
            401,
            '{"error_code": 401, "message": "Who?"}',
            r"Who\? .*; who may ask is said in the project file, in",
        ),
        (403, "no", "HTTP 403.* user_variable and password_variable, or token_variable"),
        (200, '{"compatibilityLevel": "SIDEWAYS"}', "the level SIDEWAYS for shop.Money, .* --level"),
    ],
)
def test_an_answer_that_is_no_answer(tmp_path: Path, status: int, body: str, said: str) -> None:
    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *arguments: object) -> None:
            pass

        def do_GET(self) -> None:
            self.send_response(status)
            self.end_headers()
            self.wfile.write(body.encode())

    write(tmp_path, BOTH)
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        with pytest.raises(BaselineError, match=said):
            checked(tmp_path, f"http://127.0.0.1:{server.server_port}")
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
