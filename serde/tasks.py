"""Drives the client's steps on asyncio."""

import asyncio
import inspect
import time
from collections.abc import Callable, Hashable
from typing import Any, TypeVar

import httpx2

from serde.forking import tell_after_fork
from serde.steps import Call, HttpAnswer, HttpRequest, Later, Once, Pause, Send, Step, Steps

T = TypeVar("T")


class TaskDriver:
    """Carries out each step in the task that runs them; what is done for many in a task of its own, so that
    who is cancelled takes nothing from the others.

    For one event loop at a time: in the next one it has other connections. connect: makes the HTTP
    client. after_fork: is called in a child; fresh: in another event loop.
    """

    _http: httpx2.AsyncClient | None
    _flights: dict[Hashable, asyncio.Task[Any]]
    _jobs: set[asyncio.Task[None]]
    _timers: set[asyncio.TimerHandle]

    def __init__(
        self,
        connect: Callable[[], httpx2.AsyncClient],
        after_fork: Callable[[], None],
        fresh: Callable[[], None],
    ) -> None:
        self._connect = connect
        self._tell = after_fork
        self._fresh = fresh
        self._is_closed = False
        self._loop: asyncio.AbstractEventLoop | None = None
        self._begin(connect())
        tell_after_fork(self)

    async def run(self, steps: Steps[T]) -> T:
        """What the steps come to. Raises what they raise; RuntimeError once the driver is closed."""
        self._enter_loop()
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
                result = await self._do(step)
            except Exception as error:  # noqa: BLE001 - it is raised in the steps
                fault = error

    async def close(self) -> None:
        """Close the connections; who waits for an answer has an error. May be called again."""
        self._is_closed = True
        if self._loop is not asyncio.get_running_loop():
            self._begin(self._http if self._loop is None else None)
        under_way = [*self._flights.values(), *self._jobs]
        for timer in self._timers:
            timer.cancel()
        for task in under_way:
            task.cancel()
        await asyncio.gather(*under_way, return_exceptions=True)
        http, self._http = self._http, None
        if http is not None:
            await http.aclose()

    def after_fork(self) -> None:
        """In a child: other connections. What the parent has is not closed."""
        self._loop = None
        self._begin(None)
        self._tell()

    def _begin(self, http: httpx2.AsyncClient | None) -> None:
        self._http = http
        self._flights = {}
        self._jobs = set()
        self._timers = set()

    def _enter_loop(self) -> None:
        """Drop what belongs to a loop that has ended: connections, tasks, timers."""
        loop = asyncio.get_running_loop()
        if self._loop is loop:
            return
        if self._loop is not None:
            if self._loop.is_running():
                raise RuntimeError("an AsyncRegistryClient is for one event loop: make another for this one")
            self._begin(None)
            self._fresh()
        self._loop = loop

    async def _do(self, step: Step) -> Any:
        match step:
            case Send():
                return await self._send(step.request)
            case Pause():
                return await asyncio.sleep(step.seconds)
            case Once():
                return await self._once(step)
            case Later():
                return self._later(step)
            case Call():
                given = step.function()
                return await given if inspect.isawaitable(given) else given

    async def _send(self, request: HttpRequest) -> HttpAnswer:
        self._check_open()
        if self._http is None:
            self._http = self._connect()
        try:
            async with asyncio.timeout(request.until - time.monotonic()):
                response = await self._http.request(
                    request.method,
                    request.url,
                    headers=dict(request.headers),
                    content=request.content,
                    timeout=request.timeout,
                )
        except TimeoutError:
            raise httpx2.ReadTimeout("the answer takes too long") from None
        except Exception:
            self._check_open()  # closing breaks off what is under way, in one way or another
            raise
        return HttpAnswer(response.status_code, response.headers, response.content, request.url)

    def _check_open(self) -> None:
        if self._is_closed:
            raise RuntimeError("the registry client is closed") from None

    async def _once(self, step: Once[T]) -> T:
        self._check_open()
        flights = self._flights
        flight: asyncio.Task[T] | None = flights.get(step.key)
        if flight is None:
            flight = flights[step.key] = asyncio.create_task(self.run(step.make()))
            flight.add_done_callback(lambda _: flights.pop(step.key))
        try:
            return await asyncio.shield(flight)
        except asyncio.CancelledError:
            if self._is_closed and flight.cancelled():
                self._check_open()
            raise

    def _later(self, step: Later) -> None:
        if self._is_closed:
            return

        def begin() -> None:
            self._timers.discard(timer)
            job = asyncio.create_task(self.run(step.make()))
            self._jobs.add(job)
            job.add_done_callback(self._jobs.discard)

        timer = asyncio.get_running_loop().call_later(step.seconds, begin)
        self._timers.add(timer)
