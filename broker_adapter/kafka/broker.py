"""A Kafka cluster as a broker: what `connect("kafka://...")` returns.

For any thread of the process that connected.
"""

import threading
from collections.abc import Sequence
from types import TracebackType
from typing import Any, Final, Self

from broker_adapter.broker import (
    Admin,
    AutoOffsetReset,
    Consumer,
    Deserializer,
    Partitioning,
    Producer,
    Serializer,
)
from broker_adapter.errors import BrokerError, Closed, InvalidConfig
from broker_adapter.failures import failure_handler
from broker_adapter.kafka.admin import KafkaAdmin
from broker_adapter.kafka.consumer import KafkaConsumer
from broker_adapter.kafka.producer import KafkaProducer
from broker_adapter.kafka.settings import Settings, member_settings, shown
from broker_adapter.rebalancing import Listener, RebalanceCallback
from broker_adapter.serializing import deserializing, serializing
from broker_adapter.subscription import expanded, is_pattern

_CODECS: Final = ("none", "gzip", "snappy", "lz4", "zstd")
_MANY: Final = 1_000_000
"""librdkafka's largest batch, in records: `batch_size` is in bytes."""


class KafkaBroker:
    """A Kafka cluster. See `broker_adapter.broker.Broker`."""

    def __init__(self, settings: Settings) -> None:
        """Raises `InvalidConfig` for keys that librdkafka does not know. Connects to nothing yet."""
        self._settings = settings
        self._admin = KafkaAdmin(settings)
        self._lock = threading.Lock()
        self._clients: set[KafkaProducer | KafkaConsumer] = set()
        self._closed = False

    def __repr__(self) -> str:
        return (
            f"<KafkaBroker {shown(self._settings)}>"  # nothing of the settings: there are passwords in them
        )

    @property
    def admin(self) -> Admin:
        """See `broker_adapter.broker.Broker.admin`."""
        self._check_open()
        return self._admin

    def producer(
        self,
        *,
        key_serializer: Serializer[Any] | None = None,
        value_serializer: Serializer[Any] | None = None,
        linger: float = 0.005,
        batch_size: int = 65536,
        compression: str = "none",
        partitioner: Partitioning = "crc32",
        max_block: float = 60.0,
    ) -> Producer[Any, Any]:
        """See `broker_adapter.broker.Broker.producer`."""
        self._check_open()
        if linger < 0 or batch_size < 1 or max_block < 0:
            raise InvalidConfig(
                f"linger={linger}, batch_size={batch_size} and max_block={max_block} must not be "
                "below 0, 1 and 0"
            )
        if compression not in _CODECS:
            raise InvalidConfig(f"compression={compression!r} is not known; use one of: {', '.join(_CODECS)}")
        producer = KafkaProducer(
            {
                "batch.num.messages": _MANY,
                # librdkafka's default, and not before the record has lingered.
                "message.timeout.ms": int(linger * 1000) + 300_000,
                **self._settings,
                "linger.ms": linger * 1000,
                "batch.size": batch_size,
                "compression.type": compression,
            },
            self._admin.count_partitions,
            partitioner=partitioner,
            max_block=max_block,
            on_close=self._clients.discard,
        )
        self._clients.add(producer)
        return serializing(producer, key_serializer, value_serializer)

    def consumer(
        self,
        topics: str | Sequence[str] = (),
        *,
        key_deserializer: Deserializer[Any] | None = None,
        value_deserializer: Deserializer[Any] | None = None,
        group: str | None = None,
        group_instance_id: str | None = None,
        auto_offset_reset: AutoOffsetReset = "earliest",
        max_poll_interval: float | None = None,
        session_timeout: float | None = None,
        on_assign: RebalanceCallback | None = None,
        on_revoke: RebalanceCallback | None = None,
        on_lost: RebalanceCallback | None = None,
        idle_timeout: float | None = None,
        on_error: str = "raise",
    ) -> Consumer[Any, Any]:
        """See `broker_adapter.broker.Broker.consumer`."""
        self._check_open()
        handler = failure_handler(on_error, lambda: self.producer(linger=0))
        names = [topics] if isinstance(topics, str) else list(topics)
        if group is None and any(map(is_pattern, names)):
            names = expanded(names, self._admin.topics())
        consumer = KafkaConsumer(
            {
                **self._settings,
                **member_settings(group, group_instance_id, max_poll_interval, session_timeout),
            },
            self._admin.count_partitions,
            names,
            group=group,
            auto_offset_reset=auto_offset_reset,
            idle_timeout=idle_timeout,
            timeout=self._admin.timeout,
            listener=Listener(on_assign, on_revoke, on_lost),
            on_close=self._clients.discard,
        )
        self._clients.add(consumer)
        return deserializing(consumer, key_deserializer, value_deserializer, handler)

    def _check_open(self) -> None:
        if self._closed:
            raise Closed(f"the broker of {shown(self._settings)} is closed; connect again")

    def close(self) -> None:
        """See `broker_adapter.broker.Broker.close`."""
        with self._lock:
            if self._closed:
                return
            self._closed = True
        failure: BrokerError | None = None
        # Consumers last: what they read may be on its way to a producer.
        for client in sorted(self._clients, key=lambda each: isinstance(each, KafkaConsumer)):
            try:
                client.close()
            except BrokerError as error:
                failure = failure or error
        if failure is not None:
            raise failure

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
