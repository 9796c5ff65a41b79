"""Sending records to Kafka: librdkafka gathers and sends, a thread of ours hears how it went.

A producer may be used by any thread of the process that made it. In a forked
child it is closed: librdkafka's threads are the parent's.
"""

import threading
import time
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Any, Final, Self, TypeAlias

from confluent_kafka import KafkaError, Message
from confluent_kafka import Producer as Librdkafka

from broker_adapter.broker import Acknowledgement, DeliveryCallback, Durability, Header, Partitioning
from broker_adapter.callbacks import Callbacks
from broker_adapter.checks import check_parts, checked_headers
from broker_adapter.errors import (
    BrokerError,
    BufferFull,
    Closed,
    DeliveryTimeout,
    InvalidRecord,
    UnknownPartition,
)
from broker_adapter.forks import reset_in_child
from broker_adapter.kafka.settings import Settings, librdkafka_log
from broker_adapter.kafka.translation import translated, translating
from broker_adapter.partitioner import Partitioner, partitioner_named

_PARTITIONERS: Final = {"crc32": "consistent_random", "murmur2": "murmur2_random"}
_POLL_SECONDS: Final = 0.1
_COUNT_SECONDS: Final = 60.0
"""For how long a topic's number of partitions is believed."""
_UNASSIGNED: Final = -1

_Produced: TypeAlias = tuple[
    str, bytes | None, bytes | None, int, Callable[[KafkaError | None, Message], None]
]
"""What librdkafka is given: topic, value, key, partition, delivery report."""


class KafkaDelivery:
    """The future of one record, finished by the thread that polls librdkafka."""

    __slots__ = ("_callback", "_place", "_producer", "_topic", "error")

    def __init__(self, producer: "KafkaProducer", topic: str, callback: DeliveryCallback | None) -> None:
        self._producer = producer
        self._topic = topic
        self._callback = callback
        self._place: tuple[int, int, int] | None = None
        self.error: BrokerError | None = None
        """Why the record was not written."""

    def done(self) -> bool:
        """Whether the record was written, or has failed."""
        return self._place is not None or self.error is not None

    def result(self, timeout: float | None = None) -> Acknowledgement:
        """See `broker_adapter.broker.Delivery.result`."""
        if not self.done():
            self._producer.wait_for(self, timeout)
        if self._place is None:
            assert self.error is not None
            raise self.error
        return Acknowledgement(self._topic, *self._place, self._producer.durability)

    def reported(self, error: KafkaError | None, message: Message) -> None:
        """librdkafka's delivery report. The message, with its key and value, is not kept."""
        if error is None:
            self._place = message.partition() or 0, message.offset() or 0, message.timestamp()[1]
        else:
            partition = message.partition()
            place = self._topic if partition in {None, _UNASSIGNED} else f"{self._topic}-{partition}"
            self.error = translated(error, f"write a record to {place}")
            self._producer.failed(self.error)
        if self._callback is not None:
            self._producer.callbacks.due.append((self._callback, self))


class KafkaProducer:
    """A producer to Kafka. See `broker_adapter.broker.Producer`."""

    def __init__(
        self,
        settings: Settings,
        count_partitions: Callable[[str], int],
        *,
        partitioner: Partitioning,
        max_block: float,
        on_close: Callable[["KafkaProducer"], None] = lambda _: None,
    ) -> None:
        """`count_partitions` asks the cluster; it raises `UnknownTopic`. Raises `InvalidConfig`."""
        self._partitioner: Partitioner | None = None
        if callable(partitioner):
            self._partitioner = partitioner
        else:
            partitioner_named(partitioner)
            settings = {**settings, "partitioner": _PARTITIONERS[partitioner]}
        acks = str(settings.get("acks", settings.get("request.required.acks", "all")))
        self.durability = Durability.REPLICATED if acks in {"all", "-1"} else Durability.NONE
        with translating("make a producer"):
            self._librdkafka = Librdkafka({"enable.idempotence": True, **settings}, logger=librdkafka_log)
        self._count_partitions = count_partitions
        self._counts: dict[str, tuple[int, float]] = {}
        self._max_block = max_block
        self._on_close = on_close
        self._failure: BrokerError | None = None
        self._closed: str | None = None
        # Called once librdkafka has returned: one that flushes within its report would end the process.
        self.callbacks = Callbacks()
        self._progress = threading.Condition()
        """Notified after deliveries were reported."""
        self._stop = threading.Event()
        self._poller = threading.Thread(target=self._poll, name="fivebyte-kafka-deliveries", daemon=True)
        self._poller.start()
        reset_in_child(self)

    def after_fork(self) -> None:
        """In a forked child there is no thread that sends."""
        self._closed = "this producer was made before a fork, and belongs to the parent; make another"
        self._progress = threading.Condition()
        self.callbacks.after_fork()
        self._stop.set()

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
        on_delivery: DeliveryCallback | None = None,
    ) -> KafkaDelivery:
        """See `broker_adapter.broker.Producer.send`."""
        if self._closed is not None:
            raise Closed(self._closed)
        if topic not in self._counts:
            self._count(topic)
        check_parts(topic, key, value, 0 if timestamp is None else timestamp)
        more: dict[str, Any] = {}
        if timestamp is not None:
            if timestamp == 0:
                raise InvalidRecord(
                    f"a record for {topic!r} has timestamp 0, which librdkafka takes for now; give 1 or more"
                )
            more["timestamp"] = timestamp
        if headers:
            more["headers"] = list(checked_headers(topic, headers)[0])
        if partition is not None:
            self._check_partition(topic, partition)
        elif self._partitioner is not None:
            partition = self._choose(self._partitioner, topic, key)
        else:
            partition = _UNASSIGNED
        delivery = KafkaDelivery(self, topic, on_delivery)
        record = topic, value, key, partition, delivery.reported
        try:
            self._librdkafka.produce(*record, **more)
        except BufferError:
            self._produce_when_there_is_room(record, more)
        except Exception:
            with translating(f"send a record to {topic!r}"):
                raise
        return delivery

    def _produce_when_there_is_room(self, record: _Produced, more: dict[str, Any]) -> None:
        deadline = time.monotonic() + self._max_block
        while True:
            with self._progress:
                self._progress.wait(min(max(deadline - time.monotonic(), 0), _POLL_SECONDS))
            self._check_open()
            try:
                with translating(f"send a record to {record[0]!r}"):
                    self._librdkafka.produce(*record, **more)
            except BufferError:
                if time.monotonic() >= deadline:
                    raise BufferFull(
                        f"no room for a record for {record[0]!r} within max_block={self._max_block} s: "
                        f"{len(self._librdkafka)} records wait for the cluster; send more slowly, or raise "
                        "queue.buffering.max.kbytes"
                    ) from None
            else:
                return

    def _check_partition(self, topic: str, partition: int) -> None:
        if not 0 <= partition < self._counts[topic][0] and not 0 <= partition < self._count(topic)[0]:
            raise UnknownPartition(
                f"topic {topic!r} has no partition {partition}; it has 0 to {self._counts[topic][0] - 1}"
            )

    def _count(self, topic: str) -> tuple[int, float]:
        counted = self._counts[topic] = (self._count_partitions(topic), time.monotonic())
        return counted

    def _choose(self, partitioner: Partitioner, topic: str, key: bytes | None) -> int:
        count, asked = self._counts[topic]
        if time.monotonic() - asked > _COUNT_SECONDS:
            count, _ = self._count(topic)
        chosen = partitioner(key, count)
        if not 0 <= chosen < count:
            raise UnknownPartition(
                f"the partitioner chose partition {chosen} of {topic!r}, which has 0 to {count - 1}"
            )
        return chosen

    # ---------------------------------------------------------------- deliveries

    def _poll(self) -> None:
        while not self._stop.is_set():
            if self._librdkafka.poll(_POLL_SECONDS):
                with self._progress:
                    self._progress.notify_all()
                self.callbacks.call()

    def wait_for(self, delivery: KafkaDelivery, timeout: float | None) -> None:
        """Wait until `delivery` is done. Raises `DeliveryTimeout`, or `Closed` in a forked child."""
        with self._progress:
            self._progress.wait_for(lambda: delivery.done() or self._stop.is_set(), timeout)
        if not delivery.done():
            if self._stop.is_set():
                self._check_open()
            raise DeliveryTimeout(
                f"a record was not acknowledged within {timeout} s; it may be yet: flush, or wait on"
            )

    def failed(self, error: BrokerError) -> None:
        """Remember that a record was not written, for the next flush to raise."""
        if self._failure is None:
            self._failure = error

    def flush(self, timeout: float | None = None) -> None:
        """See `broker_adapter.broker.Producer.flush`."""
        self._check_open()
        self._flush(timeout)

    def _flush(self, timeout: float | None) -> None:
        deadline = None if timeout is None else time.monotonic() + timeout
        while True:
            # In pieces, so that Ctrl-C is heard.
            left = 0.5 if deadline is None else max(min(deadline - time.monotonic(), 0.5), 0)
            waiting = self._librdkafka.flush(left)
            with self._progress:
                self._progress.notify_all()  # this thread was told of some
            self.callbacks.call()
            if not waiting:
                break
            if deadline is not None and time.monotonic() >= deadline:
                raise DeliveryTimeout(
                    f"{waiting} records were not acknowledged within {timeout} s; they may be yet"
                )
        self.callbacks.all_called(deadline)
        failure, self._failure = self._failure, None
        if failure is not None:
            raise failure

    # ---------------------------------------------------------------- closing

    def _check_open(self) -> None:
        if self._closed is not None:
            raise Closed(self._closed)

    def close(self) -> None:
        """See `broker_adapter.broker.Producer.close`."""
        if self._closed is not None:
            return
        self._closed = "this producer is closed; ask the broker for another"
        self._on_close(self)
        try:
            self._flush(None)  # a record that cannot be sent fails after message.timeout.ms
        finally:
            self._stop.set()
            if self._poller is not threading.current_thread():
                self._poller.join()
            with self._progress:
                self._progress.notify_all()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
