# cython: annotation_typing=False, freethreading_compatible=True
"""Records on their way into a partition: the batches they are gathered in, and their futures.

Owns no file; writes through `Partition.append`. Any thread of the process that
gathers; what a forked child finds gathered is the parent's to write.

Every record of a producer goes through here, so this file is compiled, too,
where that can be done, with ``native/gathering.pxd`` for types. An install
compiles it (`make` does when it was changed), and the tests run both.
"""

import threading
import time
from collections.abc import Sequence
from time import time_ns
from typing import Final

from broker_adapter.broker import Acknowledgement, DeliveryCallback, Durability, Header, TopicPartition
from broker_adapter.callbacks import Callbacks
from broker_adapter.checks import check_parts, checked_headers
from broker_adapter.errors import (
    BrokerError,
    Closed,
    DeliveryTimeout,
    InvalidRecord,
    RecordTooLarge,
    UnknownPartition,
)
from broker_adapter.filelog.batch import HEADER_SIZE, MAX_RECORD_OVERHEAD, NewRecord, encode_batch
from broker_adapter.filelog.compression import Codec
from broker_adapter.filelog.partition import Appended, Partition
from broker_adapter.filelog.producers import MAX_SEQUENCE, new_producer_id
from broker_adapter.partitioner import Partitioner

CLOSED: Final = "this producer is closed; ask the broker for another"


class Batch:
    """A batch that is being gathered, and what its deliveries wait for."""

    __slots__ = (
        "append_time",
        "base_offset",
        "callbacks",
        "durability",
        "error",
        "is_done",
        "is_settled",
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
        self.callbacks: list[tuple[DeliveryCallback, FileDelivery]] = []
        self.base_offset = -1
        self.append_time: int | None = None
        self.is_settled = False
        """Whether it was written though the writing was interrupted."""
        self.error: BrokerError | None = None
        self.is_done = False
        # Held until the batch is done: an Event would cost as much as writing a record.
        self.latch = threading.Lock()
        self.latch.acquire()

    def finish(self) -> None:
        """Let those go on who wait for it."""
        # Whoever keeps the deliveries must not keep all keys and values with them.
        self.timestamps = [record[0] for record in self.records]
        self.records = []
        self.is_done = True
        self.latch.release()


class FileDelivery:
    """The future of one record: a place in a batch."""

    __slots__ = ("_batch", "_index")

    _batch: Batch
    _index: int

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
        timestamp = batch.timestamps[self._index] if batch.append_time is None else batch.append_time
        return Acknowledgement(topic, partition, batch.base_offset + self._index, timestamp, batch.durability)


class Gatherer:
    """The open batch of one partition. Any thread; the lock keeps the partition's records in order."""

    def __init__(self, sender: "Sender", partition: Partition) -> None:
        self.partition = partition
        self._sender = sender
        self._writes_at_once = sender.linger <= 0
        self._begin_again()
        self._take_settings()
        self._lock = threading.Lock()
        self._batch: Batch | None = None
        self._callbacks = sender.callbacks
        self._due = sender.callbacks.due
        self._is_closed = False

    def add(self, record: NewRecord, size: int, on_delivery: DeliveryCallback | None) -> FileDelivery:
        """Take a record of at most `size` bytes, and write what is full."""
        # Every record goes through here: a further call would cost as much as all of it.
        try:
            with self._lock:
                batch = self._batch
                if batch is None or batch.size + size > self._limit:
                    batch = self._next(batch)
                records = batch.records
                delivery = FileDelivery.__new__(FileDelivery)  # compiled, far cheaper than an __init__
                delivery._batch = batch
                delivery._index = len(records)
                records.append(record)
                batch.size += size
                if on_delivery is not None:
                    batch.callbacks.append((on_delivery, delivery))
                if batch.size >= self._limit or self._writes_at_once:
                    self._write(batch)
                return delivery
        finally:
            # Also where a write was interrupted: who asked to be told is told.
            if self._due:
                self._callbacks.call()

    def _next(self, batch: Batch | None) -> Batch:
        """Write what is open, and begin another batch."""
        if self._is_closed:
            raise Closed(CLOSED)
        if batch is not None:
            self._write(batch)
        # The topic's settings may have been altered since the last batch.
        self._take_settings()
        durability = self.partition.config.durability(self._sender.durability)
        batch = self._batch = Batch(self.partition.name, durability)
        if not self._writes_at_once:
            self._sender.write_later(self, batch)
        return batch

    def _take_settings(self) -> None:
        config = self.partition.config
        self._limit = min(self._sender.batch_size, config.max_message_bytes)
        self.largest_sure = config.max_message_bytes - HEADER_SIZE
        self.needs_keys = config.is_compacted

    def write_if_open(self, batch: Batch) -> None:
        """Write `batch` unless it was written."""
        try:
            with self._lock:
                if self._batch is batch:
                    self._write(batch)
        finally:
            self._callbacks.call()

    def flush(self, deadline: float | None) -> None:
        """Write what is open, by `deadline` of the monotonic clock. Raises `DeliveryTimeout`."""
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
        self._begin_again()
        if self._batch is not None:
            self._batch.error = Closed(
                "this record was sent before a fork: its delivery is known to the parent only"
            )
            self._batch.finish()
            self._batch = None

    def _begin_again(self) -> None:
        """Number batches from 0, as another producer."""
        self._producer_id = new_producer_id()
        self._sequence = 0

    def _write(self, batch: Batch) -> None:
        self._batch = None
        try:
            codec = self.partition.config.codec
            data = encode_batch(
                batch.records,
                self._sender.codec if codec is None else codec,
                (self._producer_id, 0, self._sequence),
            )
            appended = self._append(batch, data)
            batch.base_offset, batch.append_time = appended.base_offset, appended.append_time
            self._sequence = (self._sequence + len(batch.records)) & MAX_SEQUENCE
        except BrokerError as error:
            batch.error = error
            self._begin_again()
            self._sender.failed(batch.name.topic, error)
        except BaseException:
            if not batch.is_settled:
                batch.error = BrokerError(
                    f"writing to {batch.name} was interrupted: the records may or may not be there"
                )
            self._begin_again()
            raise
        finally:
            batch.finish()
            self._callbacks.due.extend(batch.callbacks)
            batch.callbacks = []

    def _append(self, batch: Batch, data: bytes) -> Appended:
        sync = batch.durability is Durability.BATCH
        try:
            return self.partition.append_batch(data, sync=sync)
        except BrokerError:
            raise
        except BaseException:
            # Interrupted, and nobody knows how far it came. Its numbers tell the log if it is there already.
            appended = self.partition.append_batch(data, sync=sync)
            batch.base_offset, batch.append_time = appended.base_offset, appended.append_time
            batch.is_settled = True
            raise


class Sender:
    """The way of every record: checked, given a partition, gathered. A producer is one."""

    def __init__(
        self, linger: float, batch_size: int, codec: Codec, durability: Durability, partitioner: Partitioner
    ) -> None:
        """`linger` in seconds, `batch_size` in bytes; `codec` and `durability` where a topic has none."""
        self.linger = linger
        self.batch_size = batch_size
        self.codec = codec
        self.durability = durability
        self.callbacks = Callbacks()
        self._partitioner = partitioner
        self._topics: dict[str, list[Gatherer]] = {}

    def _gatherers(self, topic: str) -> list[Gatherer]:
        """Open a topic: a gatherer for each partition. Raises `UnknownTopic` or `Closed`."""
        raise NotImplementedError

    def write_later(self, gatherer: Gatherer, batch: Batch) -> None:
        """Have `batch` written once it has lingered, if it was not written before."""
        raise NotImplementedError

    def failed(self, topic: str, error: BrokerError) -> None:
        """Remember that a batch was not written, for the next flush to raise."""
        raise NotImplementedError

    def send(
        self,
        topic: str,
        value: bytes | None = None,
        *,
        key: bytes | None = None,
        headers: Sequence[Header] = (),
        partition: int | None = None,
        timestamp: int | None = None,
        on_delivery: DeliveryCallback | None = None,
    ) -> FileDelivery:
        """See `broker_adapter.broker.Producer.send`."""
        gatherers = self._topics.get(topic) or self._gatherers(topic)
        size = MAX_RECORD_OVERHEAD
        if timestamp is None and type(value) is bytes and (key is None or type(key) is bytes):
            # What almost every record is costs no further call.
            timestamp = time_ns() // 1_000_000
            size += len(value) if key is None else len(value) + len(key)
        else:
            if timestamp is None:
                timestamp = time_ns() // 1_000_000
            check_parts(topic, key, value, timestamp)
            size += len(key or b"") + len(value or b"")
        if headers:
            headers, more = checked_headers(topic, headers)
            size += more
        else:
            headers = ()  # whatever was given: what encodes records in C takes tuples
        if partition is None:
            partition = self._partitioner(key, len(gatherers))
        if not 0 <= partition < len(gatherers):
            raise UnknownPartition(
                f"topic {topic!r} has no partition {partition}; it has 0 to {len(gatherers) - 1}"
            )
        gatherer = gatherers[partition]
        if key is None and gatherer.needs_keys:
            raise InvalidRecord(f"topic {topic!r} is compacted by key, and this record has none; give it one")
        record: NewRecord = (timestamp, key, value, headers)
        if size > gatherer.largest_sure:
            self._check_fits(gatherer.partition, record)
        return gatherer.add(record, size, on_delivery)

    def _check_fits(self, partition: Partition, record: NewRecord) -> None:
        # Sizes are estimates from above: near the limit it takes the real one.
        size = len(encode_batch([record], self.codec))
        if size > partition.config.max_message_bytes:
            raise RecordTooLarge(
                f"a record for {partition.name} makes a batch of {size} bytes, above the topic's "
                f"max.message.bytes={partition.config.max_message_bytes}; send less or raise that setting"
            )

    def forget(self) -> None:
        """In a forked child: what was sent is the parent's."""
        for gatherers in self._topics.values():
            for gatherer in gatherers:
                gatherer.forget()
        self.callbacks.after_fork()
