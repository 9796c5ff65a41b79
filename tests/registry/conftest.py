"""What the registry's tests share: schemas to register, and a registry in memory with its HTTP client."""

from collections.abc import Iterator

import pytest
from flask.testing import FlaskClient

from registry.http import create_app
from registry.registry import Registry
from registry.store import MemoryStore


@pytest.fixture
def store() -> MemoryStore:
    return MemoryStore()


@pytest.fixture
def registry(store: MemoryStore) -> Registry:
    return Registry(store)


@pytest.fixture
def client(registry: Registry) -> Iterator[FlaskClient]:
    with create_app(registry).test_client() as client:
        yield client
