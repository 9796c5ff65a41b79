"""A fresh registry for each client: what it is told of ids is exact."""

from collections.abc import Iterator

import pytest

from tests.support.server import running_registry


@pytest.fixture
def url() -> Iterator[str]:
    with running_registry() as server:
        yield server.url
