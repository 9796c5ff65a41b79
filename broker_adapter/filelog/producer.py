"""Sending records: gathered into batches, which are written when full, when they have waited, or at a flush.

Owns no file; writes through `Partition.append`. A producer may be used by any
thread of the process that made it. In a forked child it is empty and works;
what the parent had gathered is the parent's to write.

A full batch is written by the thread that filled it. That is the
back-pressure: nobody can send faster than the disk takes it, and no queue
grows. Batches that linger are written by one thread of the producer.
"""

import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Final, Self

from broker_adapter.broker import Acknowledgement, Durability, Header, TopicPartition
from broker_adapter.errors import (
    BrokerError,
    Closed,
    DeliveryTimeout,
    InvalidConfig,
    InvalidRecord,
    RecordTooLarge,
    UnknownPartition,
)
from broker_adapter.filelog.batch import HEADER_SIZE, MAX_RECORD_OVERHEAD, NewRecord, encode_batch
from broker_adapter.filelog.compression import Codec
from broker_adapter.filelog.locks import reset_in_child
from broker_adapter.filelog.partition import Partition
from broker_adapter.partitioner import ConsistentPartitioner, Partitioner

_CLOSED: Final = "this producer is closed; ask the broker for another"
_MAX_TIMESTAMP: Final = 0x7FFF_FFFF_FFFF_FFFF


class _Batch:
    """A batch that is being gathered, and what its deliveries wait for."""

    __slots__ = (
        "base_offset",
        "durability",
        "error",
        "is_done",
        "latch",
        "name",
        "records",
        "size",
        "timestamps",
    )

    def __init__(self, name: TopicPartition, durability: Durability) -> None:
        self.name = name
        self.durability = durability
        self.records: list[NewRecord] = []
        self.size = HEADER_SIZE
        self.timestamps: list[int] = []
        self.base_offset = -1
        self.error: BrokerError | None = None
        self.is_done = False
        # Held until the batch is done: an Event would cost as much as writing a record.
        self.latch = threading.Lock()
        self.latch.acquire()

    def finish(self) -> None:
        # Whoever keeps the deliveries must not keep all keys and values with them.
        self.timestamps = [record[0] for record in self.records]
        self.records = []
        self.is_done = True
        self.latch.release()


class FileDelivery:
    """The future of one record: a place in a batch."""

    __slots__ = ("_batch", "_index")

    def __init__(self, batch: _Batch, index: int) -> None:
        self._batch = batch
        self._index = index

    def done(self) -> bool:
        """Whether the record was written, or has failed."""
        return self._batch.is_done

    def result(self, timeout: float | None = None) -> Acknowledgement:
        """See `broker_adapter.broker.Delivery.result`."""
        batch = self._batch
        if not batch.is_done:
            if not batch.latch.acquire(timeout=-1 if timeout is None else max(timeout, 0)):
                raise DeliveryTimeout(
                    f"a record for {batch.name} was not written within {timeout} s; it may be yet: "
                    "flush, or wait on"
                )
            batch.latch.release()
        if batch.error is not None:
            raise batch.error
        topic, partition = batch.name
        timestamp = batch.timestamps[self._index]
        return Acknowledgement(topic, partition, batch.base_offset + self._index, timestamp, batch.durability)


class _Gatherer:
    """The open batch of one partition. Any thread; the lock keeps the partition's records in order."""

    def __init__(self, producer: "FileProducer", partition: Partition, durability: Durability) -> None:
        self.partition = partition
        self._producer = producer
        self._durability = durability
        self._limit = min(producer.batch_size, partition.config.max_message_bytes)
        self._lock = threading.Lock()
        self._batch: _Batch | None = None
        self._is_closed = False

    def add(self, record: NewRecord, size: int) -> FileDelivery:
        with self._lock:
            if self._is_closed:
                raise Closed(_CLOSED)
            batch = self._batch
            if batch is not None and batch.size + size > self._limit:
                self._write(batch)
                batch = None
            if batch is None:
                batch = self._batch = _Batch(self.partition.name, self._durability)
                if self._producer.linger > 0:
                    self._producer.write_later(self, batch)
            batch.records.append(record)
            batch.size += size
            delivery = FileDelivery(batch, len(batch.records) - 1)
            if batch.size >= self._limit or self._producer.linger <= 0:
                self._write(batch)
            return delivery

    def write_if_open(self, batch: _Batch) -> None:
        with self._lock:
            if self._batch is batch:
                self._write(batch)

    def flush(self, deadline: float | None) -> None:
        timeout = -1 if deadline is None else max(deadline - time.monotonic(), 0)
        if not self._lock.acquire(timeout=timeout):
            raise DeliveryTimeout(f"records for {self.partition.name} are still being written; flush again")
        try:
            if self._batch is not None:
                self._write(self._batch)
        finally:
            self._lock.release()

    def close(self) -> None:
        """Write what is open, and take nothing more."""
        with self._lock:
            self._is_closed = True
            if self._batch is not None:
                self._write(self._batch)

    def forget(self) -> None:
        """In a forked child: what is gathered is the parent's."""
        self._lock = threading.Lock()
        if self._batch is not None:
            self._batch.error = Closed(
                "this record was sent before a fork: its delivery is known to the parent only"
            )
            self._batch.finish()
            self._batch = None

    def _write(self, batch: _Batch) -> None:
        self._batch = None
        try:
            data = encode_batch(batch.records, self._producer.codec)
            batch.base_offset = self.partition.append(data, sync=self._durability is Durability.BATCH)
        except BrokerError as error:
            batch.error = error
            self._producer.failed(error)
        except BaseException:
            batch.error = BrokerError(
                f"writing to {batch.name} was interrupted: the records may or may not be there"
            )
            raise
        finally:
            batch.finish()


class FileProducer:
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
        self.linger = linger
        self.batch_size = batch_size
        self.codec = codec
        self._open_topic = open_topic
        self._durability = durability
        self._partitioner = partitioner or ConsistentPartitioner()
        self._on_close = on_close
        self._topics: dict[str, list[_Gatherer]] = {}
        self._closed = False
        self._failure: BrokerError | None = None
        self._reset()
        reset_in_child(self)

    def _reset(self) -> None:
        self._topics_lock = threading.Lock()
        self._lingering: deque[tuple[float, _Gatherer, _Batch]] = deque()
        self._wake = threading.Condition(threading.Lock())
        self._thread: threading.Thread | None = None

    def after_fork(self) -> None:
        """Start empty in a forked child, which has none of the parent's threads."""
        for gatherers in self._topics.values():
            for gatherer in gatherers:
                gatherer.forget()
        self._failure = None
        self._reset()

    # ---------------------------------------------------------------- sending

    def send(
        self,
        topic: str,
        value: bytes | None = None,
        *,
        key: bytes | None = None,
        headers: Sequence[Header] = (),
        partition: int | None = None,
        timestamp: int | None = None,
    ) -> FileDelivery:
        """See `broker_adapter.broker.Producer.send`."""
        gatherers = self._topics.get(topic) or self._gatherers(topic)
        if timestamp is None:
            timestamp = time.time_ns() // 1_000_000
        size = _size(topic, key, value, timestamp)
        if headers:
            headers, more = _checked_headers(topic, headers)
            size += more
        if partition is None:
            partition = self._partitioner(key, len(gatherers))
        if not 0 <= partition < len(gatherers):
            raise UnknownPartition(
                f"topic {topic!r} has no partition {partition}; it has 0 to {len(gatherers) - 1}"
            )
        gatherer = gatherers[partition]
        record: NewRecord = (timestamp, key, value, headers)
        if size + HEADER_SIZE > gatherer.partition.config.max_message_bytes:
            self._check_fits(gatherer.partition, record)
        return gatherer.add(record, size)

    def _gatherers(self, topic: str) -> list[_Gatherer]:
        with self._topics_lock:
            if self._closed:
                raise Closed(_CLOSED)
            if topic not in self._topics:
                partitions = self._open_topic(topic)
                self._topics[topic] = [_Gatherer(self, each, self._durability) for each in partitions]
            return self._topics[topic]

    def _check_fits(self, partition: Partition, record: NewRecord) -> None:
        # Sizes are estimates from above: near the limit it takes the real one.
        size = len(encode_batch([record], self.codec))
        if size > partition.config.max_message_bytes:
            raise RecordTooLarge(
                f"a record for {partition.name} makes a batch of {size} bytes, above the topic's "
                f"max.message.bytes={partition.config.max_message_bytes}; send less or raise that setting"
            )

    def flush(self, timeout: float | None = None) -> None:
        """See `broker_adapter.broker.Producer.flush`."""
        deadline = None if timeout is None else time.monotonic() + timeout
        for gatherer in self._all_gatherers():
            gatherer.flush(deadline)
        self._raise_failure()

    def _all_gatherers(self) -> list[_Gatherer]:
        with self._topics_lock:
            return [gatherer for each in self._topics.values() for gatherer in each]

    def _raise_failure(self) -> None:
        failure, self._failure = self._failure, None
        if failure is not None:
            raise failure

    def failed(self, error: BrokerError) -> None:
        """Remember that a batch was not written, for the next flush to raise."""
        if self._failure is None:
            self._failure = error

    # ---------------------------------------------------------------- lingering

    def write_later(self, gatherer: _Gatherer, batch: _Batch) -> None:
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
            due: list[tuple[_Gatherer, _Batch]] = []
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
        if self._thread is not None:
            self._thread.join()
        self._on_close(self)
        for gatherer in self._all_gatherers():
            gatherer.close()
        self._raise_failure()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _size(topic: str, key: bytes | None, value: bytes | None, timestamp: int) -> int:
    """The most bytes that a record without headers can take in a batch. Raises `InvalidRecord`."""
    size = MAX_RECORD_OVERHEAD
    if key is not None:
        if type(key) is not bytes:
            raise _wrong_type(topic, "key", key)
        size += len(key)
    if value is not None:
        if type(value) is not bytes:
            raise _wrong_type(topic, "value", value)
        size += len(value)
    if type(timestamp) is not int or not 0 <= timestamp <= _MAX_TIMESTAMP:
        raise InvalidRecord(
            f"the timestamp {timestamp!r} of a record for {topic!r} is not milliseconds since 1970"
        )
    return size


def _wrong_type(topic: str, what: str, given: object) -> InvalidRecord:
    return InvalidRecord(
        f"the {what} of a record for {topic!r} is {type(given).__name__}; give bytes or None, "
        "or wrap the producer with serializers"
    )


def _checked_headers(topic: str, headers: Sequence[Header]) -> tuple[tuple[Header, ...], int]:
    """The headers as they will be written, and the most bytes they can take. Raises `InvalidRecord`."""
    checked = []
    size = 5
    for header in headers:
        try:
            name, value = header
            size += 10 + len(name.encode()) + (0 if value is None else len(value))
        except (TypeError, ValueError, AttributeError) as error:
            raise InvalidRecord(
                f"a header of a record for {topic!r} is {header!r}; give (text, bytes or None)"
            ) from error
        if type(name) is not str or not isinstance(value, bytes | None):
            raise InvalidRecord(
                f"a header of a record for {topic!r} is {header!r}; give (text, bytes or None)"
            )
        checked.append((name, value))
    return tuple(checked), size
