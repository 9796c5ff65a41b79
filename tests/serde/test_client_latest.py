"""The newest version: kept, renewed in the background, waited for once, and never old unless it must be."""

import asyncio
import json
import logging
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx2
import pytest

from serde import AsyncRegistryClient, NotFound, RegistryClient, RegistryUnreachable, SubjectNotFound
from tests.serde.faces import Client, of, on_both, opened, run, until
from tests.serde.servers import Answer, answer, error
from tests.support.server import running_registry

INT, LONG = '"int"', '"long"'


class Registry:
    """A registry with one subject, whose newest version the test sets; it may be away, or slow."""

    def __init__(self) -> None:
        self.version = 1
        self.asked = 0
        self.is_away = False
        self.gate = threading.Event()
        self.gate.set()

    def __call__(self, request: httpx2.Request) -> httpx2.Response:
        version = self.version
        self.asked += 1
        if request.method == "GET":
            self.gate.wait(20)
        if self.is_away:
            raise httpx2.ConnectError("refused")
        if version == 0:
            return error(404, 40401)
        found = {"subject": "s", "version": version, "id": version, "schema": INT}
        return answer(200, found)

    @property
    def transport(self) -> Any:
        return httpx2.MockTransport(self)

    @property
    def slow_transport(self) -> Any:
        """For both clients: the one on asyncio waits on another thread."""
        return _Threaded(self)


class _Threaded(httpx2.BaseTransport, httpx2.AsyncBaseTransport):
    def __init__(self, serve: Answer) -> None:
        self._serve = serve

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        return self._serve(request)

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        return await asyncio.to_thread(self._serve, request)


async def ask_until_it_fails(client: Client) -> None:
    async with asyncio.timeout(20):
        while True:
            await of(client.latest("s"))
            await asyncio.sleep(0.01)


@on_both
def test_it_is_asked_for_once_within_its_time(kind: type[Client]) -> None:
    registry = Registry()

    async def scenario() -> None:
        async with opened(kind, "http://one", transport=registry.transport) as client:
            for _ in range(5):
                assert (await of(client.latest("s"))).version == 1
                assert (await of(client.latest_with_metadata("s", {"a": "b", "c": "d"}))).version == 1
                assert (await of(client.latest_with_metadata("s", {"c": "d", "a": "b"}))).version == 1

    run(scenario())
    assert registry.asked == 2


@on_both
def test_with_no_time_it_is_asked_for_each_time(kind: type[Client]) -> None:
    registry = Registry()

    async def scenario() -> None:
        async with opened(kind, "http://one", transport=registry.transport, latest_ttl=0) as client:
            for registry.version in (1, 2, 3):
                assert (await of(client.latest("s"))).version == registry.version

    run(scenario())
    assert registry.asked == 3


@on_both
def test_another_clients_version_is_seen_without_waiting(kind: type[Client]) -> None:
    """Against a real server: the refresh finds what another registered."""

    async def scenario() -> None:
        with running_registry("memory:") as server:
            async with (
                opened(kind, server.url, latest_ttl=0.2) as client,
                opened(kind, server.url) as other,
            ):
                await of(other.register("s", INT))
                assert (await of(client.latest("s"))).version == 1
                await of(other.register("s", LONG))
                found = 1
                async with asyncio.timeout(20):
                    while found == 1:
                        found = (await of(client.latest("s"))).version
                        await asyncio.sleep(0.01)
                assert found == 2

    run(scenario())


@on_both
def test_no_caller_waits_for_a_refresh(kind: type[Client]) -> None:
    registry = Registry()

    async def scenario() -> None:
        transport = registry.slow_transport
        async with opened(kind, "http://one", transport=transport, latest_ttl=0.1) as client:
            assert (await of(client.latest("s"))).version == 1
            registry.gate.clear()
            registry.version = 2
            await until(lambda: registry.asked > 1)
            # A refresh is under way, and held up: these would hang if they waited for it.
            for _ in range(10):
                assert (await of(client.latest("s"))).version == 1
            assert registry.asked == 2
            registry.gate.set()
            async with asyncio.timeout(20):
                while (await of(client.latest("s"))).version == 1:
                    await asyncio.sleep(0.01)

    run(scenario())


@on_both
def test_while_the_registry_is_away_the_last_known_is_given_and_the_log_says_so_once(
    kind: type[Client], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "serde.client")
    registry = Registry()

    async def scenario() -> None:
        options: dict[str, Any] = {"latest_ttl": 0.05, "retries": 0, "deadline": 1}
        async with opened(kind, "http://one", transport=registry.transport, **options) as client:
            assert (await of(client.latest("s"))).version == 1
            registry.is_away = True
            # Longer than its time and one refresh.
            end = time.monotonic() + 1.5
            while time.monotonic() < end:
                assert (await of(client.latest("s"))).version == 1
                await asyncio.sleep(0.01)
            assert [record.levelname for record in caplog.records] == ["WARNING"]
            assert "the registry is back: no schema registry at http://one" in caplog.text
            with pytest.raises(RegistryUnreachable):
                await of(client.latest("never asked for"))

            registry.is_away, registry.version = False, 2
            async with asyncio.timeout(20):
                while (await of(client.latest("s"))).version == 1:
                    await asyncio.sleep(0.01)
            assert [record.levelname for record in caplog.records] == ["WARNING", "INFO"]

    run(scenario())


@on_both
def test_one_subject_that_is_refused_does_not_fill_the_log(
    kind: type[Client], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "serde.client")
    asked: Counter[str] = Counter()

    def serve(request: httpx2.Request) -> httpx2.Response:
        subject = request.url.path.split("/")[2]
        asked[subject] += 1
        if subject == "bad" and asked[subject] > 1:
            return error(403, 40301)
        return answer(200, {"subject": subject, "version": asked[subject], "id": 1, "schema": INT})

    async def scenario() -> None:
        transport = httpx2.MockTransport(serve)
        async with opened(kind, "http://one", transport=transport, latest_ttl=0.05) as client:
            async with asyncio.timeout(20):
                while asked["bad"] < 6 or asked["good"] < 6:
                    assert (await of(client.latest("bad"))).version == 1
                    await of(client.latest("good"))
                    await asyncio.sleep(0.01)
            assert [record.levelname for record in caplog.records] == ["WARNING"]

    run(scenario())


@on_both
def test_what_nobody_wanted_for_long_is_asked_for_again(kind: type[Client]) -> None:
    registry = Registry()

    async def scenario() -> None:
        options: dict[str, Any] = {"latest_ttl": 0.05}
        async with opened(kind, "http://one", transport=registry.transport, **options) as client:
            assert (await of(client.latest("s"))).version == 1
            # Nobody wants it for ten times its time: nobody renews it any more.
            before = -1
            async with asyncio.timeout(20):
                while before != registry.asked:
                    before = registry.asked
                    await asyncio.sleep(0.5)
            registry.version = 2
            assert (await of(client.latest("s"))).version == 2

    run(scenario())


@on_both
def test_a_subject_that_was_deleted_is_not_given_any_more(kind: type[Client]) -> None:
    registry = Registry()

    async def scenario() -> None:
        async with opened(kind, "http://one", transport=registry.transport, latest_ttl=0.05) as client:
            assert (await of(client.latest("s"))).version == 1
            registry.version = 0
            await until(lambda: registry.asked > 1)
            with pytest.raises(SubjectNotFound):
                await ask_until_it_fails(client)

    run(scenario())


@on_both
def test_what_this_client_does_is_known_at_once(kind: type[Client]) -> None:
    async def scenario() -> None:
        with running_registry("memory:") as server:
            async with opened(kind, server.url) as client:
                with pytest.raises(NotFound):
                    await of(client.latest("s"))
                await of(client.register("s", INT))
                assert (await of(client.latest("s"))).version == 1
                await of(client.register("s", LONG))
                assert (await of(client.latest("s"))).version == 2
                # An older version, found again, is not the newest.
                await of(client.register("s", INT, normalize=True))
                assert (await of(client.latest("s"))).version == 2
                await of(client.delete_version("s", 2))
                assert (await of(client.latest("s"))).version == 1

    run(scenario())


@on_both
def test_what_was_on_its_way_when_a_version_was_registered_is_not_kept(kind: type[Client]) -> None:
    registry = Registry()

    async def scenario() -> None:
        async with opened(kind, "http://one", transport=registry.slow_transport) as client:
            registry.gate.clear()
            if asyncio.iscoroutinefunction(client.latest):
                asking = asyncio.create_task(client.latest("s"))
            else:
                asking = asyncio.create_task(asyncio.to_thread(client.latest, "s"))
            await until(lambda: registry.asked == 1)
            registry.version = 2
            assert (await of(client.register("s", LONG))).version == 2
            registry.gate.set()
            assert (await asking).version == 1
            assert (await of(client.latest("s"))).version == 2

    run(scenario())


@on_both
def test_a_refresh_on_its_way_when_a_version_was_registered_is_not_kept(kind: type[Client]) -> None:
    registry = Registry()

    async def scenario() -> None:
        transport = registry.slow_transport
        async with opened(kind, "http://one", transport=transport, latest_ttl=1) as client:
            await of(client.latest("s"))
            registry.gate.clear()
            await until(lambda: registry.asked == 2)  # it will say version 1
            registry.version = 2
            assert (await of(client.register("s", LONG))).version == 2
            registry.gate.set()
            seen = []
            while registry.asked < 4:  # until the next refresh, which says version 2
                seen.append((await of(client.latest("s"))).version)
                await asyncio.sleep(0.01)
            assert set(seen) == {2}

    run(scenario())


def test_an_event_loop_that_stood_still_trusts_no_old_version() -> None:
    registry = Registry()

    async def scenario() -> None:
        options: dict[str, Any] = {"latest_ttl": 0.05, "deadline": 0.5}
        async with AsyncRegistryClient("http://one", transport=registry.transport, **options) as client:
            assert (await client.latest("s")).version == 1
            registry.version = 2
            time.sleep(0.7)  # nothing else runs meanwhile, no refresh either
            assert (await client.latest("s")).version == 2

    run(scenario())


@pytest.mark.parametrize("register_with_it", [True, False])
def test_threads_never_see_an_older_version_after_a_newer_one(register_with_it: bool) -> None:
    """While versions are registered, by the client that is asked or by another."""
    with RegistryClient("embedded:") as registering, RegistryClient("embedded:", latest_ttl=0.01) as asked:
        writer = asked if register_with_it else registering
        writer.set_config("NONE")
        writer.register("s", json.dumps({"type": "int", "n": 0}))
        stop = threading.Event()

        def watch() -> list[int]:
            seen = []
            while not stop.is_set():
                seen.append(asked.latest("s").version)
            return seen

        with ThreadPoolExecutor(8) as pool:
            watching = [pool.submit(watch) for _ in range(8)]
            try:
                for n in range(1, 40):
                    registered = writer.register("s", json.dumps({"type": "int", "n": n}))
                    if register_with_it:
                        assert asked.latest("s").version == registered.version
            finally:
                stop.set()
            for watched in watching:
                seen = watched.result(20)
                assert seen == sorted(seen)
