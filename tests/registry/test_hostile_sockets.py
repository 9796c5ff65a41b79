"""What only raw HTTP can do to a real server: broken lengths, chunks, headers and escapes, and any bytes.

An answer is a status below 500, or none where the server hangs up on what is no HTTP.
"""

import http.client
import re
import select
import socket
from collections.abc import Iterator
from contextlib import closing

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.registry.hostile import besieged_registry
from tests.support.server import RunningRegistry

SCHEMA = b'{"schema":"\\"int\\""}'
END = b"Host: x\r\nConnection: close\r\n"
POST = b"POST /subjects/s/versions HTTP/1.1\r\n" + END + b"Content-Type: application/json\r\n"
GET = b"GET %b HTTP/1.1\r\n" + END + b"%b\r\n"
CHUNKED = POST + b"Transfer-Encoding: chunked\r\n\r\n"
WHOLE = POST + b"Content-Length: %d\r\n\r\n" % len(SCHEMA) + SCHEMA


@pytest.fixture(scope="module")
def server() -> Iterator[RunningRegistry]:
    with besieged_registry(max_body_bytes=10_000) as running:
        yield running


def ask(server: RunningRegistry, request: bytes, *, hang_up: bool = False, seconds: float = 60) -> bytes:
    """All that comes back; what is there after some `seconds` of silence, if the server goes on waiting.

    hang_up: say that nothing more comes, for what is no whole request.
    """
    answer = b""
    with socket.create_connection(("127.0.0.1", server.port), timeout=seconds) as connection:
        try:
            connection.sendall(request)
            if hang_up:
                connection.shutdown(socket.SHUT_WR)
            while received := connection.recv(1 << 16):
                answer += received
        except OSError:
            pass  # it has hung up, or waits for more
    return answer


def status(answer: bytes) -> int | None:
    """Of the last answer; None where there is none."""
    found = re.findall(rb"HTTP/1\.[01] ([0-9]{3}) ", answer)
    return int(found[-1]) if found else None


PATHS = {
    b"/subjects/%": 405,
    b"/subjects/%zz/versions": 404,
    b"/subjects/%00/versions": 404,
    b"/subjects/%ff%fe/versions": 404,
    b"/subjects/\xff/versions": 400,
    b"/subjects/%2e%2e/%2e%2e/etc/passwd": 404,
    b"/../../etc/passwd": 404,
    b"/subjects//versions": 404,
    b"*": 404,
    b"": 400,
    b"/subjects\0": 400,
    b"/subjects/\r\nX: y": 400,
    b"/subjects?%": 200,
    b"/subjects?deleted=%ff&subjectPrefix=%00": 200,
    b"/subjects?" + b"a=1&" * 20_000: 414,
    b"/subjects?limit=" + b"9" * 20_000: 404,
    b"/" + b"a" * 1_000_000: 431,
    b"/subjects/" + b"%41" * 30_000 + b"/versions": 414,
    b"/subjects" + b"/" * 30_000: 404,
    b"/contexts/" + b"." * 10_000 + b"/subjects": 200,
    b"/contexts/.a/contexts/.b/contexts/.c/subjects": 404,
    b"/schemas/ids/99999999999999999999": 404,
    b"/schemas/ids/\xd9\xa1": 404,
}


@pytest.mark.parametrize("path", PATHS, ids=lambda path: repr(path[:40]))
def test_paths(server: RunningRegistry, path: bytes) -> None:
    assert status(ask(server, GET % (path, b""))) == PATHS[path]


HEADERS = {
    b"X: " + b"a" * 1_000_000: 431,
    b"X: y\r\n" * 5000: 431,
    b"X: \0": 400,
    b"X: a\r\n b": 400,
    b"Accept: " + b"a/b;q=0.1," * 15_000 + b"*/*": 200,
    b"Accept: application/json;q=nan, */*;q=1e999, ;;;=,,\xff": 200,
    b"Accept: application/json;q=-inf": 406,
    b"Accept-Encoding: " + b"a;q=0.1," * 15_000 + b"gzip": 200,
    b"Accept-Encoding: gzip;q=\xff": 200,
    b'If-None-Match: "' + b'a",W/"' * 10_000: 200,
    b"Cookie: \xff=;;" + b"a=b;" * 10_000: 200,
    b"Authorization: Basic \xff": 200,
    b"Range: bytes=0-0,-1,99999999999-": 200,
    b"X-Request-ID: \xff" + b"z" * 5000: 200,
    b"Host: a": 200,
    b"Content-Length: 5\r\n\r\nhello": 200,
    b"X-HTTP-Method-Override: DELETE": 200,
}


@pytest.mark.parametrize("header", HEADERS, ids=lambda header: repr(header[:40]))
def test_headers(server: RunningRegistry, header: bytes) -> None:
    assert status(ask(server, GET % (b"/subjects", header + b"\r\n"))) == HEADERS[header]


def chunk(size: bytes, data: bytes) -> bytes:
    return size + b"\r\n" + data + b"\r\n"


LENGTH = b"%x" % len(SCHEMA)
BODIES = {
    "a whole one": (WHOLE, 200),
    "in one chunk": (CHUNKED + chunk(LENGTH, SCHEMA) + chunk(b"0", b""), 200),
    "in chunks of a byte": (
        CHUNKED + b"".join(chunk(b"1", b"%c" % byte) for byte in SCHEMA) + chunk(b"0", b""),
        200,
    ),
    "after being asked to go on": (WHOLE.replace(b"Host", b"Expect: 100-continue\r\nHost"), 200),
    "shorter than it is": (POST + b"Content-Length: 5\r\n\r\n" + SCHEMA, 400),
    "of a length below nothing": (POST + b"Content-Length: -5\r\n\r\n" + SCHEMA, 400),
    "of a length in words": (POST + b"Content-Length: five\r\n\r\n" + SCHEMA, 400),
    "of a length of 23 digits": (POST + b"Content-Length: 99999999999999999999999\r\n\r\n" + SCHEMA, 400),
    "of two lengths": (POST + b"Content-Length: 20\r\nContent-Length: 21\r\n\r\n" + SCHEMA, 400),
    "longer than the setting": (POST + b"Content-Length: 10100\r\n\r\n" + b" " * 10100, 413),
    "longer than the setting, in a chunk": (CHUNKED + chunk(b"2774", b" " * 10100) + chunk(b"0", b""), 413),
    "chunks of a size that is none": (CHUNKED + chunk(b"zz", SCHEMA) + chunk(b"0", b""), 422),
    "a chunk with 50,000 bytes of extension": (CHUNKED + chunk(b"1;a=" + b"b" * 50_000, b"x"), 422),
    "a coding that there is not": (POST + b"Transfer-Encoding: gzip\r\n\r\n" + SCHEMA, 400),
    "a type of 120,000 bytes": (WHOLE.replace(b"json", b"json;" + b"a=b;" * 30_000), 200),
    "a type of open quotes": (WHOLE.replace(b"json", b'json; a="' + b'\\"' * 20_000), 200),
}


@pytest.mark.parametrize("name", BODIES)
def test_bodies(server: RunningRegistry, name: str) -> None:
    request, expected = BODIES[name]
    assert status(ask(server, request)) == expected


UNREAD = {
    "of a type that is not read": ("POST", "/subjects/s/versions", "text/plain", 415),
    "for no route": ("POST", "/nope", "application/json", 404),
    "for a route that has no such method": ("PUT", "/subjects", "application/json", 405),
    "for a version that is none": ("POST", "/compatibility/subjects/s/versions/x", "application/json", 422),
    "to be deleted with": ("DELETE", "/subjects/none", "application/json", 404),
    "to be listed with": ("GET", "/subjects", "application/json", 200),
    "to get a schema with": ("GET", "/schemas/ids/1", "application/json", 200),
}


@pytest.mark.parametrize("name", UNREAD)
def test_a_body_that_nobody_wants_does_not_end_the_connection(server: RunningRegistry, name: str) -> None:
    method, path, content_type, expected = UNREAD[name]
    ask(server, WHOLE)
    with closing(http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)) as connection:
        connection.connect()
        connection.auto_open = 0  # nor open another instead
        connection.putrequest(method, path)
        connection.putheader("Content-Type", content_type)
        connection.putheader("Content-Length", "9000")
        connection.endheaders()
        answered, _, _ = select.select([connection.sock], [], [], 0.1)
        assert not answered  # which it would have to hang up after
        connection.send(b" " * 9000)
        with connection.getresponse() as response:
            response.read()
            assert response.status == expected
        connection.request("GET", "/subjects")
        with connection.getresponse() as response:
            assert response.read() == b'["s"]'


CUT = {
    "20 MB": POST + b"Content-Length: 20971520\r\n\r\n" + b" " * 20971520,  # it hangs up in the midst of them
    "20 MB in chunks": CHUNKED + chunk(b"100000", b" " * 0x100000) * 20 + chunk(b"0", b""),
    "a body shorter than it says": POST + b"Content-Length: 500\r\n\r\n" + SCHEMA,
    "a terabyte promised": POST + b"Content-Length: 1099511627776\r\n\r\n" + SCHEMA,
    "half a header": POST[:50],
    "nothing": b"",
    "empty lines": b"\r\n" * 50_000,
    "zeros": b"\0" * 100_000,
    "every byte": bytes(range(256)) * 100,
    "TLS": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(range(256)),
    "HTTP/0.9": b"GET /subjects\r\n",
    "HTTP/9.9": b"GET /subjects HTTP/9.9\r\nHost: x\r\n\r\n",
    "HTTP/2 that goes wrong": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\0" * 100,
    "300 requests at once": b"GET / HTTP/1.1\r\nHost: x\r\n\r\n" * 300,
}


@pytest.mark.parametrize("name", CUT)
def test_clients_that_leave(server: RunningRegistry, name: str) -> None:
    answered = status(ask(server, CUT[name], hang_up=True))
    assert answered is None or answered < 500


def test_a_body_that_ends_early_is_not_taken(server: RunningRegistry) -> None:
    """It might be a whole schema by chance."""
    request = CUT["a body shorter than it says"].replace(b"/subjects/s/", b"/subjects/cut/")
    assert status(ask(server, request, hang_up=True)) in {None, 400}
    assert status(ask(server, GET % (b"/subjects/cut/versions", b""))) == 404


mutations = st.lists(
    st.tuples(
        st.sampled_from(["flip", "insert", "delete", "repeat"]),
        st.integers(0, 400),
        st.binary(min_size=1, max_size=6),
    ),
    min_size=1,
    max_size=4,
)


def mutated(request: bytes, changes: list[tuple[str, int, bytes]]) -> bytes:
    for how, place, data in changes:
        place %= len(request) + 1
        before, after = request[:place], request[place:]
        if how == "flip":
            request = before + data + after[len(data) :]
        elif how == "insert":
            request = before + data + after
        elif how == "delete":
            request = before + after[data[0] :]
        else:
            request = before + after[:20] * data[0] + after
    return request


WHOLE_ONES = (WHOLE, BODIES["in one chunk"][0], GET % (b"/subjects/s/versions/1", b""))


def test_requests_with_some_bytes_changed(server: RunningRegistry) -> None:
    answers = []

    @settings(max_examples=300)
    @given(changes=mutations, base=st.sampled_from(WHOLE_ONES))
    def each(changes: list[tuple[str, int, bytes]], base: bytes) -> None:
        answered = status(ask(server, mutated(base, changes), seconds=0.2))
        assert answered is None or answered < 500
        answers.append(answered)

    each()
    assert {200, 400} <= set(answers)
