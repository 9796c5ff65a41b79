"""What the client asks of a registry and what it makes of the answers."""

import json
import threading
from concurrent.futures import ThreadPoolExecutor

import httpx2
import pytest

from serde import (
    Compatibility,
    Incompatible,
    NotFound,
    Reference,
    Refused,
    RegisteredSchema,
    RegistryBusy,
    RegistryClient,
    RegistryError,
    RegistryUnreachable,
    Schema,
    SchemaNotFound,
    SubjectNotFound,
    Unauthorized,
    VersionNotFound,
)
from serde.testing import registry
from tests.serde.servers import Scripted, answer, error

INT = '"int"'
FULL = {"id": 3, "version": 2, "guid": "g", "schemaType": "AVRO", "schema": INT}
REFERENCE = Reference("a.B", "b", 1)


def test_registering_sends_what_the_registry_wants() -> None:
    server = Scripted(answer(200, FULL))
    with server.client() as client:
        found = client.register("s", INT, references=[REFERENCE], normalize=True)
    assert found == RegisteredSchema("s", 2, 3, INT, (), "AVRO", "g")
    request = server.requests[0]
    assert server.asked == [("POST", "/subjects/s/versions?normalize=true")]
    assert request.headers["Content-Type"] == "application/vnd.schemaregistry.v1+json"
    assert request.headers["Accept"].startswith("application/vnd.schemaregistry.v1+json")
    assert json.loads(request.content) == {
        "schema": INT,
        "references": [{"name": "a.B", "subject": "b", "version": 1}],
    }


def test_a_registry_that_answers_with_the_id_alone_is_asked_for_the_rest() -> None:
    looked_up = {"subject": "s", "version": 4, "id": 1, "schema": INT}
    server = Scripted(answer(200, {"id": 1}), answer(200, looked_up))
    with server.client() as client:
        assert client.register("s", INT) == RegisteredSchema("s", 4, 1, INT)
    assert server.asked == [("POST", "/subjects/s/versions"), ("POST", "/subjects/s")]


def test_what_cannot_change_is_asked_once() -> None:
    server = Scripted(answer(200, FULL))
    with server.client() as client:
        assert client.register("s", INT) == client.register("s", INT)
        assert client.schema_by_id(3) == Schema(3, INT, (), "AVRO", "g")
        client.register("s", INT, references=[REFERENCE])
        client.register("s", INT, normalize=True)
        client.register("t", INT)
    assert len(server.requests) == 4


def test_the_caches_are_bounded() -> None:
    server = Scripted(lambda _request: answer(200, {"schema": INT}))
    with server.client(cache_capacity=2) as client:
        for schema_id in (1, 2, 1, 3, 1, 2):
            client.schema_by_id(schema_id)
    # 2 was used longest ago when 3 came.
    assert [path for _, path in server.asked] == [f"/schemas/ids/{n}" for n in (1, 2, 3, 2)]


def test_errors_are_not_kept_without_a_time_for_it() -> None:
    server = Scripted(error(404, 40403), answer(200, {"schema": INT}))
    with server.client(missing_ttl=0) as client:
        with pytest.raises(SchemaNotFound):
            client.schema_by_id(1)
        assert client.schema_by_id(1).text == INT


def test_deleting_forgets_what_was_registered() -> None:
    with registry() as client:
        first = client.register("s", INT)
        assert client.delete_subject("s") == [1]
        again = client.register("s", INT)
        assert (first.version, again.version) == (1, 2)
        assert client.delete_version("s", "latest") == 2
        assert client.register("s", INT).version == 3


@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [
        (401, 401, Unauthorized),
        (403, 40301, Unauthorized),
        (404, 404, NotFound),
        (404, 40401, SubjectNotFound),
        (404, 40402, VersionNotFound),
        (409, 409, Incompatible),
        (409, 40901, Incompatible),
        (422, 42201, Refused),
        (500, 50001, RegistryError),
        (409, 40902, RegistryError),
        (429, 429, RegistryBusy),
        (503, 50001, RegistryBusy),
        (500, 50003, RegistryBusy),
    ],
)
def test_an_error_answer_is_an_error_of_its_class(status: int, code: int, kind: type) -> None:
    server = Scripted(error(status, code, "what was wrong"))
    with server.client(retries=0) as client, pytest.raises(RegistryError) as caught:
        client.schema("s")
    assert type(caught.value) is kind
    assert (caught.value.status, caught.value.error_code) == (status, code)
    assert caught.value.url == "http://one/subjects/s/versions/latest"
    assert str(caught.value).startswith("what was wrong (error ")


def test_a_redirection_says_where_it_leads() -> None:
    moved = httpx2.Response(308, headers={"location": "https://one/subjects"})
    with Scripted(moved).client() as client, pytest.raises(RegistryError) as caught:
        client.subjects()
    assert caught.value.message == (
        "HTTP 308: it sends to 'https://one/subjects': give the registry's own URL"
    )


@pytest.mark.parametrize("is_given", [True, False])
def test_a_proxy_that_is_in_the_way_is_named(monkeypatch: pytest.MonkeyPatch, is_given: bool) -> None:
    proxy = "http://me:secret@127.0.0.1:1"
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:2" if is_given else proxy)
    monkeypatch.delenv("no_proxy", raising=False)
    with (
        RegistryClient("http://one", retries=0, proxy=proxy if is_given else None) as client,
        pytest.raises(RegistryUnreachable) as caught,
    ):
        client.subjects()
    assert caught.value.reason.endswith(", through the proxy http://127.0.0.1:1")
    assert "secret" not in str(caught.value)


def test_an_unknown_id_names_the_id() -> None:
    with Scripted(error(404, 40403)).client() as client, pytest.raises(SchemaNotFound) as caught:
        client.schema_by_id(7)
    assert caught.value.schema_id == 7


def test_a_404_that_is_not_the_registrys_is_no_missing_schema() -> None:
    server = Scripted(httpx2.Response(404, html="<h1>Not here</h1>"))
    with server.client() as client:
        for call in (lambda: client.schema_by_id(7), lambda: client.look_up("s", INT)):
            with pytest.raises(NotFound, match="HTTP 404: '<h1>Not here</h1>'") as caught:
                call()
            assert not isinstance(caught.value, SchemaNotFound)


SUBJECTS = ["a", "a/b", "a%b", "a%2Fb", "é", "日本", "a b?c#d", ".", "..", "a//b", "/a", "a/", "%", "x" * 300]


@pytest.mark.parametrize("subject", SUBJECTS)
def test_a_subject_of_any_letters_stays_itself(subject: str) -> None:
    with registry() as client:
        registered = client.register(subject, INT)
        assert registered.subject == subject
        assert client.subjects() == [subject]
        assert client.versions(subject) == [1]
        assert client.latest(subject) == registered == client.schema(subject, 1)
        assert client.look_up(subject, INT) == registered
        assert client.set_config("FULL", subject).compatibility == "FULL"
        assert client.config(subject).compatibility == "FULL"
        assert client.delete_subject(subject) == [1]


def test_the_calls_against_the_real_registry() -> None:
    with registry() as client:
        client.register("orders-value", INT)
        client.register("other", '"string"')
        assert client.schema_types() == ["AVRO"]
        assert client.subjects(prefix="ord") == ["orders-value"]
        assert client.check_compatibility("orders-value", '"long"') == Compatibility(True)
        verdict = client.check_compatibility("orders-value", '"string"', version=1)
        assert not verdict.is_compatible
        assert "reader type: STRING not compatible with writer type: INT" in verdict.messages[0]
        with pytest.raises(Incompatible, match="reader type: STRING not compatible with writer type: INT"):
            client.register("orders-value", '"string"')
        with pytest.raises(Refused, match="strin"):
            client.register("new", '"strin"')
        with pytest.raises(SchemaNotFound):
            client.look_up("orders-value", '"long"')
        with pytest.raises(NotFound) as caught:
            client.look_up("nowhere", INT)
        assert not isinstance(caught.value, SchemaNotFound)
        with pytest.raises(SchemaNotFound):
            client.schema_by_id(99)
        assert client.config().compatibility == "BACKWARD"
        assert client.config("other", default_to_global=True).compatibility == "BACKWARD"
        with pytest.raises(NotFound):
            client.config("other")
        client.set_config("NONE", "orders-value")
        assert client.register("orders-value", '"string"').version == 2
        assert client.delete_config("orders-value").compatibility == "NONE"
        with pytest.raises(Refused):
            client.set_config("SOMEWHAT")
        client.delete_subject("other")
        assert client.subjects() == ["orders-value"]
        assert client.subjects(deleted=True) == ["orders-value", "other"]
        assert client.delete_subject("other", permanent=True) == [1]


def test_referenced_texts_come_in_order_and_once() -> None:
    """A diamond: top needs left and right, and each of them needs base."""

    def record(name: str, *uses: str) -> str:
        fields = [{"name": use.lower(), "type": f"n.{use}"} for use in uses]
        return json.dumps({"type": "record", "name": f"n.{name}", "fields": fields})

    with registry() as client:
        client.register("base", record("Base"))
        base = Reference("n.Base", "base", 1)
        client.register("left", record("Left", "Base"), references=[base])
        client.register("right", record("Right", "Base"), references=[base])
        uses = [Reference("n.Left", "left", 1), Reference("n.Right", "right", 1)]
        top = client.register("top", record("Top", "Left", "Right"), references=uses)
        assert top.references == tuple(uses)
        texts = client.referenced_texts(top.references)
    assert [json.loads(text)["name"] for text in texts] == ["Base", "Left", "Right"]


def test_references_in_a_circle_end() -> None:
    found = {"id": 1, "version": 1, "schema": INT}
    circle = [{"name": "a.B", "subject": "b", "version": 1}]
    server = Scripted(answer(200, {**found, "subject": "b", "references": circle}))
    with server.client() as client:
        assert client.referenced_texts([REFERENCE]) == (INT,)


def test_threads_that_miss_the_same_schema_ask_once() -> None:
    all_here = threading.Barrier(8)
    let_go = threading.Event()

    def slow(_request: httpx2.Request) -> httpx2.Response:
        let_go.wait(10)
        return answer(200, {"schema": INT})

    server = Scripted(slow)
    with server.client() as client, ThreadPoolExecutor(8) as pool:

        def ask() -> Schema:
            all_here.wait(10)
            return client.schema_by_id(1)

        asking = [pool.submit(ask) for _ in range(8)]
        let_go.set()
        assert {future.result(10).id for future in asking} == {1}
    assert len(server.requests) == 1


def test_threads_that_wait_get_the_error_of_the_one_that_asked() -> None:
    asked, let_go = threading.Event(), threading.Event()

    def slow(_request: httpx2.Request) -> httpx2.Response:
        asked.set()
        let_go.wait(10)
        return error(404, 40403)

    with Scripted(slow).client() as client, ThreadPoolExecutor(2) as pool:
        first = pool.submit(client.schema_by_id, 1)
        asked.wait(10)
        second = pool.submit(client.schema_by_id, 1)
        let_go.set()
        assert isinstance(first.exception(10), SchemaNotFound)
        assert isinstance(second.exception(10), SchemaNotFound)


@pytest.mark.parametrize("url", ["", "localhost:8081", "ftp://x", "http://", "http://ok,"])
def test_a_url_that_is_none_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="URL"):
        RegistryClient(url)


def test_options_out_of_range_are_refused() -> None:
    with pytest.raises(ValueError, match="timeout is a number of seconds above 0, not 0"):
        RegistryClient("http://one", timeout=0)
    with pytest.raises(ValueError, match="retries is 0 or more, not -1"):
        RegistryClient("http://one", retries=-1)
    with pytest.raises(ValueError, match="the capacity of a cache is at least 1, not 0"):
        RegistryClient("http://one", cache_capacity=0)


def test_a_closed_client_says_so() -> None:
    client = Scripted(answer(200, [])).client()
    client.close()
    with pytest.raises(RuntimeError, match="the registry client is closed"):
        client.subjects()
