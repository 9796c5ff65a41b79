"""Sending records: gathered into batches, which are written when full, when they have waited, or at a flush.

Owns no file; writes through `Gatherer`. A producer may be used by any
thread of the process that made it. In a forked child it is empty and works;
what the parent had gathered is the parent's to write.

A full batch is written by the thread that filled it. That is the
back-pressure: nobody can send faster than the disk takes it, and no queue
grows. Batches that linger are written by one thread of the producer.
"""

import threading
import time
from collections import deque
from collections.abc import Callable
from types import TracebackType
from typing import TYPE_CHECKING, Self

from broker_adapter.broker import Durability
from broker_adapter.errors import BrokerError, Closed, InvalidConfig, UnknownTopic
from broker_adapter.filelog import gathering
from broker_adapter.filelog.compression import Codec
from broker_adapter.filelog.gathering import CLOSED, Batch
from broker_adapter.filelog.native import built
from broker_adapter.filelog.partition import Partition
from broker_adapter.forks import reset_in_child
from broker_adapter.partitioner import ConsistentPartitioner, Partitioner

if TYPE_CHECKING:
    from broker_adapter.filelog.gathering import Gatherer, Sender
else:
    # The same source, compiled if it can be had.
    _gathering = built("gathering") or gathering
    Gatherer, Sender = _gathering.Gatherer, _gathering.Sender


class FileProducer(Sender):
    """A producer to a file log. See `broker_adapter.broker.Producer`."""

    def __init__(
        self,
        open_topic: Callable[[str], list[Partition]],
        durability: Durability,
        *,
        linger: float,
        batch_size: int,
        codec: Codec,
        partitioner: Partitioner | None = None,
        on_close: Callable[["FileProducer"], None] = lambda _: None,
    ) -> None:
        """`open_topic` gives a topic's partitions, or raises `UnknownTopic`. Raises `InvalidConfig`."""
        if linger < 0 or batch_size < 1:
            raise InvalidConfig(f"linger={linger} and batch_size={batch_size} must not be below 0 and 1")
        super().__init__(linger, batch_size, codec, durability, partitioner or ConsistentPartitioner())
        self._open_topic = open_topic
        self._on_close = on_close
        self._deleted: list[Gatherer] = []
        self._closed = False
        self._failure: BrokerError | None = None
        self._reset()
        reset_in_child(self)

    def _reset(self) -> None:
        self._topics_lock = threading.Lock()
        self._lingering: deque[tuple[float, Gatherer, Batch]] = deque()
        self._wake = threading.Condition(threading.Lock())
        self._thread: threading.Thread | None = None

    def after_fork(self) -> None:
        """Start empty in a forked child, which has none of the parent's threads."""
        self.forget()
        self._failure = None
        self._reset()

    # ---------------------------------------------------------------- topics

    def _gatherers(self, topic: str) -> list[Gatherer]:
        with self._topics_lock:
            if self._closed:
                raise Closed(CLOSED)
            if topic not in self._topics:
                partitions = self._open_topic(topic)
                self._topics[topic] = [Gatherer(self, each) for each in partitions]
            return self._topics[topic]

    def flush(self, timeout: float | None = None) -> None:
        """See `broker_adapter.broker.Producer.flush`."""
        deadline = None if timeout is None else time.monotonic() + timeout
        try:
            for gatherer in self._all_gatherers():
                gatherer.flush(deadline)
        finally:
            self.callbacks.call()
        self.callbacks.all_called(deadline)
        self._raise_failure()

    def _all_gatherers(self) -> list[Gatherer]:
        with self._topics_lock:
            return [*self._deleted, *(gatherer for each in self._topics.values() for gatherer in each)]

    def _raise_failure(self) -> None:
        failure, self._failure = self._failure, None
        if failure is not None:
            raise failure

    def failed(self, topic: str, error: BrokerError) -> None:
        """Remember that a batch was not written, for the next flush to raise."""
        if isinstance(error, UnknownTopic):
            # Deleted, and perhaps made again: the next send looks. What is gathered is still to be settled.
            self._deleted += self._topics.pop(topic, [])
        if self._failure is None:
            self._failure = error

    # ---------------------------------------------------------------- lingering

    def write_later(self, gatherer: Gatherer, batch: Batch) -> None:
        """Have `batch` written once it has lingered, if it was not written before."""
        with self._wake:
            self._lingering.append((time.monotonic() + self.linger, gatherer, batch))
            if self._thread is None:
                self._thread = threading.Thread(
                    target=self._write_lingering, name="fivebyte-linger", daemon=True
                )
                self._thread.start()
            elif len(self._lingering) == 1:
                self._wake.notify()

    def _write_lingering(self) -> None:
        while True:
            due: list[tuple[Gatherer, Batch]] = []
            with self._wake:
                while not self._lingering and not self._closed:
                    self._wake.wait()
                if self._closed:
                    return
                # Deadlines are in order, since all batches linger for the same time.
                self._wake.wait(max(self._lingering[0][0] - time.monotonic(), 0))
                now = time.monotonic()
                while self._lingering and self._lingering[0][0] <= now:
                    _, gatherer, batch = self._lingering.popleft()
                    due.append((gatherer, batch))
            for gatherer, batch in due:
                if not batch.is_done:
                    gatherer.write_if_open(batch)

    # ---------------------------------------------------------------- closing

    def close(self) -> None:
        """See `broker_adapter.broker.Producer.close`."""
        with self._topics_lock:
            if self._closed:
                return
            self._closed = True
        with self._wake:
            self._wake.notify()
        if self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join()
        self._on_close(self)
        try:
            for gatherer in self._all_gatherers():
                gatherer.close()
        finally:
            self.callbacks.call()
        self.callbacks.all_called(None)
        self._raise_failure()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
