"""Registries that misbehave on a real socket: bounded attempts, the right error, and recovery."""

import asyncio
import email.utils
import socket
import time
from typing import Any

import httpx2
import pytest

from serde import RegistryBusy, RegistryClient, RegistryError, RegistryUnreachable, SubjectNotFound
from serde.exchange import retry_after
from tests.serde.faces import Client, of, on_both, opened, run
from tests.serde.servers import Behaving, sent, silent
from tests.support.server import running_registry

GOOD = sent(200, ["a"])
PAGE = sent(200, "<html>starting</html>", kind="text/html")
CUT = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n[1,"
QUICK: dict[str, Any] = {"timeout": 0.3, "retries": 0}


def dribbling(connection: socket.socket) -> None:
    """An answer that goes on for as long as somebody listens, never silent for long."""
    connection.sendall(
        b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
    )
    for _ in range(1000):
        connection.sendall(b"1\r\n[\r\n")
        time.sleep(0.01)


@on_both
@pytest.mark.parametrize(
    "first",
    [
        sent(429, {"error_code": 429, "message": "slowly"}, "Retry-After: 0"),
        sent(502, "<html>Bad Gateway</html>", kind="text/html"),
        sent(503, {"error_code": 50001, "message": "store away"}),
        sent(504, ""),
        sent(500, {"error_code": 50004, "message": "no leader"}),
        b"",
        CUT,
    ],
    ids=["429", "502", "503", "504", "no leader", "closed", "cut"],
)
def test_what_passes_is_asked_again(kind: type[Client], first: bytes) -> None:
    server = Behaving(first, first, GOOD)

    async def scenario() -> None:
        with server.listening() as url:
            async with opened(kind, url) as client:
                assert await of(client.subjects()) == ["a"]

    run(scenario())
    assert server.asked == ["GET /subjects"] * 3


@on_both
@pytest.mark.parametrize(
    ("answer", "error", "attempts"),
    [
        (sent(503, {"error_code": 50001, "message": "store away"}), RegistryBusy, 3),
        (sent(429, {"error_code": 429, "message": "slowly"}), RegistryBusy, 3),
        (sent(500, {"error_code": 50001, "message": "broken"}), RegistryError, 1),
        (sent(500, "<html>oops</html>", kind="text/html"), RegistryError, 1),
        (PAGE, RegistryUnreachable, 1),
        (sent(200, "", kind="application/json"), RegistryUnreachable, 1),
        (b"", RegistryUnreachable, 3),
        (CUT, RegistryUnreachable, 3),
        (silent, RegistryUnreachable, 3),
    ],
    ids=["503", "429", "500", "500 page", "page", "empty", "closed", "cut", "silent"],
)
def test_what_lasts_is_asked_so_often_and_no_more(
    kind: type[Client], answer: Any, error: type[RegistryError | RegistryUnreachable], attempts: int
) -> None:
    server = Behaving(answer)

    async def scenario() -> None:
        with server.listening() as url:
            async with opened(kind, url, timeout=0.3, retries=2) as client:
                with pytest.raises(error) as caught:
                    await of(client.register("s", '"int"'))
                assert type(caught.value) is error
                assert caught.value.is_transient
                assert url in str(caught.value)

    run(scenario())
    assert len(server.requests) == attempts


@on_both
def test_a_registry_that_comes_back_is_used_again(kind: type[Client]) -> None:
    server = Behaving(CUT, b"", PAGE, sent(500, ""), GOOD)

    async def scenario() -> None:
        with server.listening() as url:
            async with opened(kind, url, **QUICK) as client:
                for _ in range(4):
                    with pytest.raises((RegistryError, RegistryUnreachable)):
                        await of(client.subjects())
                assert await of(client.subjects()) == ["a"]

    run(scenario())


@on_both
def test_a_real_registry_that_is_killed_and_comes_back(kind: type[Client]) -> None:
    async def scenario() -> None:
        with running_registry("sqlite:///schemas.db") as server:
            async with opened(kind, server.url, retries=0) as client:
                await of(client.register("s", '"int"'))
                await of(client.latest("s"))
                for _ in range(2):
                    server.kill()
                    with pytest.raises(RegistryUnreachable):
                        await of(client.subjects())
                    assert (await of(client.latest("s"))).version == 1
                    server.restart()
                    assert await of(client.subjects()) == ["s"]

    run(scenario())


@on_both
def test_a_url_that_says_no_is_a_good_one(kind: type[Client]) -> None:
    first, second = Behaving(b""), Behaving(sent(404, {"error_code": 40401, "message": "no"}))

    async def scenario() -> None:
        with first.listening() as one, second.listening() as two:
            async with opened(kind, [one, two], **QUICK) as client:
                for _ in range(3):
                    with pytest.raises(SubjectNotFound):
                        await of(client.versions("s"))

    run(scenario())
    assert (len(first.requests), len(second.requests)) == (1, 3)


@on_both
def test_the_deadline_ends_the_attempts(kind: type[Client]) -> None:
    server = Behaving(silent)

    async def scenario() -> None:
        with server.listening() as url:
            async with opened(kind, url, timeout=0.2, deadline=0.5, retries=1000) as client:
                with pytest.raises(RegistryUnreachable):
                    await of(client.subjects())

    run(scenario())
    assert len(server.requests) <= 5


@on_both
def test_an_answer_without_an_end_is_left_at_the_deadline(kind: type[Client]) -> None:
    server = Behaving(dribbling)

    async def scenario() -> None:
        with server.listening() as url:
            async with opened(kind, url, timeout=5, deadline=0.3, retries=1000) as client:
                with pytest.raises(RegistryUnreachable, match="no answer within"):
                    await of(client.subjects())

    run(scenario())
    assert len(server.requests) == 1


@on_both
def test_a_registry_that_wants_to_be_left_alone_for_long_is(kind: type[Client]) -> None:
    server = Behaving(sent(429, {"error_code": 429, "message": "slowly"}, "Retry-After: 11"))

    async def scenario() -> None:
        with server.listening() as url:
            async with opened(kind, url, retries=5, deadline=60) as client:
                with pytest.raises(RegistryBusy) as caught:
                    await of(client.subjects())
                assert caught.value.retry_after == 11

    run(scenario())
    assert len(server.requests) == 1


@on_both
def test_it_is_asked_no_sooner_than_it_wants(kind: type[Client]) -> None:
    times = []

    def note(body: bytes) -> Any:
        def give(connection: socket.socket) -> None:
            times.append(time.monotonic())
            connection.sendall(body)

        return give

    server = Behaving(note(sent(503, "", "Retry-After: 1")), note(GOOD))

    async def scenario() -> None:
        with server.listening() as url:
            async with opened(kind, url) as client:
                assert await of(client.subjects()) == ["a"]

    run(scenario())
    assert times[1] - times[0] >= 1


def test_when_to_ask_again_as_the_header_may_say_it() -> None:
    assert retry_after(None) is None
    assert retry_after("7") == 7
    assert retry_after("soon") is None
    assert retry_after("-1") is None
    assert retry_after("9" * 400) is None
    assert retry_after("Thu, 01 Jan 1970 00:00:00 GMT") == 0
    later = retry_after(email.utils.formatdate(time.time() + 1000, usegmt=True))
    assert later is not None
    assert 900 < later <= 1000


@on_both
@pytest.mark.parametrize("bad", [b"", CUT, PAGE, sent(500, ""), sent(503, ""), silent])
def test_the_next_url_answers_where_one_does_not(kind: type[Client], bad: Any) -> None:
    first, second = Behaving(bad), Behaving(GOOD)

    async def scenario() -> None:
        with first.listening() as one, second.listening() as two:
            async with opened(kind, f"{one},{two}", **QUICK) as client:
                for _ in range(3):
                    assert await of(client.subjects()) == ["a"]

    run(scenario())
    assert (len(first.requests), len(second.requests)) == (1, 3)


@on_both
def test_it_goes_back_when_the_second_fails(kind: type[Client]) -> None:
    first, second = Behaving(b"", GOOD), Behaving(GOOD, b"")

    async def scenario() -> None:
        with first.listening() as one, second.listening() as two:
            async with opened(kind, [one, two], **QUICK) as client:
                assert await of(client.subjects()) == ["a"]
                assert await of(client.subjects()) == ["a"]

    run(scenario())
    assert (len(first.requests), len(second.requests)) == (2, 2)


@on_both
def test_what_a_registry_said_is_told_rather_than_that_another_is_dead(kind: type[Client]) -> None:
    told = sent(503, {"error_code": 50001, "message": "the store is away"})
    with socket.create_server(("127.0.0.1", 0)) as free:
        dead = f"http://127.0.0.1:{free.getsockname()[1]}"

    async def scenario() -> None:
        with Behaving(told).listening() as url:
            async with opened(kind, [url, dead], **QUICK) as client:
                with pytest.raises(RegistryBusy, match="the store is away"):
                    await of(client.subjects())

    run(scenario())


@on_both
def test_a_delete_that_was_sent_is_not_repeated(kind: type[Client]) -> None:
    for bad in (b"", CUT, PAGE, sent(503, ""), sent(500, "")):
        server, other = Behaving(bad), Behaving(sent(200, [1]))

        async def scenario(server: Behaving = server, other: Behaving = other) -> None:
            with server.listening() as one, other.listening() as two:
                async with opened(kind, [one, two], timeout=5) as client:
                    with pytest.raises((RegistryError, RegistryUnreachable)):
                        await of(client.delete_subject("s"))

        run(scenario())
        assert (len(server.requests), len(other.requests)) == (1, 0)


def test_a_call_is_not_paused_once_it_is_closed() -> None:
    server = Behaving(sent(503, "", "Retry-After: 9"))

    async def scenario() -> None:
        with server.listening() as url:
            client = RegistryClient(url, deadline=60)
            call = asyncio.create_task(asyncio.to_thread(client.subjects))
            while not server.requests:
                await asyncio.sleep(0.01)
            await asyncio.sleep(0.1)
            client.close()
            with pytest.raises(RuntimeError, match="the registry client is closed"):
                await asyncio.wait_for(call, 30)

    run(scenario())
    assert len(server.requests) == 1


@on_both
def test_options_out_of_range_are_refused(kind: type[Client]) -> None:
    for option in ({"timeout": 0}, {"deadline": 0}, {"retries": -1}, {"latest_ttl": -1}, {"missing_ttl": -1}):
        with pytest.raises(ValueError, match=f"{next(iter(option))} is "):
            kind("http://one", **option)
    with pytest.raises(ValueError, match="a proxy's URL starts with"):
        kind("http://one", proxy="socks5://me:s3cret@one")


def test_the_timeouts_are_finite_by_default() -> None:
    seen: list[Any] = []

    def keep(request: httpx2.Request) -> httpx2.Response:
        seen.append(request.extensions["timeout"])
        return httpx2.Response(200, json=[])

    with RegistryClient("http://one", transport=httpx2.MockTransport(keep)) as client:
        client.subjects()
    assert seen == [{"connect": 5.0, "read": 5.0, "write": 5.0, "pool": 5.0}]
