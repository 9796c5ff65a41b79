"""Requests to a registry: several URLs, timeouts, retries, and its answers as values or errors.

A request that may be made twice (all but a delete) is repeated after a
transport error or a 429, 502, 503 or 504: first at the other URLs, then after a
pause at all of them again. The URL that answered last is asked first.
"""

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from random import SystemRandom
from typing import Any, Final
from urllib.parse import quote

import httpx2

from serde.errors import Incompatible, NotFound, Refused, RegistryError, RegistryUnreachable

MEDIA_TYPE: Final = "application/vnd.schemaregistry.v1+json"
_ACCEPT: Final = f"{MEDIA_TYPE}, application/vnd.schemaregistry+json; q=0.9, application/json; q=0.5"
_BUSY: Final = frozenset({429, 502, 503, 504})
_NOT_SENT: Final = (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.PoolTimeout)
_FIRST_PAUSE: Final = 0.1
_LONGEST_PAUSE: Final = 2.0


@dataclass(frozen=True, slots=True)
class _Server:
    """url: without the user and password, so that no message shows them."""

    url: str
    auth: tuple[str, str] | None


class Rest:
    """The HTTP side of the registry client. Safe to use from several threads."""

    def __init__(
        self,
        urls: str | Sequence[str],
        *,
        timeout: float,
        retries: int,
        headers: Mapping[str, str] | None,
        auth: tuple[str, str] | None,
        transport: httpx2.BaseTransport | None,
    ) -> None:
        if retries < 0:
            raise ValueError(f"retries is 0 or more, not {retries}")
        if timeout <= 0:
            raise ValueError(f"timeout is a number of seconds above 0, not {timeout}")
        self._servers = _servers(urls, auth)
        self._timeout = timeout
        self._retries = retries
        self._first = 0
        self._random = SystemRandom()
        self._closing = threading.Event()
        self._http = httpx2.Client(
            timeout=timeout,
            transport=transport,
            headers={"Accept": _ACCEPT, **(headers or {})},
        )

    @property
    def urls(self) -> tuple[str, ...]:
        return tuple(server.url for server in self._servers)

    def request(
        self,
        method: str,
        *path: str | int,
        query: Mapping[str, str | int | bool] | None = None,
        body: Mapping[str, Any] | None = None,
    ) -> Any:
        """Ask and return the JSON of the answer.

        path: the segments, each percent-encoded here. query: booleans become ``true`` and ``false``.

        Raises RegistryError for an error answer, RegistryUnreachable where there is none.
        """
        target = "".join(f"/{_segment(part)}" for part in path)
        params = {name: _parameter(value) for name, value in (query or {}).items()}
        repeatable = method != "DELETE"
        busy: httpx2.Response | None = None
        failure: Exception | None = None
        for attempt in range(self._retries + 1):
            if attempt:
                self._pause(attempt)
            for number, server in self._in_order():
                try:
                    response = self._send(method, server, target, params, body)
                except (httpx2.HTTPError, httpx2.InvalidURL) as error:
                    failure, busy = error, None
                    if repeatable or isinstance(error, _NOT_SENT):
                        continue
                    raise self._unreachable(error) from error
                if repeatable and response.status_code in _BUSY:
                    busy = response
                    continue
                self._first = number
                return self._answer(response)
        if busy is not None:
            raise _error(busy)
        raise self._unreachable(failure) from failure

    def unexpected(self, what: str) -> RegistryUnreachable:
        """The error for an answer that no schema registry gives."""
        return RegistryUnreachable(self.urls, f"the answer is not a schema registry's: {what}")

    def close(self) -> None:
        self._closing.set()
        self._http.close()

    def _send(
        self,
        method: str,
        server: _Server,
        target: str,
        params: Mapping[str, str],
        body: Mapping[str, Any] | None,
    ) -> httpx2.Response:
        if self._closing.is_set():
            raise RuntimeError("the registry client is closed")
        return self._http.request(
            method,
            server.url + target,
            params=params,
            json=body,
            headers={"Content-Type": MEDIA_TYPE} if body is not None else None,
            auth=server.auth,
        )

    def _in_order(self) -> list[tuple[int, _Server]]:
        count, first = len(self._servers), self._first
        return [(n % count, self._servers[n % count]) for n in range(first, first + count)]

    def _pause(self, attempt: int) -> None:
        longest = min(_FIRST_PAUSE * 2.0**attempt, _LONGEST_PAUSE)
        self._closing.wait(self._random.uniform(0, longest))

    def _answer(self, response: httpx2.Response) -> Any:
        if response.status_code >= 300:
            raise _error(response)
        try:
            return response.json()
        except ValueError:
            raise self.unexpected(f"no JSON but {_beginning(response)}") from None

    def _unreachable(self, error: Exception | None) -> RegistryUnreachable:
        if isinstance(error, httpx2.ConnectTimeout):
            reason = f"no connection within {self._timeout:g} s"
        elif isinstance(error, httpx2.TimeoutException):
            reason = f"no answer within {self._timeout:g} s"
        else:
            reason = str(error) or type(error).__name__
        return RegistryUnreachable(self.urls, reason)


def _servers(urls: str | Sequence[str], auth: tuple[str, str] | None) -> list[_Server]:
    given = urls.split(",") if isinstance(urls, str) else urls
    servers = []
    for text in given:
        try:
            url = httpx2.URL(text.strip().rstrip("/"))
        except httpx2.InvalidURL as error:
            raise ValueError(f"no registry URL: {error}") from None
        if url.scheme not in {"http", "https"} or not url.host:
            raise ValueError(f"a registry URL starts with http:// or https:// and a host, not {text!r}")
        own = (url.username, url.password) if url.username else auth
        servers.append(_Server(str(url.copy_with(username=None, password=None)).rstrip("/"), own))
    if not servers:
        raise ValueError("at least one registry URL is needed")
    return servers


def _segment(part: str | int) -> str:
    encoded = quote(str(part), safe="")
    # "." and ".." would be taken for steps of the path.
    return encoded.replace(".", "%2E") if encoded in {".", ".."} else encoded


def _parameter(value: str | int | bool) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _error(response: httpx2.Response) -> RegistryError:
    status = response.status_code
    try:
        answer = response.json()
    except ValueError:
        answer = None
    told = answer if isinstance(answer, dict) else {}
    code = told.get("error_code")
    if type(code) is not int:
        code = status
    message = str(told.get("message", f"HTTP {status}: {_beginning(response)}"))
    kind: type[RegistryError] = RegistryError
    if status == 404:
        kind = NotFound
    elif status == 422:
        kind = Refused
    elif status == 409 and code in {409, 40901}:
        kind = Incompatible
    return kind(status, code, message, str(response.url))


def _beginning(response: httpx2.Response) -> str:
    text = " ".join(response.text.split())
    shown = text if len(text) <= 80 else f"{text[:80]}..."
    return repr(shown) if shown else "an empty body"
