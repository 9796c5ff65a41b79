"""Batches that are being gathered, and the futures of the records in them.

Owns no file; writes through `Partition.append`. Any thread of the process that
gathers; what a forked child finds gathered is the parent's to write.
"""

import logging
import threading
import time
from typing import Final, Protocol

from broker_adapter.broker import Acknowledgement, DeliveryCallback, Durability, TopicPartition
from broker_adapter.errors import BrokerError, Closed, DeliveryTimeout
from broker_adapter.filelog.batch import HEADER_SIZE, NewRecord, encode_batch
from broker_adapter.filelog.compression import Codec
from broker_adapter.filelog.partition import Appended, Partition
from broker_adapter.filelog.producers import MAX_SEQUENCE, new_producer_id

CLOSED: Final = "this producer is closed; ask the broker for another"

_log = logging.getLogger(__name__)


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

    def call_back(self) -> None:
        """Tell who asked to be told. Not under a lock: they may send."""
        callbacks, self.callbacks = self.callbacks, []
        for callback, delivery in callbacks:
            try:
                callback(delivery)
            except Exception:  # noqa: BLE001 - it is theirs, and no batch of ours is to fail for it
                _log.exception("the on_delivery of a record for %s raised", self.name)


class FileDelivery:
    """The future of one record: a place in a batch."""

    __slots__ = ("_batch", "_index")

    def __init__(self, batch: Batch, index: int) -> None:
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
        timestamp = batch.timestamps[self._index] if batch.append_time is None else batch.append_time
        return Acknowledgement(topic, partition, batch.base_offset + self._index, timestamp, batch.durability)


class Gathering(Protocol):
    """What a gatherer asks of the producer that it gathers for."""

    linger: float
    batch_size: int
    codec: Codec

    def write_later(self, gatherer: "Gatherer", batch: Batch) -> None:
        """Have `batch` written once it has lingered, if it was not written before."""

    def failed(self, topic: str, error: BrokerError) -> None:
        """Remember that a batch was not written, for the next flush to raise."""


class Gatherer:
    """The open batch of one partition. Any thread; the lock keeps the partition's records in order."""

    def __init__(self, producer: Gathering, partition: Partition, durability: Durability) -> None:
        self.partition = partition
        self._producer = producer
        self._durability = durability
        self._writes_at_once = producer.linger <= 0
        self._begin_again()
        self._take_settings()
        self._lock = threading.Lock()
        self._batch: Batch | None = None
        self._written: list[Batch] = []
        """Batches that are done and whose callbacks were not called yet."""
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
                delivery = FileDelivery(batch, len(records))
                records.append(record)
                batch.size += size
                if on_delivery is not None:
                    batch.callbacks.append((on_delivery, delivery))
                if batch.size >= self._limit or self._writes_at_once:
                    self._write(batch)
                return delivery
        finally:
            # Also where a write was interrupted: who asked to be told is told.
            if self._written:
                self._call_back()

    def _next(self, batch: Batch | None) -> Batch:
        """Write what is open, and begin another batch."""
        if self._is_closed:
            raise Closed(CLOSED)
        if batch is not None:
            self._write(batch)
        # The topic's settings may have been altered since the last batch.
        self._take_settings()
        batch = self._batch = Batch(self.partition.name, self.partition.config.durability(self._durability))
        if not self._writes_at_once:
            self._producer.write_later(self, batch)
        return batch

    def _take_settings(self) -> None:
        config = self.partition.config
        self._limit = min(self._producer.batch_size, config.max_message_bytes)
        self.largest_sure = config.max_message_bytes - HEADER_SIZE
        self.needs_keys = config.is_compacted

    def write_if_open(self, batch: Batch) -> None:
        """Write `batch` unless it was written."""
        try:
            with self._lock:
                if self._batch is batch:
                    self._write(batch)
        finally:
            self._call_back()

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
            self._call_back()

    def close(self) -> None:
        """Write what is open, and take nothing more."""
        try:
            with self._lock:
                self._is_closed = True
                if self._batch is not None:
                    self._write(self._batch)
        finally:
            self._call_back()

    def forget(self) -> None:
        """In a forked child: what is gathered is the parent's."""
        self._lock = threading.Lock()
        self._written = []
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
                self._producer.codec if codec is None else codec,
                (self._producer_id, 0, self._sequence),
            )
            appended = self._append(batch, data)
            batch.base_offset, batch.append_time = appended.base_offset, appended.append_time
            self._sequence = (self._sequence + len(batch.records)) & MAX_SEQUENCE
        except BrokerError as error:
            batch.error = error
            self._begin_again()
            self._producer.failed(batch.name.topic, error)
        except BaseException:
            if not batch.is_settled:
                batch.error = BrokerError(
                    f"writing to {batch.name} was interrupted: the records may or may not be there"
                )
            self._begin_again()
            raise
        finally:
            batch.finish()
            if batch.callbacks:
                self._written.append(batch)

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

    def _call_back(self) -> None:
        while True:
            try:
                batch = self._written.pop(0)  # atomic, so that each is told once
            except IndexError:
                return
            batch.call_back()
