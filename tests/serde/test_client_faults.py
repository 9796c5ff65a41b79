"""A registry that is dead, slow, busy, or none: the right error, in bounded time, and no secrets in it."""

import socket
from collections.abc import Callable
from typing import Any

import httpx2
import pytest

from serde import RegistryClient, RegistryError, RegistryUnreachable, SerdeError
from tests.serde.servers import Scripted, answer, error, listening

# Short, so that the tests are; nothing is said about how long a call takes.
QUICK: dict[str, Any] = {"timeout": 0.2, "retries": 0}


def dead_url() -> str:
    """The URL of a port where nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return f"http://127.0.0.1:{listener.getsockname()[1]}"


def test_a_dead_port() -> None:
    url = dead_url()
    with RegistryClient(url, **QUICK) as client, pytest.raises(RegistryUnreachable) as caught:
        client.subjects()
    assert caught.value.urls == (url,)
    assert str(caught.value).startswith(f"no schema registry at {url}: ")
    assert isinstance(caught.value.__cause__, httpx2.ConnectError)


def test_a_server_that_never_answers_is_left_after_the_timeout() -> None:
    def read_only(connection: socket.socket) -> None:
        while connection.recv(1000):
            pass

    with (
        listening(read_only) as url,
        RegistryClient(url, **QUICK) as client,
        pytest.raises(RegistryUnreachable, match=r"no answer within 0\.2 s") as caught,
    ):
        client.subjects()
    assert isinstance(caught.value.__cause__, httpx2.ReadTimeout)


@pytest.mark.parametrize(
    "sent",
    [
        b"",
        b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n[",
        b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n",
        b"\x16\x03\x01 not HTTP\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 3\r\n\r\nabc",
    ],
)
def test_an_answer_that_breaks_off(sent: bytes) -> None:
    def serve(connection: socket.socket) -> None:
        connection.recv(1000)
        connection.sendall(sent)

    with (
        listening(serve) as url,
        RegistryClient(url, **QUICK) as client,
        pytest.raises(RegistryUnreachable),
    ):
        client.subjects()


def calls(client: RegistryClient) -> list[Callable[[], Any]]:
    return [
        client.subjects,
        client.schema_types,
        client.config,
        lambda: client.register("s", '"int"'),
        lambda: client.look_up("s", '"int"'),
        lambda: client.schema("s"),
        lambda: client.versions("s"),
        lambda: client.schema_by_id(1),
        lambda: client.check_compatibility("s", '"int"'),
        lambda: client.set_config("FULL"),
        lambda: client.delete_config("s"),
        lambda: client.delete_subject("s"),
        lambda: client.delete_version("s", 1),
    ]


@pytest.mark.parametrize(
    "body", [b"", b"{", b"<html>hello</html>", b'{"id":', b"5.5", b'"text"', b"[{}]", b"[null]", b"true"]
)
def test_an_answer_that_is_no_registrys(body: bytes) -> None:
    with Scripted(httpx2.Response(200, content=body)).client() as client:
        for call in calls(client):
            with pytest.raises(RegistryUnreachable, match="the answer is not a schema registry's"):
                call()


@pytest.mark.parametrize(
    "body",
    [
        {"id": "1", "version": 1, "schema": "x"},
        {"id": 1, "version": True, "schema": "x", "subject": "s"},
        {"id": 1, "version": 1, "schema": None, "subject": "s"},
        {"id": 1, "version": 1, "schema": "x", "subject": "s", "references": [{"name": "n"}]},
        {"id": 1, "version": 1, "schema": "x", "subject": "s", "references": {}},
        {"compatibilityLevel": 5, "is_compatible": "yes", "schema": {}},
    ],
)
def test_members_of_another_type(body: Any) -> None:
    with Scripted(answer(200, body)).client() as client:
        with pytest.raises(RegistryUnreachable, match="the answer is not a schema registry's"):
            client.schema("s")
        with pytest.raises(RegistryUnreachable, match="the answer is not a schema registry's"):
            client.register("s", '"int"')


def test_an_html_error_is_shown() -> None:
    page = httpx2.Response(500, html="<html>\n  <b>Internal</b> error " + "x" * 200)
    with Scripted(page).client() as client, pytest.raises(RegistryError) as caught:
        client.subjects()
    assert (caught.value.status, caught.value.error_code) == (500, 500)
    assert "HTTP 500: '<html> <b>Internal</b> error xxx" in str(caught.value)
    assert len(str(caught.value)) < 200


def test_a_redirect_is_not_followed_but_shown() -> None:
    server = Scripted(httpx2.Response(302, headers={"Location": "http://other/login"}))
    with server.client() as client, pytest.raises(RegistryError, match="HTTP 302"):
        client.subjects()


@pytest.mark.parametrize("status", [429, 502, 503, 504])
def test_a_busy_registry_is_asked_again(status: int) -> None:
    server = Scripted(error(status, status), error(status, status), answer(200, ["a"]))
    with server.client() as client:
        assert client.subjects() == ["a"]
    assert len(server.requests) == 3


def test_the_retries_are_bounded() -> None:
    server = Scripted(error(503, 50301, "starting"))
    with server.client(retries=1) as client, pytest.raises(RegistryError, match="starting") as caught:
        client.subjects()
    assert caught.value.status == 503
    assert len(server.requests) == 2


@pytest.mark.parametrize("status", [400, 401, 404, 409, 422, 500, 501])
def test_an_answer_that_would_not_change_is_not_asked_for_again(status: int) -> None:
    server = Scripted(error(status, status))
    with server.client() as client, pytest.raises(RegistryError):
        client.subjects()
    assert len(server.requests) == 1


def test_a_lost_connection_is_tried_again() -> None:
    server = Scripted(httpx2.ReadError("reset"), httpx2.ConnectTimeout("slow"), answer(200, ["a"]))
    with server.client() as client:
        assert client.subjects() == ["a"]


def test_a_delete_is_repeated_only_if_it_was_never_sent() -> None:
    server = Scripted(httpx2.ConnectError("refused"), answer(200, [1]))
    with server.client() as client:
        assert client.delete_subject("s") == [1]
    for fault in (httpx2.ReadTimeout("slow"), error(503, 503)):
        server = Scripted(fault, answer(200, [1]))
        with server.client() as client, pytest.raises(SerdeError):
            client.delete_subject("s")
        assert len(server.requests) == 1


def by_host(**answers: httpx2.Response | Exception) -> Scripted:
    def give(request: httpx2.Request) -> httpx2.Response:
        found = answers[request.url.host]
        if isinstance(found, Exception):
            raise found
        return httpx2.Response(found.status_code, content=found.content)

    return Scripted(give)


@pytest.mark.parametrize("first", [httpx2.ConnectError("refused"), error(503, 503)])
def test_the_url_that_answered_is_asked_first_from_then_on(first: Any) -> None:
    server = by_host(one=first, two=answer(200, ["a"]))
    with server.client("http://one, http://two/") as client:
        assert client.urls == ("http://one", "http://two")
        assert client.subjects() == client.subjects() == ["a"]
    assert [request.url.host for request in server.requests] == ["one", "two", "two"]


def test_all_urls_are_named_where_none_answers() -> None:
    server = by_host(one=httpx2.ConnectError("refused"), two=httpx2.ConnectError("refused"))
    client = RegistryClient(["http://one", "http://two"], retries=1, transport=httpx2.MockTransport(server))
    with client, pytest.raises(RegistryUnreachable, match="no schema registry at http://one, http://two"):
        client.subjects()
    assert len(server.requests) == 4


def test_passwords_are_sent_and_never_shown() -> None:
    server = Scripted(httpx2.ConnectError("refused"))
    with (
        server.client("http://me:s3cret@one:81/base", retries=0) as client,
        pytest.raises(RegistryUnreachable) as caught,
    ):
        client.subjects()
    assert client.urls == ("http://one:81/base",)
    assert "s3cret" not in str(caught.value)
    request = server.requests[0]
    assert request.headers["Authorization"] == "Basic bWU6czNjcmV0"
    assert str(request.url) == "http://one:81/base/subjects"


def test_headers_and_auth_are_sent() -> None:
    server = Scripted(answer(200, []))
    with server.client(headers={"X-Team": "data"}, auth=("me", "s3cret")) as client:
        client.subjects()
    assert server.requests[0].headers["X-Team"] == "data"
    assert server.requests[0].headers["Authorization"] == "Basic bWU6czNjcmV0"
