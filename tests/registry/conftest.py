"""What the registry's tests share: schemas to register, and a registry in memory with its HTTP client."""

import itertools
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from registry.http import create_app
from registry.registry import Registry
from registry.store import MemoryStore
from tests.registry.conforming import ConformingClient
from tests.support.redis import DURABLE, RunningRedis, running_redis

_keys = itertools.count(1)


@pytest.fixture
def store() -> MemoryStore:
    return MemoryStore()


@pytest.fixture
def registry(store: MemoryStore) -> Registry:
    return Registry(store)


@pytest.fixture
def client(registry: Registry) -> Iterator[ConformingClient]:
    """A client of the registry; every answer that it gets must be as the API's description says."""
    client = ConformingClient(create_app(registry))
    with client:
        yield client
    assert client.faults == []


@pytest.fixture(scope="session")
def shared_redis() -> Iterator[RunningRedis]:
    """A Redis for tests that only use it: none may stop or reconfigure it."""
    with running_redis() as server:
        yield server


@pytest.fixture
def own_redis() -> Iterator[RunningRedis]:
    """A Redis of the test's own, which keeps what it acknowledged."""
    with running_redis(*DURABLE) as server:
        yield server


@pytest.fixture
def redis_url(shared_redis: RunningRedis) -> str:
    """The URL of an empty log."""
    return shared_redis.url(f"?key=test{next(_keys)}")


@pytest.fixture
def store_url(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[str], str]:
    """The URL of an empty log in a store that processes can share, by its kind: sqlite or redis."""

    def url(kind: str) -> str:
        # Asked for only here, so that Redis is needed by none but its own tests.
        found: str = (
            request.getfixturevalue("redis_url") if kind == "redis" else f"sqlite:///{tmp_path}/log.db"
        )
        return found

    return url
