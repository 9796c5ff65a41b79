"""Drives the client's steps on threads."""

import threading
import time
from collections.abc import Callable, Hashable
from concurrent.futures import Future
from typing import Any, TypeVar

import httpx2

from serde.background import Background
from serde.forking import tell_after_fork
from serde.steps import Call, HttpAnswer, HttpRequest, Later, Once, Pause, Send, Step, Steps

T = TypeVar("T")


class _Abandoned(Exception):
    """Who asked for all was interrupted: another of those that wait asks."""


class ThreadDriver:
    """Carries out each step on the thread that runs them; background jobs on threads of their own.

    connect: makes the HTTP client; it is called again in a child process. after_fork: is called there
    before anything else.
    """

    _http: httpx2.Client | None
    _lock: threading.Lock
    _flights: dict[Hashable, Future[Any]]
    _background: Background

    def __init__(self, connect: Callable[[], httpx2.Client], after_fork: Callable[[], None]) -> None:
        self._connect = connect
        self._tell = after_fork
        self._closing = threading.Event()
        self._begin(connect())
        tell_after_fork(self)

    def run(self, steps: Steps[T]) -> T:
        """What the steps come to. Raises what they raise; RuntimeError once the driver is closed."""
        result: Any = None
        fault: Exception | None = None
        while True:
            try:
                step = steps.send(result) if fault is None else steps.throw(fault)
            except StopIteration as done:
                value: T = done.value
                return value
            result, fault = None, None
            try:
                result = self._do(step)
            except Exception as error:  # noqa: BLE001 - it is raised in the steps
                fault = error

    def close(self) -> None:
        """Close the connections. Pauses end now, what was sent ends at its timeout, each with an error."""
        self._closing.set()
        self._background.close()
        with self._lock:
            http, self._http = self._http, None
        if http is not None:
            http.close()

    def after_fork(self) -> None:
        """In a child: other connections, and locks that nobody holds. What the parent has is not closed."""
        was_closed = self._closing.is_set()
        self._closing = threading.Event()
        if was_closed:
            self._closing.set()
        self._begin(None)
        self._tell()

    def _begin(self, http: httpx2.Client | None) -> None:
        self._http = http
        self._lock = threading.Lock()
        self._flights = {}
        self._background = Background()

    def _do(self, step: Step) -> Any:
        match step:
            case Send():
                return self._send(step.request)
            case Pause():
                return self._closing.wait(step.seconds)
            case Once():
                return self._once(step)
            case Later():
                return self._background.later(step.seconds, lambda: self._in_background(step))
            case Call():
                return step.function()

    def _send(self, request: HttpRequest) -> HttpAnswer:
        http = self._client()
        try:
            with http.stream(
                request.method,
                request.url,
                headers=dict(request.headers),
                content=request.content,
                timeout=request.timeout,
            ) as response:
                content = _content(response, request.until)
            return HttpAnswer(response.status_code, response.headers, content, request.url)
        except Exception:
            self._check_open()  # closing breaks off what is under way, in one way or another
            raise

    def _client(self) -> httpx2.Client:
        with self._lock:
            self._check_open()
            if self._http is None:
                self._http = self._connect()
            return self._http

    def _check_open(self) -> None:
        if self._closing.is_set():
            raise RuntimeError("the registry client is closed") from None

    def _once(self, step: Once[T]) -> T:
        while True:
            with self._lock:
                flight: Future[T] | None = self._flights.get(step.key)
                if flight is None:
                    mine: Future[T] = Future()
                    self._flights[step.key] = mine
            if flight is None:
                return self._lead(step, mine)
            try:
                return flight.result()
            except _Abandoned:
                continue

    def _lead(self, step: Once[T], flight: Future[T]) -> T:
        try:
            value = self.run(step.make())
        except BaseException as error:
            self._land(step.key)
            flight.set_exception(error if isinstance(error, Exception) else _Abandoned())
            raise
        self._land(step.key)
        flight.set_result(value)
        return value

    def _land(self, key: Hashable) -> None:
        with self._lock:
            self._flights.pop(key, None)

    def _in_background(self, step: Later) -> None:
        try:
            self.run(step.make())
        except RuntimeError:
            if not self._closing.is_set():
                raise


def _content(response: httpx2.Response, until: float) -> bytes:
    """All of the answer's body. A timeout is for a part of it, and they may be many."""
    content = bytearray()
    for part in response.iter_bytes():
        content += part
        if time.monotonic() > until:
            raise httpx2.ReadTimeout("the answer takes too long", request=response.request)
    return bytes(content)
