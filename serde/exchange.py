"""Asking a registry: which of several URLs, when again, and its answers as JSON or errors.

A request that may be made twice (all but a delete: registering what is
registered finds it) is repeated after a transport error, or an answer that says
"later": first at the other URLs, then after a pause at all of them. The URL that
answered last is asked first. No rule here does any I/O: see `serde.steps`.
"""

import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from random import SystemRandom
from typing import Any, Final
from urllib.parse import quote, urlencode

import httpx2

from serde import arguments
from serde.auth import Authenticator
from serde.errors import (
    Incompatible,
    NotFound,
    Refused,
    RegistryBusy,
    RegistryError,
    RegistryUnreachable,
    SchemaNotFound,
    SubjectNotFound,
    Unauthorized,
    VersionNotFound,
)
from serde.steps import HttpAnswer, HttpRequest, Pause, Steps, send

MEDIA_TYPE: Final = "application/vnd.schemaregistry.v1+json"
_ACCEPT: Final = f"{MEDIA_TYPE}, application/vnd.schemaregistry+json; q=0.9, application/json; q=0.5"

_BUSY: Final = frozenset({408, 429, 502, 503, 504})
"""Statuses after which the same URL is asked again."""

_BUSY_CODES: Final = frozenset({50002, 50003, 50004})
"""Codes of a 500 that are as good: timed out, forwarding to the leader failed, no leader known."""

_NOT_SENT: Final = (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.PoolTimeout)
_FIRST_PAUSE: Final = 0.1
_LONGEST_PAUSE: Final = 2.0
_LONGEST_WISH: Final = 10.0
"""The longest Retry-After that is waited for; what wants more is not asked again."""

_NOT_FOUND: Final[Mapping[int, type[NotFound]]] = {
    40401: SubjectNotFound,
    40402: VersionNotFound,
    40403: SchemaNotFound,
}


@dataclass(frozen=True, slots=True)
class Server:
    """url: as messages show it, without user and password. base: what requests begin with."""

    url: str
    base: str
    auth: Authenticator = field(repr=False)


@dataclass(frozen=True, slots=True)
class Request:
    """What to ask.

    path: its segments, not encoded. query: booleans become ``true`` and ``false``. body: sent as JSON;
    form: sent as a form. in_context: whether the path is one of the client's context.
    """

    method: str
    path: tuple[str | int, ...]
    query: Mapping[str, str | int | bool] | Sequence[tuple[str, str]] = field(default_factory=dict)
    body: Mapping[str, Any] | None = None
    form: Mapping[str, str] | None = None
    in_context: bool = True

    @property
    def is_repeatable(self) -> bool:
        """Whether making it twice is as good as once."""
        return self.method != "DELETE"


_SEGMENTS: Final[Mapping[str, str]] = {
    "subjects": "a subject",
    "config": "a subject",
    "mode": "a subject",
    "ids": "a schema id",
    "guids": "a guid",
    "versions": "a version",
    "contexts": "a context",
}
"""What stands behind these in a path."""


class _Failed(Exception):
    """An attempt failed. error: what to raise if no other succeeds. elsewhere: another URL may do better.
    again: so may this one, later.
    """

    def __init__(self, error: RegistryError | RegistryUnreachable, *, elsewhere: bool, again: bool) -> None:
        self.error = error
        self.elsewhere = elsewhere
        self.again = again
        super().__init__(error)

    @property
    def is_answer(self) -> bool:
        """Whether a registry said something."""
        return isinstance(self.error, RegistryError)

    @property
    def wish(self) -> float:
        """For how long it wants to be left alone."""
        wish = self.error.retry_after if isinstance(self.error, RegistryError) else None
        return wish or 0.0


class Exchange:
    """Asks the servers of one registry.

    timeout: seconds for a connection, and for each part of an answer. deadline: seconds for a whole call,
    with all that is repeated. retries: how often all are asked again. context: ``.eu``; None: as asked.
    proxy_of: which proxy a URL is reached through, for messages.
    """

    def __init__(
        self,
        servers: Sequence[Server],
        *,
        timeout: float,
        deadline: float,
        retries: int,
        headers: Mapping[str, str] | None = None,
        context: str | None = None,
        proxy_of: Callable[[str], str | None] | None = None,
    ) -> None:
        arguments.whole_number("retries", retries)
        if retries < 0:
            raise ValueError(f"retries is 0 or more, not {retries}")
        for name, seconds in (("timeout", timeout), ("deadline", deadline)):
            arguments.number(name, seconds)
            if not seconds > 0:
                raise ValueError(f"{name} is a number of seconds above 0, not {seconds}")
        self._servers = tuple(servers)
        self._timeout = timeout
        self._deadline = deadline
        self._retries = retries
        self._headers = {"Accept": _ACCEPT, **checked_headers(headers or {})}
        self._prefix = "" if context is None else f"/contexts/{_segment(context)}"
        self._proxy_of = proxy_of
        self._first = 0
        self._random = SystemRandom()

    @property
    def urls(self) -> tuple[str, ...]:
        """As messages show them."""
        return tuple(server.url for server in self._servers)

    @property
    def deadline(self) -> float:
        """The seconds that a call may take."""
        return self._deadline

    def ask(self, request: Request) -> Steps[Any]:
        """The JSON of the answer; None for an answer without content.

        Raises RegistryError for an error answer, RegistryUnreachable where there is none, TokenError.
        """
        until = time.monotonic() + self._deadline
        order = self._in_order()
        told: _Failed | None = None
        for turn in range(self._retries + 1):
            again, wish = [], 0.0
            for number in order:
                try:
                    answer = yield from self._attempt(self._servers[number], request, until)
                except _Failed as failed:
                    # What a registry said tells more than that another one said nothing.
                    if told is None or failed.is_answer or not told.is_answer:
                        told = failed
                    if failed.is_answer and not failed.error.is_transient:
                        self._first = number  # it is there, and said no
                    if not failed.elsewhere:
                        break
                    if failed.again and failed.wish <= _LONGEST_WISH:
                        again.append(number)
                        wish = max(wish, failed.wish)
                else:
                    self._first = number
                    return answer
            pause = wish + self._random.uniform(0, min(_FIRST_PAUSE * 2.0**turn, _LONGEST_PAUSE))
            if not again or turn == self._retries or time.monotonic() + pause >= until:
                break
            yield Pause(pause)
            order = again
        assert told is not None
        raise told.error from told.error.__cause__

    def unexpected(self, what: str) -> RegistryUnreachable:
        """The error for an answer that no schema registry gives."""
        return RegistryUnreachable(self.urls, f"the answer is not a schema registry's: {what}")

    def _attempt(self, server: Server, request: Request, until: float) -> Steps[Any]:
        """One server, asked once; twice if it answers 401 and there are new credentials."""
        authorization = yield from server.auth.authorization()
        answer = yield from self._send(server, request, until, authorization)
        if answer.status == 401 and authorization is not None:
            server.auth.refused(authorization)
            other = yield from server.auth.authorization()
            if other != authorization:
                answer = yield from self._send(server, request, until, other)
        return self._content(answer, request)

    def _send(
        self, server: Server, request: Request, until: float, authorization: str | None
    ) -> Steps[HttpAnswer]:
        timeout = min(self._timeout, until - time.monotonic())
        if timeout <= 0:
            reason = f"no answer within {self._deadline:g} s"
            raise _Failed(RegistryUnreachable(self.urls, reason), elsewhere=False, again=False)
        headers, content = _content_of(request)
        headers = {**self._headers, **headers}
        if authorization is not None:
            headers["Authorization"] = authorization
        prefix = self._prefix if request.in_context else ""
        url = server.base + prefix + _target(request)
        try:
            return (yield from send(HttpRequest(request.method, url, headers, content, timeout, until)))
        except (httpx2.HTTPError, httpx2.InvalidURL, OSError) as error:  # TLS on asyncio raises as it is
            proxy = self._proxy_of(server.base) if self._proxy_of is not None else None
            through = "" if proxy is None else f", through the proxy {proxy}"
            unreachable = RegistryUnreachable(self.urls, _reason(error, timeout) + through)
            unreachable.__cause__ = error
            possible = request.is_repeatable or isinstance(error, _NOT_SENT)
            raise _Failed(unreachable, elsewhere=possible, again=possible) from None

    def _content(self, answer: HttpAnswer, request: Request) -> Any:
        """Its JSON, if it has the status of one. Raises _Failed."""
        if answer.status >= 300:
            error = _error(answer)
            is_busy = isinstance(error, RegistryBusy)
            elsewhere = request.is_repeatable and (is_busy or answer.status >= 500)
            raise _Failed(error, elsewhere=elsewhere, again=elsewhere and is_busy)
        if answer.status == 204:
            return None
        try:
            return json.loads(answer.content)
        except (ValueError, RecursionError):
            # What stands before a registry that starts may answer with a page: another URL may do better.
            unexpected = self.unexpected(f"no JSON but {_beginning(answer)}")
            raise _Failed(unexpected, elsewhere=request.is_repeatable, again=False) from None

    def _in_order(self) -> list[int]:
        count, first = len(self._servers), self._first
        return [number % count for number in range(first, first + count)]


def checked_headers(headers: Mapping[str, str]) -> dict[str, str]:
    """The headers. Raises ValueError for one that cannot be sent; does not show its value."""
    arguments.properties("headers", headers)
    for name, value in headers.items():
        if not all(isinstance(part, str) for part in (name, value)):
            raise TypeError(f"the header {name!r} is text, as is its value, not {type(value).__name__}")
        if not (name.isascii() and name.isprintable() and value.isascii() and value.isprintable()):
            raise ValueError(f"the header {name!r} has characters that cannot be sent: a line's end, perhaps")
    return dict(headers)


def _content_of(request: Request) -> tuple[dict[str, str], bytes | None]:
    if request.form is not None:
        return {"Content-Type": "application/x-www-form-urlencoded"}, urlencode(request.form).encode()
    if request.body is not None:
        return {"Content-Type": MEDIA_TYPE}, json.dumps(request.body, ensure_ascii=False).encode()
    return {}, None


def _target(request: Request) -> str:
    kind = ""
    for part in request.path:
        _check_segment(kind, part)
        kind = str(part)
    path = "".join(f"/{_segment(part)}" for part in request.path)
    query = request.query.items() if isinstance(request.query, Mapping) else request.query
    return path + ("?" + urlencode([(name, _parameter(value)) for name, value in query]) if query else "")


def _check_segment(kind: str, part: object) -> None:
    """kind: the segment before. Raises TypeError, ValueError: most segments are arguments of the user's."""
    what = _SEGMENTS.get(kind, "a part of the path")
    if not isinstance(part, str | int):
        raise TypeError(f"{what} is {'a number' if kind == 'ids' else 'text'}, not {part!r}")
    if part == "":
        raise ValueError(f"{what} is not empty")
    try:
        str(part).encode()
    except UnicodeEncodeError:
        raise ValueError(f"{what} is text that UTF-8 can hold, not {part!r}") from None


def _segment(part: str | int) -> str:
    encoded = quote(str(part), safe="")
    # "." and ".." would be taken for steps of the path.
    return encoded.replace(".", "%2E") if encoded in {".", ".."} else encoded


def _parameter(value: str | int | bool) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _reason(error: Exception, timeout: float) -> str:
    if isinstance(error, httpx2.ConnectTimeout):
        return f"no connection within {timeout:.3g} s"
    if isinstance(error, httpx2.TimeoutException):
        return f"no answer within {timeout:.3g} s"
    return str(error) or type(error).__name__


def _error(answer: HttpAnswer) -> RegistryError:
    status = answer.status
    try:
        content = json.loads(answer.content)
    except (ValueError, RecursionError):
        content = None
    told = content if isinstance(content, dict) else {}
    code = told.get("error_code")
    if type(code) is not int:
        code = status
    message = str(told.get("message", f"HTTP {status}: {_beginning(answer)}"))
    location = answer.headers.get("location")
    if 300 <= status < 400 and location:
        message = f"HTTP {status}: it sends to {location[:200]!r}: give the registry's own URL"
    wish = retry_after(answer.headers.get("retry-after"))
    return _kind(status, code)(status, code, message, answer.url, retry_after=wish)


def _kind(status: int, code: int) -> type[RegistryError]:
    if status in {401, 403}:
        return Unauthorized
    if status == 404:
        return _NOT_FOUND.get(code, NotFound)
    if status == 409 and code in {409, 40901}:
        return Incompatible
    if status == 422:
        return Refused
    if status in _BUSY or (status == 500 and code in _BUSY_CODES):
        return RegistryBusy
    return RegistryError


def retry_after(value: str | None) -> float | None:
    """The seconds that a Retry-After header asks for; None where it says nothing that can be understood."""
    if value is None:
        return None
    if value.strip().isdecimal() and len(value) < 20:
        return float(value)
    try:
        return max(parsedate_to_datetime(value).timestamp() - time.time(), 0.0)
    except (ValueError, OverflowError):
        return None


def _beginning(answer: HttpAnswer) -> str:
    text = " ".join(answer.content[:1000].decode("utf-8", "replace").split())
    shown = text if len(text) <= 80 else f"{text[:80]}..."
    return repr(shown) if shown else "an empty body"
