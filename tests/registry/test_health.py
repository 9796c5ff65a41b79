"""``/health``: live while the process answers, ready while the log does and was read to its end."""

import time
from collections.abc import Callable

import httpx2
import pytest
from flask.testing import FlaskClient

from registry.errors import NotReadyError
from registry.follower import Follower
from registry.readiness import Readiness
from registry.registry import Registry
from registry.store import MemoryStore
from tests.registry.samples import error, register, stored
from tests.support.redis import RunningRedis
from tests.support.server import running_registry


def holds(condition: Callable[[], bool]) -> bool:
    """Whether `condition` holds in the end; waits for long before it says no."""
    deadline = time.monotonic() + 60
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def test_a_registry_that_answers(client: FlaskClient, store: MemoryStore) -> None:
    register(client, "s", '"int"')
    store.append(2, [stored("t", 1, 1, '"int"')])  # by another process
    for accept in ("*/*", "text/html", "text/plain;q=0.5"):
        answer = client.get("/health/ready", headers={"Accept": accept})
        assert (answer.status_code, answer.content_type) == (200, "application/json")
        assert answer.get_json() == {"status": "ready", "position": 2}
        assert client.get("/health/live", headers={"Accept": accept}).get_json() == {"status": "live"}


@pytest.mark.parametrize("path", ["/health/live", "/health/ready", "/metrics"])
def test_it_is_in_no_context(client: FlaskClient, path: str) -> None:
    assert client.get(path).status_code == 200
    assert error(client.get(f"/contexts/.eu{path}")) == (404, 404, "HTTP 404 Not Found")


class Silent(MemoryStore):
    """A store that says nothing for as long as it is told to."""

    def __init__(self) -> None:
        super().__init__()
        self.calls = 0
        self.silent = False

    def head(self) -> int:
        self.calls += 1
        while self.silent:
            time.sleep(0.01)
        return super().head()


def test_a_store_that_is_silent_is_asked_once_and_not_waited_for() -> None:
    store = Silent()
    registry = Registry(store)
    readiness = Readiness(registry.replica, seconds=0.2)
    assert readiness.check() == 0
    store.silent, store.calls = True, 0
    for _ in range(3):
        with pytest.raises(NotReadyError, match=r"memory: did not answer within 0\.2 s, or there is much"):
            readiness.check()
    assert store.calls == 1
    store.silent = False
    assert holds(lambda: readiness.check() == 0)


class Stumbling(MemoryStore):
    """A store in which something that nobody foresaw happens to who waits, twice."""

    waits = 0

    def wait(self, after: int, timeout: float) -> int:
        self.waits += 1
        if self.waits in {1, 3}:
            raise KeyError("stumbled")
        return super().wait(after, timeout)


def test_the_follower_goes_on_whatever_happens(caplog: pytest.LogCaptureFixture) -> None:
    store = Stumbling()
    replica = Registry(store).replica
    Follower(replica).start()
    for position in (1, 2, 3):
        store.append(position, [stored("s", position, position)])
        assert holds(lambda: replica.state.position == position)  # noqa: B023 - it is called here
    assert "KeyError: 'stumbled'" in caplog.text


def test_while_redis_is_away(own_redis: RunningRedis) -> None:
    """What can't change goes on, the rest says so, and all is well again when it is back."""
    with (
        running_registry(own_redis.url(), threads=4) as server,
        httpx2.Client(base_url=server.url, timeout=30) as client,
    ):
        for subject, text in (("s", '"int"'), ("t", '"long"')):
            assert client.post(f"/subjects/{subject}/versions", json={"schema": text}).status_code == 200
        assert client.get("/subjects").json() == ["s", "t"]
        assert client.get("/schemas/ids/1").status_code == 200
        own_redis.kill()
        assert holds(lambda: client.get("/health/ready").status_code == 503)
        body = client.get("/health/ready").json()
        assert body.keys() == {"error_code", "message"}
        assert body["error_code"] == 503
        assert f"127.0.0.1:{own_redis.port}" in body["message"]
        assert client.get("/health/live").status_code == 200
        for path in ("/subjects", "/schemas/ids/3", "/schemas/ids/1/versions", "/contexts/.eu/schemas/ids/1"):
            assert client.get(path).status_code == 503
        for number, text in ((1, '"int"'), (2, '"long"')):  # the second was never asked for before
            assert client.get(f"/schemas/ids/{number}").json()["schema"] == text
            assert client.get(f"/schemas/ids/{number}/schema").text == text
            assert client.get(f"/schemas/ids/{number}?subject=:.:").json()["schema"] == text  # Flask's
        assert "fivebyte_log_up 0.0" in client.get("/metrics").text
        own_redis.start()
        assert holds(lambda: client.get("/health/ready").status_code == 200)
        assert client.get("/subjects").json() == ["s", "t"]


def test_while_redis_is_silent(own_redis: RunningRedis) -> None:
    """Nobody but the follower waits for it, so there are threads left for what can be answered."""
    with (
        running_registry(own_redis.url(), threads=2) as server,
        httpx2.Client(base_url=server.url, timeout=60) as client,
    ):
        client.post("/subjects/s/versions", json={"schema": '"int"'})
        assert client.get("/subjects").json() == ["s"]
        own_redis.freeze()
        assert client.get("/subjects").status_code == 503  # after the store's timeout
        for _ in range(100):
            assert client.get("/subjects").status_code == 503
            assert client.get("/schemas/ids/1").status_code == 200
        own_redis.thaw()
        assert holds(lambda: client.get("/health/ready").status_code == 200)
        assert client.get("/subjects").json() == ["s"]


def test_a_node_follows_what_others_delete(own_redis: RunningRedis) -> None:
    """By-id answers are given without asking Redis, so a worker has to read on by itself."""
    with (
        running_registry(own_redis.url()) as server,
        running_registry(own_redis.url()) as other,
    ):
        httpx2.post(f"{server.url}/subjects/s/versions", json={"schema": '"int"'})
        by_id = f"{other.url}/schemas/ids/1"
        assert httpx2.get(by_id).status_code == 200
        httpx2.delete(f"{server.url}/subjects/s")
        httpx2.delete(f"{server.url}/subjects/s?permanent=true")
        assert holds(lambda: httpx2.get(by_id).status_code == 404)
