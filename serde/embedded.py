"""The real registry in this process, reached without a socket: what ``embedded:`` URLs stand for.

Needs the `registry` package, which comes with fivebyte, and imports it when a
registry is opened. This is the one file of `serde` that knows it.
"""

import asyncio
import threading
from collections.abc import Iterable
from typing import Any, Final, Self
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

import httpx2

from serde.errors import RegistryUnreachable
from serde.forking import tell_after_fork

_FORMS: Final = (
    "embedded: (in memory), embedded:sqlite:///relative.db or embedded:sqlite:////absolute/path.db"
)


class InProcess:
    """A registry and its application. store: a store of the `registry` package; None: a new one in memory."""

    def __init__(self, store: Any = None) -> None:
        from registry.http import create_app
        from registry.registry import Registry
        from registry.store import MemoryStore

        self._store = store or MemoryStore()
        self._registry = Registry(self._store)
        self.app = _with_pep_3333_path(create_app(self._registry))

    def clear(self) -> None:
        """Forget all; only for a registry in memory."""
        self._store.clear()
        self._registry.replica.forget()

    def close(self) -> None:
        """Close its store."""
        self._store.close()


class _Open:
    """The registries that are open, by URL; each for as long as a client has it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._registries: dict[str, tuple[InProcess, int]] = {}
        self._parents: list[Any] = []
        tell_after_fork(self)

    def take(self, url: str) -> InProcess:
        with self._lock:
            real, users = self._registries.get(url) or (_open(url), 0)
            self._registries[url] = (real, users + 1)
            return real

    def give_back(self, url: str, real: InProcess) -> None:
        with self._lock:
            known, users = self._registries.get(url, (None, 0))
            if known is not real:
                return  # it is the parent's
            if users > 1:
                self._registries[url] = (real, users - 1)
                return
            del self._registries[url]
        real.close()

    def after_fork(self) -> None:
        # Not closed: to close a SQLite file that the parent has open would harm it.
        self._parents.append(self._registries)
        self._registries = {}
        self._lock = threading.Lock()


class Embedded(httpx2.BaseTransport):
    """Asks the registry of an ``embedded:`` URL, on the thread that asks.

    All clients of a process that have the same URL share one registry, which is
    closed with the last of them; one in memory is then gone. After a fork the
    child has its own: on the same file, or an empty one in memory.
    """

    def __init__(self, url: str, real: InProcess) -> None:
        self._url = url
        self._real: InProcess | None = real
        self._transport = httpx2.WSGITransport(real.app)

    @classmethod
    def open(cls, url: str) -> Self:
        """Raises ValueError for another URL, RegistryUnreachable where its log cannot be opened."""
        return cls(url, _OPEN.take(url))

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        """See httpx2."""
        return self._transport.handle_request(request)

    def close(self) -> None:
        """Let go of the registry. May be called again."""
        real, self._real = self._real, None
        if real is not None:
            _OPEN.give_back(self._url, real)


class AsyncEmbedded(httpx2.AsyncBaseTransport):
    """As `Embedded`; asks on another thread, since a write waits for a disk."""

    def __init__(self, embedded: Embedded) -> None:
        self._embedded = embedded

    @classmethod
    def open(cls, url: str) -> Self:
        """As that of `Embedded`."""
        return cls(Embedded.open(url))

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """See httpx2."""
        await request.aread()
        return await asyncio.to_thread(self._whole, request)

    async def aclose(self) -> None:
        """Let go of the registry. May be called again."""
        self._embedded.close()

    def _whole(self, request: httpx2.Request) -> httpx2.Response:
        response = self._embedded.handle_request(request)
        try:
            content = b"".join(response.iter_raw())
        finally:
            response.close()
        return httpx2.Response(response.status_code, headers=response.headers, content=content)


def _open(url: str) -> InProcess:
    from registry.errors import RegistryError
    from registry.store import open_store

    store = url.removeprefix("embedded:") or "memory:"
    if store != "memory:" and not store.startswith("sqlite:///"):
        shown = "embedded:" + store.rpartition("@")[2]
        raise ValueError(f"no embedded registry is known for {shown!r}: give {_FORMS}")
    try:
        return InProcess(open_store(store))
    except RegistryError as error:
        raise RegistryUnreachable([url], str(error)) from error


def _with_pep_3333_path(app: WSGIApplication) -> WSGIApplication:
    """`app` behind the path as WSGI servers give it, UTF-8 read as Latin-1: WSGITransport leaves that out."""

    def call(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        environ["PATH_INFO"] = environ["PATH_INFO"].encode().decode("latin-1")
        return app(environ, start_response)

    return call


_OPEN: Final = _Open()
