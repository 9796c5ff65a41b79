"""A producer for asyncio: records are handed to a thread, which may wait for a disk or a cluster.

For the tasks of one event loop. The loop itself never waits: what is not sent
yet is bounded, and a task that comes when the bound is met waits alone.
"""

import asyncio
import threading
from collections import deque
from collections.abc import Callable, Sequence
from functools import partial
from types import TracebackType
from typing import Any, Final, Generic, Self, TypeAlias, TypeVar

from broker_adapter.broker import Acknowledgement, Delivery, Header, Producer
from broker_adapter.errors import Closed, InvalidConfig

K = TypeVar("K")
V = TypeVar("V")

_Job: TypeAlias = tuple[Callable[[], object], "asyncio.Future[Any]", bool]
"""What to call, whose result that is, and whether it sends a record, which is done only later."""

_CLOSED: Final = "this producer is closed; make another"


class AsyncProducer(Generic[K, V]):
    """A `broker_adapter.Producer` whose calls are awaited. It owns the producer and closes it.

    Records are sent in the order in which `send` was awaited.
    """

    def __init__(self, producer: Producer[K, V], *, max_waiting: int = 10_000) -> None:
        """`max_waiting` is how many records may wait for the thread before `send` waits. For a running loop.

        Raises `InvalidConfig`.
        """
        if max_waiting < 1:
            raise InvalidConfig(f"max_waiting={max_waiting} must not be below 1")
        self._producer = producer
        self._max_waiting = max_waiting
        self._loop = asyncio.get_running_loop()
        self._failure: BaseException | None = None
        """The first failure to send at all since the last flush; failures to write are the producer's."""
        self._closed = False
        self._stopping = False
        self._waiters: list[asyncio.Future[None]] = []
        """Of sends that wait for room."""
        self._jobs: deque[_Job] = deque()
        self._wake = threading.Condition()
        self._outcomes: deque[tuple[asyncio.Future[Any], Callable[[], object]]] = deque()
        self._is_telling = False
        self._tell = threading.Lock()
        self._thread = threading.Thread(target=self._work, name="fivebyte-async-producer", daemon=True)
        self._thread.start()

    async def send(
        self,
        topic: str,
        value: V | None = None,
        *,
        key: K | None = None,
        headers: Sequence[Header] = (),
        partition: int | None = None,
        timestamp: int | None = None,
    ) -> "asyncio.Future[Acknowledgement]":
        """Take a record for writing and return its future, which raises whatever went wrong with it.

        Raises `Closed`. What nobody awaited is raised by `flush`.
        """
        while len(self._jobs) >= self._max_waiting:
            waiter: asyncio.Future[None] = self._loop.create_future()
            self._waiters.append(waiter)
            await waiter
        if self._closed:
            raise Closed(_CLOSED)
        future: asyncio.Future[Acknowledgement] = self._loop.create_future()
        call = partial(
            self._producer.send,
            topic,
            value,
            key=key,
            headers=headers,
            partition=partition,
            timestamp=timestamp,
            on_delivery=partial(self._delivered, future),
        )
        self._add((call, future, True))
        return future

    async def flush(self, timeout: float | None = None) -> None:
        """Have all that was sent written. Raises as `broker_adapter.Producer.flush`."""
        if self._closed:
            raise Closed(_CLOSED)
        await self._call(partial(self._producer.flush, timeout))
        self._raise_failure()

    async def close(self) -> None:
        """Flush and let go; a second call does nothing. Raises as `flush`."""
        if not self._closed:
            self._closed = True
            try:
                await self._call(self._producer.close)
            finally:
                with self._wake:
                    self._stopping = True
                    self._wake.notify()
            self._raise_failure()

    async def _call(self, function: Callable[[], object]) -> None:
        future: asyncio.Future[object] = self._loop.create_future()
        self._add((function, future, False))
        await future

    def _raise_failure(self) -> None:
        failure, self._failure = self._failure, None
        if failure is not None:
            raise failure

    # ---------------------------------------------------------------- the thread

    def _add(self, job: _Job) -> None:
        with self._wake:
            self._jobs.append(job)
            self._wake.notify()

    def _work(self) -> None:
        while True:
            with self._wake:
                while not self._jobs:
                    if self._stopping:
                        return
                    self._wake.wait()
                call, future, is_record = self._jobs[0]
            try:
                result = call()
            except BaseException as error:  # noqa: BLE001 - it is raised where it is awaited
                self._finish(future, partial(_raise, error))
                if is_record and self._failure is None:
                    self._failure = error
            else:
                if not is_record:
                    self._finish(future, partial(_give, result))
            self._jobs.popleft()
            if len(self._jobs) == self._max_waiting // 2:
                self._on_loop(self._tell_of_room)

    def _delivered(self, future: "asyncio.Future[Acknowledgement]", delivery: Delivery) -> None:
        self._finish(future, partial(delivery.result, 0))

    def _finish(self, future: "asyncio.Future[Any]", outcome: Callable[[], object]) -> None:
        """From any thread: have the loop settle `future`. The loop is woken once for many."""
        with self._tell:
            self._outcomes.append((future, outcome))
            if self._is_telling:
                return
            self._is_telling = True
        self._on_loop(self._settle)

    def _on_loop(self, callback: Callable[[], object]) -> None:
        try:
            self._loop.call_soon_threadsafe(callback)
        except RuntimeError:
            return  # the loop was closed: nobody waits any more

    # ---------------------------------------------------------------- in the loop

    def _settle(self) -> None:
        with self._tell:
            outcomes, self._outcomes = self._outcomes, deque()
            self._is_telling = False
        for future, outcome in outcomes:
            if future.done():
                continue  # cancelled by who waited for it
            try:
                future.set_result(outcome())
            except BaseException as error:  # noqa: BLE001 - it is raised where it is awaited
                future.set_exception(error)
                future.exception()  # flush raises it, too: asyncio need not complain that nobody looked

    def _tell_of_room(self) -> None:
        waiters, self._waiters = self._waiters, []
        for waiter in waiters:
            if not waiter.done():
                waiter.set_result(None)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()


def _give(result: object) -> object:
    return result


def _raise(error: BaseException) -> None:
    raise error
