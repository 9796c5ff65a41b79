"""The real registry in the same process, for tests.

It keeps its schemas in memory and is reached without a socket. Needs the
`registry` package, which comes with fivebyte.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import httpx2

from serde.client import RegistryClient
from serde.embedded import InProcess

_spare: list[InProcess] = []
"""Those that nobody uses. To make a Flask application takes longer than most tests: it is used again."""


@contextmanager
def registry() -> Iterator[RegistryClient]:
    """A client on a new, empty registry:

        with serde.testing.registry() as client:
            serializer = AvroSerializer(client, schema_text)

    Two of them know nothing of each other. With pytest, the fixture
    ``schema_registry`` is one for each test.
    """
    real = _spare.pop() if _spare else InProcess()
    try:
        with RegistryClient("http://registry.test", transport=httpx2.WSGITransport(real.app)) as client:
            yield client
    finally:
        real.clear()
        _spare.append(real)
