"""The real registry in the same process, for tests.

It keeps its schemas in memory and is reached without a socket. Needs the
`registry` package, which comes with fivebyte.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

import httpx2

from serde.client import RegistryClient


@contextmanager
def registry() -> Iterator[RegistryClient]:
    """A client on a new, empty registry:

        with serde.testing.registry() as client:
            serializer = AvroSerializer(client, schema_text)

    Two of them know nothing of each other.
    """
    from registry.http import create_app
    from registry.registry import Registry
    from registry.store import open_store

    real = Registry(open_store("memory:"))
    try:
        transport = httpx2.WSGITransport(_with_pep_3333_path(create_app(real)))
        with RegistryClient("http://registry.test", transport=transport) as client:
            yield client
    finally:
        real.close()


def _with_pep_3333_path(app: WSGIApplication) -> WSGIApplication:
    """`app` behind the path as WSGI servers give it, UTF-8 read as Latin-1: WSGITransport leaves that out."""

    def call(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        environ["PATH_INFO"] = environ["PATH_INFO"].encode().decode("latin-1")
        return app(environ, start_response)

    return call
