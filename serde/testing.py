"""The real registry in the same process, for tests.

It keeps its schemas in memory and is reached without a socket. Needs the
`registry` package, which comes with fivebyte.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

import httpx2

from serde.client import RegistryClient

_spare: list["_InProcess"] = []
"""Those that nobody uses. To make a Flask application takes longer than most tests: it is used again."""


@contextmanager
def registry() -> Iterator[RegistryClient]:
    """A client on a new, empty registry:

        with serde.testing.registry() as client:
            serializer = AvroSerializer(client, schema_text)

    Two of them know nothing of each other. With pytest, the fixture
    ``schema_registry`` is one for each test.
    """
    real = _spare.pop() if _spare else _InProcess()
    try:
        with RegistryClient("http://registry.test", transport=httpx2.WSGITransport(real.app)) as client:
            yield client
    finally:
        real.clear()
        _spare.append(real)


class _InProcess:
    """A registry and its application."""

    def __init__(self) -> None:
        from registry.http import create_app
        from registry.registry import Registry
        from registry.store import MemoryStore

        self._store = MemoryStore()
        self._registry = Registry(self._store)
        self.app = _with_pep_3333_path(create_app(self._registry))

    def clear(self) -> None:
        self._store.clear()
        self._registry.replica.forget()


def _with_pep_3333_path(app: WSGIApplication) -> WSGIApplication:
    """`app` behind the path as WSGI servers give it, UTF-8 read as Latin-1: WSGITransport leaves that out."""

    def call(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        environ["PATH_INFO"] = environ["PATH_INFO"].encode().decode("latin-1")
        return app(environ, start_response)

    return call
