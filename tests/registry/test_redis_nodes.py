"""Registries that share a Redis: what one writes the others read, also when Redis goes and comes back."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any

import httpx2
import pytest

from registry.errors import StoreAwayError
from registry.registry import NewSchema, Registry
from registry.store import open_store
from tests.registry.samples import avro
from tests.support.redis import RunningRedis
from tests.support.server import running_registry

INT, STRING, LONG = NewSchema('"int"'), NewSchema('"string"'), NewSchema('"long"')


@pytest.fixture
def nodes(own_redis: RunningRedis) -> Iterator[tuple[Registry, Registry]]:
    one, other = (Registry(open_store(own_redis.url())) for _ in range(2))
    with closing(one), closing(other):
        yield one, other


def test_a_log_that_was_deleted_is_noticed(
    nodes: tuple[Registry, Registry], own_redis: RunningRedis, caplog: pytest.LogCaptureFixture
) -> None:
    one, other = nodes
    one.register("a", INT)
    assert other.subjects() == ["a"]
    with own_redis.client() as client:
        client.flushall()
    assert other.subjects() == []
    assert "ends at position 0, but 1 had been read from it or written" in caplog.text
    caplog.clear()
    assert one.register("b", STRING).id == 1  # it had written position 1, and read it never
    assert "ends at position 0, but 1 had been read from it or written" in caplog.text
    assert other.subjects() == ["b"]


def lose(own_redis: RunningRedis, entries: int) -> None:
    """The log loses its last entries, as in a failover to a replica that lagged."""
    with own_redis.client() as client:
        kept = client.xrange("fivebyte") or []
        client.delete("fivebyte")
        for name, fields in kept[: len(kept) - entries]:
            client.xadd("fivebyte", dict(fields or {}), id=name or "")


@pytest.mark.parametrize("more", [[], ["d"]], ids=["same length", "longer"])
def test_an_end_that_was_lost_and_written_anew_is_noticed(
    more: list[str], own_redis: RunningRedis, caplog: pytest.LogCaptureFixture
) -> None:
    with closing(Registry(open_store(own_redis.url()))) as node:
        node.register("a", INT)
        node.register("b", STRING)
        assert node.subjects() == ["a", "b"]
        lose(own_redis, 1)
        with closing(Registry(open_store(own_redis.url()))) as elsewhere:
            for subject in ["c", *more]:
                elsewhere.register(subject, LONG)
        assert not caplog.records
        assert node.subjects() == ["a", "c", *more]
        assert "has another entry at position 2 than had been read from it" in caplog.text
        assert node.by_id(2).content.text == '"long"'
        caplog.clear()
        node.register("e", STRING)
        assert node.subjects() == ["a", "c", *more, "e"]
        assert not caplog.records


def test_an_end_that_is_lost_and_written_anew_right_before_an_append(
    own_redis: RunningRedis, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    with closing(Registry(open_store(own_redis.url()))) as node:
        node.register("a", INT)
        node.register("b", STRING)
        append = node.store.append

        def fail_over_and_append(*arguments: Any, **options: Any) -> None:
            monkeypatch.undo()
            lose(own_redis, 1)
            with closing(Registry(open_store(own_redis.url()))) as elsewhere:
                elsewhere.register("c", LONG)
            append(*arguments, **options)

        monkeypatch.setattr(node.store, "append", fail_over_and_append)
        assert node.register("d", LONG).id == 2  # what was decided for the old log would have given 3
        assert node.subjects() == ["a", "c", "d"]
        assert "has another entry at position 2 than had been read from it" in caplog.text


def test_who_follows_knows_at_once_that_the_store_is_back(own_redis: RunningRedis) -> None:
    with closing(Registry(open_store(own_redis.url()))) as node:
        own_redis.kill()
        with pytest.raises(StoreAwayError):
            node.replica.follow(0)
        own_redis.start()
        with pytest.raises(StoreAwayError):
            node.subjects()
        following = threading.Thread(target=node.replica.follow, args=(3600,), daemon=True)
        following.start()
        following.join(60)  # though nothing is appended
        assert not following.is_alive()
        assert node.subjects() == []


def test_two_servers_on_one_redis(redis_url: str) -> None:
    with (
        running_registry(redis_url, workers=2) as one,
        running_registry(redis_url) as other,
        httpx2.Client(timeout=30) as client,
    ):
        for number in range(1, 30):
            writer, reader = (one, other) if number % 2 else (other, one)
            text = avro(f"R{number}")
            path = f"{writer.url}/subjects/s{number}/versions"
            assert client.post(path, json={"schema": text}).json()["id"] == number
            assert client.get(f"{reader.url}/schemas/ids/{number}").json()["schema"] == text
            assert len(client.get(f"{reader.url}/subjects").json()) == number


def until_it_answers(ask: Callable[[], httpx2.Response]) -> httpx2.Response:
    while (answer := ask()).status_code == 503:
        time.sleep(0.05)
    return answer


@pytest.mark.parametrize("frozen", [False, True], ids=["killed", "frozen"])
def test_a_server_whose_redis_is_away_says_so_and_goes_on_when_it_is_back(
    frozen: bool, own_redis: RunningRedis
) -> None:
    with own_redis.client() as client:
        client.execute_command("ACL", "SETUSER", "me", "on", ">secret", "~*", "+@all")
        password = "" if not frozen else "me:secret@"  # users do not outlive the other's kill
    with (
        running_registry(own_redis.url(credentials=password)) as server,
        httpx2.Client(base_url=server.url, timeout=60) as client_,
    ):
        schema = {"schema": '"int"'}
        assert client_.post("/subjects/a/versions", json=schema).json()["id"] == 1
        (own_redis.freeze if frozen else own_redis.kill)()
        for answer in (
            client_.get("/subjects"),
            client_.post("/subjects/b/versions", json={"schema": '"string"'}),
        ):
            assert answer.status_code == 503
            body = json.loads(answer.text)
            assert set(body) == {"error_code", "message"}
            assert body["error_code"] == 50001
            assert "see whether Redis runs there" in body["message"]
            assert "secret" not in answer.text
        (own_redis.thaw if frozen else own_redis.start)()
        assert until_it_answers(lambda: client_.get("/subjects")).json() == ["a"]
        assert client_.post("/subjects/b/versions", json={"schema": '"string"'}).json()["id"] == 2
        assert "secret" not in server.output
        assert "Traceback" not in server.output
