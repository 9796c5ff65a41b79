"""Schemas by id from ready bytes: as Flask says them, and gone when they are gone."""

import json
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from flask import Response
from flask.testing import FlaskClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from werkzeug.test import Client, EnvironBuilder

from registry.errors import StoreError
from registry.http import create_app, fast_path
from registry.http.front import Front
from registry.registry import Registry
from registry.store import MemoryStore
from registry.store.sqlite import SQLiteStore
from tests.registry.samples import error, register

LARGE = {"type": "enum", "name": "E", "symbols": ["A"], "doc": "é " * 3000}


class Counting:
    """A WSGI layer that counts what comes through to Flask."""

    def __init__(self, front: Front) -> None:
        self.asked = 0
        self._app = front.app
        front.app = self

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        self.asked += 1
        return self._app(environ, start_response)


@pytest.fixture
def flask(client: FlaskClient) -> Counting:
    return Counting(front_of(client))


def front_of(client: FlaskClient) -> Front:
    front = client.application.wsgi_app
    assert isinstance(front, Front)
    return front


def test_flask_is_not_asked_for_a_schema_by_id(client: FlaskClient, flask: Counting) -> None:
    register(client, "s", '"int"')
    client.get("/subjects")  # the fold is at the head
    flask.asked = 0
    for path in ("/schemas/ids/1", "/schemas/ids/1/schema", "/schemas/ids/1?fetchMaxId=false"):
        assert client.get(path).status_code == 200
        assert client.head(path).status_code == 200
    assert flask.asked == 0
    for path in ("/schemas/ids/2", "/schemas/ids/01", "/schemas/ids/1/", "/schemas/ids/1?fetchMaxId=true"):
        client.get(path)
    client.post("/schemas/ids/1")
    assert flask.asked == 5


def test_flasks_answer_goes_to_the_server_in_one_piece_and_is_closed(client: FlaskClient) -> None:
    closed = []

    def note_its_end(response: Response) -> Response:
        response.call_on_close(lambda: closed.append(response.status_code))
        return response

    client.application.after_request(note_its_end)
    pieces = client.application(EnvironBuilder("/subjects").get_environ(), lambda *_: lambda _: None)
    assert isinstance(pieces, list)
    assert (pieces, closed) == ([b"[]"], [200])


ACCEPTED = st.sampled_from(
    [
        None,
        "",
        "*/*",
        "application/json",
        "application/vnd.schemaregistry.v1+json",
        "application/vnd.schemaregistry+json, application/vnd.schemaregistry.v1+json, application/json",
        "application/vnd.schemaregistry.v1+json,application/vnd.schemaregistry+json,application/json;q=0.9",
        "application/json;q=0.1, */*;q=0",
        "text/html",
        "application/json," * 50,
    ]
)
ENCODINGS = st.sampled_from(
    [None, "gzip, deflate", "gzip;q=0", "identity;q=1, gzip;q=0.5", "*", "GZIP", "br", "x," * 200 + "gzip"]
)
PATHS = st.sampled_from(
    [f"/schemas/ids/{n}" for n in (0, 1, 2, 3, 4, "01", "+1", "\u0661", "x", 2**31, 9999999999)]
)
TAILS = st.sampled_from(["", "", "/schema", "/", "/schema/", "/subjects", "/versions", "/nothing", "%00"])
QUERIES = st.sampled_from(
    [
        "",
        "",
        "subject=s",
        "subject=:.x:",
        "fetchMaxId=true",
        "fetchMaxId=False",
        "format=resolved",
        "x",
        "deleted=true",
    ]
)
METHODS = st.sampled_from(["GET", "GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "get"])
BEFORE = st.sampled_from(["", "", "/contexts/.x", "/contexts/.", "/contexts/:.x:", "/"])


@pytest.fixture(scope="module")
def both() -> tuple[Client, Client]:
    """A registry's whole application, and its part from Flask on."""
    app = create_app(Registry(MemoryStore()))
    client = app.test_client()
    register(client, "s", '"int"')
    register(client, "large", json.dumps(LARGE))
    register(client, ":.x:s", '"long"')
    register(client, "gone", '"string"')
    for path in ("/subjects/gone", "/subjects/gone?permanent=true"):
        assert client.delete(path).status_code == 200
    client.get("/subjects")
    return Client(app), Client(front_of(client).app)


@settings(max_examples=400, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(BEFORE, PATHS, TAILS, QUERIES, METHODS, ACCEPTED, ENCODINGS, st.booleans())
def test_it_says_what_flask_says(
    both: tuple[Client, Client],
    before: str,
    path: str,
    tail: str,
    query: str,
    method: str,
    accepted: str | None,
    encodings: str | None,
    conditional: bool,
) -> None:
    headers = {"Accept": accepted, "Accept-Encoding": encodings}
    sent = {name: value for name, value in headers.items() if value is not None}
    if conditional:
        sent["If-None-Match"] = both[1].get(path).headers.get("ETag", '"x"')
    answers = []
    for client in both:
        answer = client.open(before + path + tail, method=method, query_string=query, headers=sent)
        kept = sorted(header for header in answer.headers if header[0] != "X-Request-ID")
        answers.append((answer.status, kept, answer.get_data()))
    assert answers[0] == answers[1]


def test_what_was_deleted_for_good_is_gone_at_once(client: FlaskClient) -> None:
    register(client, "a", '"int"')
    register(client, "b", '"int"')
    for subject in "ab":
        assert client.get("/schemas/ids/1").status_code == 200
        client.delete(f"/subjects/{subject}")
        assert client.get("/schemas/ids/1").status_code == 200
        client.delete(f"/subjects/{subject}?permanent=true")
    assert error(client.get("/schemas/ids/1")) == (404, 40403, "Schema 1 not found")
    assert client.get("/schemas/ids/1/schema").status_code == 404
    register(client, "c", '"int"')
    assert client.get("/schemas/ids/1").status_code == 200


def test_what_another_process_did_is_seen(store: MemoryStore, client: FlaskClient) -> None:
    other = create_app(Registry(store)).test_client()
    register(other, "s", '"int"')
    assert client.get("/schemas/ids/1").status_code == 200
    other.delete("/subjects/s")
    other.delete("/subjects/s?permanent=true")
    assert client.get("/schemas/ids/1").status_code == 404


def test_what_another_process_deleted_in_a_file_is_gone(tmp_path: Path) -> None:
    stores = [SQLiteStore(tmp_path / "log.db") for _ in range(2)]
    one, other = (create_app(Registry(store)).test_client() for store in stores)
    register(other, "s", '"int"')
    assert one.get("/schemas/ids/1").status_code == 200
    other.delete("/subjects/s")
    assert one.get("/schemas/ids/1").status_code == 200
    other.delete("/subjects/s?permanent=true")
    deadline = time.monotonic() + 60
    while one.get("/schemas/ids/1").status_code == 200:  # the head is looked at only so often
        assert time.monotonic() < deadline
    for store in stores:
        store.close()


def test_a_log_that_was_replaced(client: FlaskClient, store: MemoryStore) -> None:
    """An id that stands for something else now, as after a failover that lost the end of the log."""
    register(client, "s", '"int"')
    assert client.get("/schemas/ids/1/schema").text == '"int"'
    client.put("/config", json={"compatibility": "NONE"})
    other = MemoryStore()
    register(create_app(Registry(other)).test_client(), "s", '"long"')
    store._rows[:] = other._rows  # shorter than what was read
    for _ in range(2):
        assert client.get("/schemas/ids/1/schema").text == '"long"'


def test_the_oldest_answers_go_where_there_are_too_many(
    client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fast_path, "MAX_BYTES", 25_000)
    for number in range(1, 41):
        register(client, f"s{number}", f'{{"type":"fixed","name":"F","size":{number}}}')
    for _ in range(2):
        for number in range(1, 41):
            answer = client.get(f"/schemas/ids/{number}")
            assert json.loads(answer.get_json()["schema"])["size"] == number
    table = front_of(client)._fast_path._table
    assert 10 < len(table.answers) < 25
    assert "/schemas/ids/40" in table.answers


class Broken(MemoryStore):
    fault: Exception | None = None

    def head(self) -> int:
        if self.fault is not None:
            raise self.fault
        return super().head()


@pytest.mark.parametrize(("fault", "code"), [(StoreError("broken"), 50001), (KeyError("x"), 500)])
def test_a_store_that_fails_gets_the_usual_error(fault: Exception, code: int) -> None:
    store = Broken()
    client = create_app(Registry(store)).test_client()
    register(client, "s", '"int"')
    assert client.get("/schemas/ids/1").status_code == 200
    store.fault = fault
    assert error(client.get("/schemas/ids/1"))[:2] == (500, code)
