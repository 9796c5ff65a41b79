"""One serializer and one deserializer for 8 threads, or for 50 tasks, while versions are registered."""

import asyncio
import json
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx2
import pytest

from serde import (
    AsyncAvroDeserializer,
    AsyncAvroSerializer,
    AsyncRegistryClient,
    AvroDeserializer,
    AvroSerializer,
    RegistryClient,
)
from serde.framing import read_frame
from tests.support.server import running_registry

TOPICS = [f"topic{n}" for n in range(5)]
THREADS, TASKS, VERSIONS = 8, 50, 6

Seen = tuple[str, int, int]
"""A topic, a message's id, and how many fields its value has: the version's number and one."""


class Counting(httpx2.HTTPTransport):
    """Counts what goes over the network."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: Counter[str] = Counter()

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        self.asked[f"{request.method} {request.url.path}"] += 1
        return super().handle_request(request)


class AsyncCounting(httpx2.AsyncHTTPTransport):
    """The same for tasks."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: Counter[str] = Counter()

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        self.asked[f"{request.method} {request.url.path}"] += 1
        return await super().handle_async_request(request)


@pytest.fixture
def often_switched() -> Iterator[None]:
    """Let threads take turns as often as Python can, so that a race shows."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    yield
    sys.setswitchinterval(before)


def text(topic: str, version: int) -> str:
    fields: list[dict[str, Any]] = [{"name": "topic", "type": "string"}]
    fields += [{"name": f"f{n}", "type": "int", "default": n} for n in range(1, version + 1)]
    return json.dumps({"type": "record", "name": f"shop.{topic.title()}", "fields": fields})


def expected(topic: str, count: int) -> dict[str, Any]:
    return {"topic": topic, **{f"f{n}": n for n in range(1, count)}}


def seen(topic: str, message: bytes | None, value: Any) -> Seen:
    assert message is not None
    assert value == expected(topic, len(value))
    number = read_frame(message[:5])
    assert isinstance(number, int)
    return topic, number, len(value)


def check(found: list[list[Seen]], ids: dict[tuple[str, int], int]) -> None:
    """Each message has its topic's id of the version that it was written with, and no worker goes back."""
    for messages in found:
        newest = dict.fromkeys(TOPICS, 0)
        for topic, number, fields in messages:
            assert number == ids[topic, fields - 1]
            assert fields >= newest[topic]
            newest[topic] = fields
        assert set(newest.values()) == {VERSIONS + 1}


@pytest.mark.usefixtures("often_switched")
def test_threads_and_tasks_never_write_another_topics_id() -> None:
    ids: dict[tuple[str, int], int] = {}
    options: dict[str, Any] = {"latest_ttl": 0.05}
    with running_registry() as server, RegistryClient(server.url) as registry:
        for topic in TOPICS:
            ids[topic, 0] = registry.register(f"{topic}-value", text(topic, 0)).id

        def register() -> None:
            for version in range(1, VERSIONS + 1):
                for topic in TOPICS:
                    ids[topic, version] = registry.register(f"{topic}-value", text(topic, version)).id
                    time.sleep(0.01)

        def threads() -> tuple[list[list[Seen]], Counter[str]]:
            counting = Counting()
            with (
                RegistryClient(server.url, **options) as writing,
                RegistryClient(server.url, transport=counting) as reading,
                ThreadPoolExecutor(THREADS) as pool,
            ):
                serialize, deserialize = AvroSerializer(writing, use_latest=True), AvroDeserializer(reading)

                def work(_: int) -> list[Seen]:
                    made: list[Seen] = []
                    left = set(TOPICS)
                    while left:
                        for topic in TOPICS:
                            message = serialize({"topic": topic}, topic)
                            made.append(seen(topic, message, deserialize(message, topic)))
                            if made[-1][2] == VERSIONS + 1:
                                left.discard(topic)
                        time.sleep(0.001)
                    return made

                return list(pool.map(work, range(THREADS))), counting.asked

        async def tasks() -> tuple[list[list[Seen]], Counter[str]]:
            counting = AsyncCounting()
            async with (
                AsyncRegistryClient(server.url, **options) as writing,
                AsyncRegistryClient(server.url, transport=counting) as reading,
            ):
                serialize = AsyncAvroSerializer(writing, use_latest=True)
                deserialize = AsyncAvroDeserializer(reading)

                async def work() -> list[Seen]:
                    made: list[Seen] = []
                    left = set(TOPICS)
                    while left:
                        for topic in TOPICS:
                            message = await serialize({"topic": topic}, topic)
                            made.append(seen(topic, message, await deserialize(message, topic)))
                            if made[-1][2] == VERSIONS + 1:
                                left.discard(topic)
                        await asyncio.sleep(0.005)
                    return made

                return await asyncio.gather(*(work() for _ in range(TASKS))), counting.asked

        registering = threading.Thread(target=register)
        with ThreadPoolExecutor(2) as pool:
            both = [pool.submit(threads), pool.submit(lambda: asyncio.run(tasks()))]
            registering.start()
            results = [future.result(120) for future in both]
        registering.join()
    for found, asked in results:
        check(found, ids)
        assert set(asked.values()) == {1}  # a request for each id, however many met it
        assert len(asked) >= 2 * len(TOPICS)


def test_the_first_messages_of_all_make_one_request_for_each_thing() -> None:
    once = {f"GET /subjects/{topic}-value/versions/latest": 1 for topic in TOPICS}
    with running_registry() as server, RegistryClient(server.url) as registry:
        ids = {topic: registry.register(f"{topic}-value", text(topic, 0)).id for topic in TOPICS}
        once |= {f"GET /schemas/ids/{number}": 1 for number in ids.values()}
        counting = Counting()
        start = threading.Barrier(THREADS)
        with (
            RegistryClient(server.url, transport=counting) as client,
            ThreadPoolExecutor(THREADS) as pool,
        ):
            serialize, deserialize = AvroSerializer(client, use_latest=True), AvroDeserializer(client)

            def work(_: int) -> None:
                start.wait(20)
                for topic in TOPICS:
                    assert deserialize(serialize({"topic": topic}, topic), topic) == {"topic": topic}

            list(pool.map(work, range(THREADS)))
        assert counting.asked == once

        async def tasks() -> None:
            counting = AsyncCounting()
            async with AsyncRegistryClient(server.url, transport=counting) as client:
                serialize = AsyncAvroSerializer(client, use_latest=True)
                deserialize = AsyncAvroDeserializer(client)

                async def work() -> None:
                    for topic in TOPICS:
                        message = await serialize({"topic": topic}, topic)
                        assert await deserialize(message, topic) == {"topic": topic}

                await asyncio.gather(*(work() for _ in range(TASKS)))
            assert counting.asked == once

        asyncio.run(tasks())
