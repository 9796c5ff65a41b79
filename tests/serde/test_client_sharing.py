"""One client for many: threads, tasks, child processes. One request for one missing thing."""

import asyncio
import gc
import json
import os
import pickle
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx2
import pytest

from serde import (
    AsyncRegistryClient,
    RegistryClient,
    Schema,
    SchemaNotFound,
    SerdeError,
)
from tests.serde.faces import Client, of, on_both, opened, run, until
from tests.serde.servers import Behaving, Scripted, answer, error, sent
from tests.support.server import running_registry

INT, LONG = '"int"', '"long"'
GUID = "00000000-0000-0000-0000-000000000001"


class Held(httpx2.BaseTransport, httpx2.AsyncBaseTransport):
    """A registry that answers nothing until it is let go, and counts what it is asked."""

    def __init__(self, status: int = 200) -> None:
        self.go = threading.Event()
        self.asked: Counter[str] = Counter()
        self._status = status

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        self.asked[f"{request.method} {request.url.path}"] += 1
        self.go.wait(20)
        return self._answer()

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        self.asked[f"{request.method} {request.url.path}"] += 1
        await until(self.go.is_set)
        return self._answer()

    def _answer(self) -> httpx2.Response:
        if self._status == 200:
            return answer(200, {"subject": "s", "version": 1, "id": 1, "schema": INT})
        return error(self._status, 40403)


def missing_things(client: Client, writing: Client) -> list[Callable[[], Any]]:
    """One client registers: what it registers, it does not take for the newest from an earlier answer."""
    return [
        lambda: client.schema_by_id(2),  # 1 is known from the others
        lambda: client.schema_by_guid(GUID),
        lambda: client.latest("s"),
        lambda: client.latest_with_metadata("s", {"a": "b"}),
        lambda: client.schema("s", 1),
        lambda: writing.register("s", INT),
        lambda: client.look_up("s", INT),
    ]


ASKED = {
    "GET /schemas/ids/2": 1,
    f"GET /schemas/guids/{GUID}": 1,
    "GET /subjects/s/versions/latest": 1,
    "GET /subjects/s/metadata": 1,
    "GET /subjects/s/versions/1": 1,
    "POST /subjects/s/versions": 1,
    "POST /subjects/s": 1,
}


def test_eight_threads_make_one_request_for_one_missing_thing() -> None:
    held = Held()
    with (
        RegistryClient("http://one", transport=held) as client,
        RegistryClient("http://one", transport=held) as writing,
        ThreadPoolExecutor(56) as pool,
    ):
        start = threading.Barrier(56)

        def ask(call: Callable[[], Any]) -> Any:
            start.wait(20)
            return call()

        asking = [pool.submit(ask, call) for call in missing_things(client, writing) for _ in range(8)]
        held.go.set()
        assert {future.result(20).text for future in asking} == {INT}
    assert held.asked == ASKED


def test_fifty_tasks_make_one_request_for_one_missing_thing() -> None:
    held = Held()

    async def scenario() -> None:
        async with (
            AsyncRegistryClient("http://one", transport=held) as client,
            AsyncRegistryClient("http://one", transport=held) as writing,
        ):
            calls = missing_things(client, writing)
            asking = [asyncio.create_task(call()) for call in calls for _ in range(50)]
            await until(lambda: held.asked.total() == len(ASKED))
            held.go.set()
            assert {found.text for found in await asyncio.gather(*asking)} == {INT}

    run(scenario())
    assert held.asked == ASKED


def test_threads_and_tasks_ask_a_real_server_once() -> None:
    """The server's own count of requests: one for each client."""
    counter = (
        'fivebyte_http_request_duration_seconds_count{method="GET",route="/schemas/ids/{id}",status="200"} '
    )

    with running_registry("memory:") as server:
        with RegistryClient(server.url) as client:
            number = client.register("s", INT).id
        start = threading.Barrier(8)
        with RegistryClient(server.url) as client, ThreadPoolExecutor(8) as pool:

            def ask() -> Schema:
                start.wait(20)
                return client.schema_by_id(number)

            assert {future.result(20).text for future in [pool.submit(ask) for _ in range(8)]} == {INT}

        async def scenario() -> None:
            async with AsyncRegistryClient(server.url) as client:
                found = await asyncio.gather(*(client.schema_by_id(number) for _ in range(50)))
                assert {schema.text for schema in found} == {INT}

        run(scenario())
        lines = httpx2.get(f"{server.url}/metrics").text.splitlines()
        assert [line for line in lines if line.startswith(counter)] == [f"{counter}2.0"]


def test_who_is_cancelled_takes_nothing_from_the_others() -> None:
    held = Held()

    async def scenario() -> None:
        async with AsyncRegistryClient("http://one", transport=held) as client:
            asking = [asyncio.create_task(client.schema_by_id(1)) for _ in range(3)]
            await until(lambda: held.asked.total() == 1)
            asking[0].cancel()  # the first, who caused the request
            await asyncio.sleep(0)
            held.go.set()
            done = await asyncio.gather(*asking, return_exceptions=True)
            assert isinstance(done[0], asyncio.CancelledError)
            assert all(isinstance(found, Schema) for found in done[1:])

    run(scenario())
    assert held.asked.total() == 1


def test_what_was_asked_for_is_kept_even_if_all_are_cancelled() -> None:
    held = Held()

    async def scenario() -> None:
        async with AsyncRegistryClient("http://one", transport=held) as client:
            asking = asyncio.create_task(client.schema_by_id(1))
            await until(lambda: held.asked.total() == 1)
            asking.cancel()
            held.go.set()
            assert (await client.schema_by_id(1)).text == INT

    run(scenario())
    assert held.asked.total() == 1


def test_closing_ends_what_tasks_wait_for() -> None:
    held = Held()

    async def scenario() -> None:
        client = AsyncRegistryClient("http://one", transport=held)
        asking = [asyncio.create_task(client.schema_by_id(1)) for _ in range(3)]
        await until(lambda: held.asked.total() == 1)
        await client.aclose()
        for done in await asyncio.gather(*asking, return_exceptions=True):
            assert isinstance(done, RuntimeError)
            assert str(done) == "the registry client is closed"
        with pytest.raises(RuntimeError, match="the registry client is closed"):
            await client.subjects()
        await client.aclose()

    run(scenario())


def test_a_thread_that_is_interrupted_takes_nothing_from_the_others() -> None:
    """As by Ctrl-C: another of those that wait asks."""
    first_waits, second_waits = threading.Event(), threading.Event()
    calls = []

    def serve(_request: httpx2.Request) -> httpx2.Response:
        calls.append(1)
        if len(calls) == 1:
            first_waits.set()
            second_waits.wait(20)
            raise KeyboardInterrupt
        return answer(200, {"schema": INT})

    with Scripted(serve).client() as client, ThreadPoolExecutor(2) as pool:
        first = pool.submit(client.schema_by_id, 1)
        first_waits.wait(20)
        second = pool.submit(client.schema_by_id, 1)
        second_waits.set()
        assert isinstance(first.exception(20), KeyboardInterrupt)
        assert second.result(20).text == INT


@on_both
def test_an_unknown_id_is_asked_for_once_in_a_while(kind: type[Client]) -> None:
    """A poison message that is read again and again does not hammer the registry."""
    server = Scripted(error(404, 40403, "Schema 7 not found"))

    async def scenario() -> None:
        async with opened(kind, "http://one", transport=httpx2.MockTransport(server)) as client:
            for _ in range(20):
                with pytest.raises(SchemaNotFound, match="Schema 7 not found") as caught:
                    await of(client.schema_by_id(7))
                assert caught.value.schema_id == 7
                with pytest.raises(SchemaNotFound):
                    await of(client.schema_by_guid(GUID))

    run(scenario())
    assert len(server.requests) == 2


@on_both
def test_an_unknown_id_is_asked_for_again_after_its_time(kind: type[Client]) -> None:
    server = Scripted(error(404, 40403), answer(200, {"schema": INT}))

    async def scenario() -> None:
        options: dict[str, Any] = {"transport": httpx2.MockTransport(server), "missing_ttl": 0.05}
        async with opened(kind, "http://one", **options) as client:
            found = None
            async with asyncio.timeout(20):
                while found is None:
                    try:
                        found = await of(client.schema_by_id(7))
                    except SchemaNotFound:
                        await asyncio.sleep(0.01)
            assert found.text == INT

    run(scenario())


@on_both
def test_an_id_that_this_client_registers_is_unknown_no_more(kind: type[Client]) -> None:
    async def scenario() -> None:
        async with opened(kind, "embedded:") as client:
            with pytest.raises(SchemaNotFound):
                await of(client.schema_by_id(1))
            assert (await of(client.register("s", INT))).id == 1
            assert (await of(client.schema_by_id(1))).text == INT

    run(scenario())


@on_both
def test_an_error_that_may_pass_is_not_kept(kind: type[Client]) -> None:
    server = Scripted(httpx2.ConnectError("refused"), error(404, 404), answer(200, {"schema": INT}))

    async def scenario() -> None:
        options: dict[str, Any] = {"transport": httpx2.MockTransport(server), "retries": 0}
        async with opened(kind, "http://one", **options) as client:
            for _ in range(2):
                with pytest.raises(SerdeError):
                    await of(client.schema_by_id(7))
            assert (await of(client.schema_by_id(7))).text == INT

    run(scenario())


def test_one_asynchronous_client_goes_from_one_event_loop_to_the_next() -> None:
    """In a process of its own: the first loop ends with a connection open, which Python warns of."""
    program = """
import asyncio, sys
from serde import AsyncRegistryClient, RegistryClient

client = AsyncRegistryClient(sys.argv[1])

async def first():
    await client.register("s", '"int"')
    assert (await client.latest("s")).version == 1

async def second():
    # Nobody renewed it between the two loops, so it is not trusted.
    print((await client.latest("s")).version)
    await client.aclose()

asyncio.run(first())
with RegistryClient(sys.argv[1]) as other:
    other.register("s", '"long"')
asyncio.run(second())
"""
    with running_registry("memory:") as server:
        command = [sys.executable, "-c", program, server.url]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "2\n", "")


def test_two_event_loops_at_once_need_two_clients() -> None:
    async def scenario() -> None:
        async with AsyncRegistryClient("embedded:") as client:
            await client.subjects()
            with pytest.raises(RuntimeError, match="for one event loop: make another"):
                await asyncio.to_thread(run, client.subjects())

    run(scenario())


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
def test_a_child_process_shares_no_connection_with_its_parent() -> None:
    """In a process of its own, which forks while other threads ask: no lock of theirs is waited for."""
    program = """
import json, os, sys, threading
from serde import RegistryClient

client = RegistryClient(sys.argv[1], latest_ttl=0.05)
number = client.register("s", '"int"').id
assert client.latest("s").version == 1
stop = threading.Event()
def ask():
    while not stop.is_set():
        client.subjects(); client.schema_by_id(number); client.latest("s")
threads = [threading.Thread(target=ask) for _ in range(4)]
for thread in threads: thread.start()
ends = []
for n in range(8):
    child = os.fork()
    if child == 0:
        code = 1
        try:
            assert client.subjects() and client.latest("s").version == 1
            assert client.register(f"child{n}", '"int"').id == number
            client.close()
            code = 0
        finally:
            os._exit(code)
    ends.append(os.waitpid(child, 0)[1])
stop.set()
for thread in threads: thread.join()
print(json.dumps([ends, len(client.subjects())]))
client.close()
"""
    with running_registry("memory:") as server:
        command = [sys.executable, "-c", program, server.url]
        done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == [[0] * 8, 9]


@pytest.mark.parametrize("kind", [RegistryClient, AsyncRegistryClient])
def test_a_client_cannot_be_pickled_and_says_why(kind: Any) -> None:
    with pytest.raises(TypeError, match="has connections and cannot be pickled: make one in the other"):
        pickle.dumps(kind("http://me:s3cret@one"))


def test_threads_end_with_the_client() -> None:
    server = Behaving(sent(200, {"subject": "s", "version": 1, "id": 1, "schema": INT}))
    with server.listening() as url:
        with RegistryClient(url, latest_ttl=600) as client:
            client.latest("s")
            assert [thread for thread in threading.enumerate() if thread.name == "registry-client"]
        for thread in threading.enumerate():
            if thread.name == "registry-client":
                thread.join(20)
                assert not thread.is_alive()


def test_a_program_that_forgets_to_close_ends_all_the_same() -> None:
    program = "import sys; from serde import RegistryClient; RegistryClient(sys.argv[1]).latest('s')"
    server = Behaving(sent(200, {"subject": "s", "version": 1, "id": 1, "schema": INT}))
    with server.listening() as url:
        command = [sys.executable, "-c", program, url]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_who_waited_gets_the_error_of_who_asked() -> None:
    held = Held(404)

    async def scenario() -> None:
        async with AsyncRegistryClient("http://one", transport=held) as client:
            asking = [asyncio.create_task(client.schema_by_id(1)) for _ in range(5)]
            await until(lambda: held.asked.total() == 1)
            held.go.set()
            done = await asyncio.gather(*asking, return_exceptions=True)
            assert all(isinstance(found, SchemaNotFound) for found in done)

    run(scenario())
    assert held.asked.total() == 1


def test_nobody_hears_of_an_error_that_nobody_waited_for() -> None:
    """The last who waited was cancelled; asyncio would log what became of its request."""
    told: list[Any] = []

    async def scenario() -> None:
        asyncio.get_running_loop().set_exception_handler(lambda _loop, context: told.append(context))
        held = Held(404)
        async with AsyncRegistryClient("http://one", transport=held) as client:
            asking = asyncio.create_task(client.schema_by_id(1))
            await until(lambda: held.asked.total() == 1)
            asking.cancel()
            held.go.set()
            await until(lambda: not client._driver._flights)
            gc.collect()

    run(scenario())
    gc.collect()
    assert told == []
