"""A serializer and a deserializer shared by threads: never a wrong id, one request a missing thing."""

import sys
import threading
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import httpx2
import pytest

from serde import AvroDeserializer, AvroSerializer
from serde.framing import read_frame
from tests.serde.servers import Scripted, answer

TOPICS = [f"topic{n}" for n in range(5)]
IDS = {f"{topic}-value": 100 + n for n, topic in enumerate(TOPICS)}
THREADS, ROUNDS = 8, 200
SCHEMA = '{"type": "record", "name": "R", "fields": [{"name": "topic", "type": "string"}]}'


@pytest.fixture(autouse=True)
def often_switched() -> Iterator[None]:
    """Let threads take turns as often as Python can, so that a race shows."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


def serve(request: httpx2.Request) -> httpx2.Response:
    """A registry that gives the same schema another id in each subject."""
    parts = request.url.path.split("/")
    if parts[1] == "schemas":
        return answer(200, {"schema": SCHEMA})
    return answer(200, {"id": IDS[parts[2]], "version": 1, "schema": SCHEMA})


def test_threads_share_a_serializer_and_a_deserializer() -> None:
    server = Scripted(serve)
    start = threading.Barrier(THREADS)
    with server.client() as writing, server.client() as reading, ThreadPoolExecutor(THREADS) as pool:
        serializer, deserializer = AvroSerializer(writing, SCHEMA), AvroDeserializer(reading)

        def work(first: int) -> list[str]:
            start.wait(10)
            wrong = []
            for n in range(first, first + ROUNDS):
                topic = TOPICS[n % len(TOPICS)]
                made = serializer({"topic": topic}, topic) or b""
                if read_frame(made[:5]) != IDS[f"{topic}-value"] or deserializer(made) != {"topic": topic}:
                    wrong.append(topic)
            return wrong

        assert [future.result() for future in [pool.submit(work, n) for n in range(THREADS)]] == [
            []
        ] * THREADS
    assert Counter(path for _, path in server.asked) == {
        **{f"/subjects/{subject}/versions": 1 for subject in IDS},
        **{f"/schemas/ids/{number}": 1 for number in IDS.values()},
    }
