"""What the server writes to standard error."""

import json
import logging
import re
import sys
from collections.abc import Iterator

import httpx2
import pytest

from registry.http import create_app
from registry.logs import JsonFormatter, LogFormat, LogLevel, TextFormatter, configuration, current_request
from registry.registry import Registry
from registry.store import MemoryStore
from tests.support.redis import RunningRedis
from tests.support.server import running_registry

LINE = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3} (\w+) ([\w.]+): (.*)")


def record(message: str, *arguments: object, level: int = logging.WARNING) -> logging.LogRecord:
    return logging.LogRecord("fivebyte.registry", level, __file__, 1, message, arguments, None)


@pytest.fixture
def request_name() -> Iterator[str]:
    token = current_request.set("req-1")
    yield "req-1"
    current_request.reset(token)


@pytest.mark.parametrize("formatter", [TextFormatter(), JsonFormatter()])
@pytest.mark.parametrize(
    "url", ["redis://user:pass%2Fword@host:1/0", "rediss://:pass%2Fword@host", "http://pass%2Fword@host/x"]
)
def test_no_password_of_a_url_is_written(formatter: logging.Formatter, url: str) -> None:
    line = formatter.format(record("cannot reach %s now", url))
    assert "pass%2Fword" not in line
    assert "://***@host" in line
    failed = record("it failed")
    fault = ValueError(f"no {url}")
    failed.exc_info = (ValueError, fault, None)
    assert "pass%2Fword" not in formatter.format(failed)


def test_an_event_is_one_line(request_name: str) -> None:
    event = record("GET %s failed", "/subjects/a\nb\x1b[1m\u2028é")
    text = TextFormatter().format(event)
    assert text.splitlines() == [text]
    assert text.endswith(r"GET /subjects/a\nb\x1b[1m\u2028é failed [req-1]")
    line = JsonFormatter().format(event)
    assert "\n" not in line
    assert json.loads(line)["message"] == "GET /subjects/a\nb\x1b[1m\u2028é failed"


def test_json_has_the_facts(request_name: str) -> None:
    event = json.loads(JsonFormatter().format(record("hello %d", 5)))
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", event.pop("time"))
    assert event == {
        "level": "WARNING",
        "logger": "fivebyte.registry",
        "message": "hello 5",
        "request_id": "req-1",
    }


def test_nothing_is_written_of_requests_unless_asked_for() -> None:
    with running_registry("memory:") as server:
        httpx2.get(f"{server.url}/subjects")
        assert server.stop() == 0
        assert server.output.count("\n") == 1


def test_a_line_a_request_as_text() -> None:
    with running_registry("memory:", log_level="info") as server:
        headers = {"X-Request-ID": "mine", "Authorization": "Basic c2VjcmV0"}
        httpx2.post(f"{server.url}/subjects/a%2Fé/versions", json={"schema": '"int"'}, headers=headers)
        httpx2.get(f"{server.url}/schemas/ids/7?token=secret", headers=headers)
        httpx2.get(f"{server.url}/schemas/ids/1", headers=headers)  # folds what was written
        httpx2.get(f"{server.url}/schemas/ids/1", headers=headers)  # does not get to Flask
        assert server.stop() == 0
        output = server.output
    lines = [LINE.fullmatch(line) for line in output.splitlines() if " [mine]" in line]
    written = [match.groups() for match in lines if match is not None]
    assert {(level, logger) for level, logger, _ in written} == {("INFO", "fivebyte.access")}
    texts = [re.sub(r" [0-9.e-]+ ms", " N ms", text) for _, _, text in written]
    assert texts == [
        "POST /subjects/a/é/versions 200 N ms [mine]",
        "GET /schemas/ids/7 404 N ms [mine]",
        "GET /schemas/ids/1 200 N ms [mine]",
        "GET /schemas/ids/1 200 N ms [mine]",
    ]
    assert "c2VjcmV0" not in output
    assert "secret" not in output


def test_a_line_a_request_as_json() -> None:
    with running_registry("memory:", log_format="json", log_level="info") as server:
        name = httpx2.get(f"{server.url}/subjects/s/versions").headers["X-Request-ID"]
        assert server.stop() == 0
        events = [json.loads(line) for line in server.output.splitlines() if name in line]
    assert len(events) == 1
    event = events[0]
    assert event.pop("duration_ms") > 0
    assert event.pop("time")
    assert event.pop("message").startswith("GET /subjects/s/versions 404 ")
    assert event == {
        "level": "INFO",
        "logger": "fivebyte.access",
        "request_id": name,
        "method": "GET",
        "path": "/subjects/s/versions",
        "route": "/subjects/{subject}/versions",
        "status": 404,
    }


def test_warnings_have_the_same_form(own_redis: RunningRedis) -> None:
    """And the password that the store was given is in none of them."""
    own_redis.client().config_set("requirepass", "secret")
    url = own_redis.url("?key=x", credentials=":secret@")
    with running_registry(url, log_format="json") as server:
        own_redis.kill()
        httpx2.get(f"{server.url}/subjects", headers={"X-Request-ID": "mine"}, timeout=30)
        assert server.stop() == 0
        output = server.output
    events = [json.loads(line) for line in output.splitlines() if not line.startswith("fivebyte ")]
    assert any(event.get("request_id") == "mine" and event["level"] == "ERROR" for event in events)
    assert any("answering from memory what cannot change" in event["message"] for event in events)
    assert "secret" not in output


class Failing(MemoryStore):
    def tail(self) -> tuple[int, str]:
        raise ZeroDivisionError("inside")


@pytest.mark.parametrize("form", LogFormat)
def test_what_nobody_foresaw_is_told_to_the_log_alone(
    form: LogFormat, capsys: pytest.CaptureFixture[str]
) -> None:
    store = MemoryStore()
    registry = Registry(store)
    store.__class__ = Failing
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(configuration(form, LogLevel.ERROR)["formatters"]["chosen"]["()"]())
    logger = logging.getLogger("fivebyte")
    logger.addHandler(handler)
    try:
        answer = create_app(registry).test_client().get("/subjects", headers={"X-Request-ID": "mine"})
    finally:
        logger.removeHandler(handler)
    assert answer.status_code == 500
    assert set(answer.get_json()) == {"error_code", "message"}
    assert "inside" not in answer.text
    assert answer.headers["X-Request-ID"] == "mine"
    written = capsys.readouterr().err
    assert "GET /subjects failed" in written
    assert "mine" in written
    assert "ZeroDivisionError: inside" in written
    if form is LogFormat.JSON:
        assert "Traceback" in json.loads(written)["exception"]
