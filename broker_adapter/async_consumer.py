"""A consumer for asyncio: each call runs in a thread of the consumer's own.

One task reads at a time; others may commit meanwhile, or ask. A call that is
cancelled loses nothing: what was read for it is given to the next.
"""

import asyncio
import time
from collections import deque
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from types import TracebackType
from typing import Final, Generic, Self, TypeVar

from broker_adapter.broker import Consumer, Record, TopicPartition
from broker_adapter.errors import BrokerError, Closed

K = TypeVar("K")
V = TypeVar("V")
T = TypeVar("T")

_SLICE_SECONDS: Final = 0.25
"""For how long the thread waits for records: what is called after a cancelled poll waits as long at most."""
_FETCH_RECORDS: Final = 1000


class AsyncConsumer(Generic[K, V]):
    """A `broker_adapter.Consumer` whose calls are awaited. It owns the consumer and closes it.

    Its calls raise what the consumer's raise.
    """

    def __init__(self, consumer: Consumer[K, V], *, idle_timeout: float | None = None) -> None:
        """`idle_timeout` ends iteration after so many seconds without a record; the consumer's does not."""
        self._consumer = consumer
        self._idle_timeout = idle_timeout
        self._executor = ThreadPoolExecutor(1, thread_name_prefix="fivebyte-async-consumer")
        self._ahead: deque[Record[K, V]] = deque()
        """Read, and not had by the caller."""
        self._polling: asyncio.Future[list[Record[K, V]]] | None = None
        self._closed = False

    # ---------------------------------------------------------------- reading

    async def poll(self, timeout: float = 0.0, max_records: int = 1000) -> list[Record[K, V]]:
        """See `broker_adapter.Consumer.poll`."""
        await self._fill(timeout, max_records)
        return [self._ahead.popleft() for _ in range(min(len(self._ahead), max_records))]

    async def __aiter__(self) -> AsyncIterator[Record[K, V]]:
        """Records one at a time, for ever, or until none came for `idle_timeout`."""
        while await self._fill(self._idle_timeout, _FETCH_RECORDS):
            while self._ahead:
                yield self._ahead.popleft()

    async def batches(self, max_records: int = 1000) -> AsyncIterator[list[Record[K, V]]]:
        """Lists of 1 to `max_records` records, for as long as iteration goes on."""
        while await self._fill(self._idle_timeout, max_records):
            yield [self._ahead.popleft() for _ in range(min(len(self._ahead), max_records))]

    async def _fill(self, timeout: float | None, max_records: int) -> bool:
        """Read on if the caller has had all; whether there is a record."""
        self._check_open()
        deadline = None if timeout is None else time.monotonic() + timeout
        while not self._ahead:
            if self._polling is None:
                left = _SLICE_SECONDS if deadline is None else max(deadline - time.monotonic(), 0)
                loop = asyncio.get_running_loop()
                self._polling = loop.run_in_executor(
                    self._executor, self._consumer.poll, min(left, _SLICE_SECONDS), max_records
                )
            await self._take_polled()
            if deadline is not None and time.monotonic() >= deadline:
                break
        return bool(self._ahead)

    async def _take_polled(self) -> None:
        """Wait for the poll that is under way. Who is cancelled leaves what comes of it to the next."""
        polling = self._polling
        if polling is not None:
            await asyncio.wait([polling])
            if self._polling is polling:  # of several who waited for it, the first has what came
                self._polling = None
                self._ahead.extend(polling.result())

    # ---------------------------------------------------------------- places

    async def _run(self, function: Callable[[], T]) -> T:
        self._check_open()
        with suppress(BrokerError):  # of a poll that nobody waits for: the next one raises it again
            await self._take_polled()
        return await asyncio.get_running_loop().run_in_executor(self._executor, function)

    def _first_ahead(self) -> dict[TopicPartition, int]:
        """The position of each partition from which the caller has not had all that was read."""
        first: dict[TopicPartition, int] = {}
        for record in self._ahead:
            first.setdefault(TopicPartition(record.topic, record.partition), record.offset)
        return first

    def _drop_ahead(self, partitions: Sequence[TopicPartition]) -> None:
        self._ahead = deque(
            each for each in self._ahead if TopicPartition(each.topic, each.partition) not in partitions
        )

    async def assignment(self) -> frozenset[TopicPartition]:
        """See `broker_adapter.Consumer.assignment`."""
        return await self._run(self._consumer.assignment)

    async def assign(self, partitions: Sequence[TopicPartition]) -> None:
        """See `broker_adapter.Consumer.assign`."""
        await self._run(lambda: self._consumer.assign(partitions))
        self._ahead.clear()

    async def position(self, partition: TopicPartition) -> int:
        """See `broker_adapter.Consumer.position`."""
        position = await self._run(lambda: self._consumer.position(partition))
        return self._first_ahead().get(partition, position)

    async def seek(self, partition: TopicPartition, offset: int) -> None:
        """See `broker_adapter.Consumer.seek`."""
        await self._run(lambda: self._consumer.seek(partition, offset))
        self._drop_ahead([partition])

    async def seek_to_timestamp(self, partition: TopicPartition, timestamp: int) -> int:
        """See `broker_adapter.Consumer.seek_to_timestamp`."""
        offset = await self._run(lambda: self._consumer.seek_to_timestamp(partition, timestamp))
        self._drop_ahead([partition])
        return offset

    async def pause(self, partitions: Sequence[TopicPartition]) -> None:
        """See `broker_adapter.Consumer.pause`."""
        await self._run(lambda: self._consumer.pause(partitions))
        first = self._first_ahead()
        for partition in partitions:
            if partition in first:
                await self.seek(partition, first[partition])

    async def resume(self, partitions: Sequence[TopicPartition]) -> None:
        """See `broker_adapter.Consumer.resume`."""
        await self._run(lambda: self._consumer.resume(partitions))

    async def paused(self) -> frozenset[TopicPartition]:
        """See `broker_adapter.Consumer.paused`."""
        return await self._run(self._consumer.paused)

    async def lag(self) -> dict[TopicPartition, int]:
        """See `broker_adapter.Consumer.lag`."""
        lags = await self._run(self._consumer.lag)
        for record in self._ahead:
            name = TopicPartition(record.topic, record.partition)
            lags[name] = lags.get(name, 0) + 1
        return lags

    async def offset_for_timestamp(self, partition: TopicPartition, timestamp: int) -> int | None:
        """See `broker_adapter.Consumer.offset_for_timestamp`."""
        return await self._run(lambda: self._consumer.offset_for_timestamp(partition, timestamp))

    async def watermarks(self, partition: TopicPartition) -> tuple[int, int]:
        """See `broker_adapter.Consumer.watermarks`."""
        return await self._run(lambda: self._consumer.watermarks(partition))

    # ---------------------------------------------------------------- the group

    async def commit(self, offsets: Mapping[TopicPartition, int] | None = None) -> None:
        """See `broker_adapter.Consumer.commit`."""
        await self._run(lambda: self._commit(offsets))

    def _commit(self, offsets: Mapping[TopicPartition, int] | None) -> None:
        if offsets is None and self._ahead:
            consumer, first = self._consumer, self._first_ahead()
            offsets = {name: first.get(name, consumer.position(name)) for name in consumer.assignment()}
        self._consumer.commit(offsets)

    async def committed(self, partition: TopicPartition) -> int | None:
        """See `broker_adapter.Consumer.committed`."""
        return await self._run(lambda: self._consumer.committed(partition))

    # ---------------------------------------------------------------- closing

    def _check_open(self) -> None:
        if self._closed:
            raise Closed("this consumer is closed; make another")

    async def close(self) -> None:
        """See `broker_adapter.Consumer.close`."""
        if not self._closed:
            try:
                await self._run(self._consumer.close)
            finally:
                self._closed = True
                self._ahead.clear()
                self._executor.shutdown(wait=False)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()
