"""The file log as a broker: what `connect("file:...")` returns.

Owns the root folder through `Topics`, and the open partitions, one of each in
a process, shared by all its producers and consumers. Any thread; any number of
processes may have a broker on the same folder.
"""

import logging
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

from broker_adapter.broker import (
    Admin,
    AutoOffsetReset,
    Consumer,
    Deserializer,
    Durability,
    Partitioning,
    Producer,
    Serializer,
    TopicPartition,
)
from broker_adapter.errors import BrokerError, Closed, InvalidConfig, LogIOError
from broker_adapter.failures import failure_handler
from broker_adapter.filelog.admin import FileAdmin
from broker_adapter.filelog.cleaner import clean
from broker_adapter.filelog.compression import codec_named
from broker_adapter.filelog.consumer import FileConsumer
from broker_adapter.filelog.files import reporting
from broker_adapter.filelog.group_state import MemberState
from broker_adapter.filelog.groups import FileGroups
from broker_adapter.filelog.offsets import OFFSETS_SETTINGS
from broker_adapter.filelog.partition import Partition
from broker_adapter.filelog.producer import FileProducer
from broker_adapter.filelog.topic import Topics
from broker_adapter.forks import reset_in_child
from broker_adapter.partitioner import partitioner_named
from broker_adapter.rebalancing import Listener, RebalanceCallback, checked_times
from broker_adapter.serializing import deserializing, serializing
from broker_adapter.subscription import is_pattern

FLUSH_INTERVAL: Final = 1.0
"""Seconds between two flushes to the disk under `Durability.INTERVAL`; ``flush.ms`` can make it less."""
CLEANING_INTERVAL: Final = 300.0
"""Seconds between two looks at what retention and compaction have to do, as Kafka has it."""
_SHORTEST_PAUSE: Final = 0.01

_log = logging.getLogger(__name__)


class FileBroker:
    """A broker in a folder. See `broker_adapter.broker.Broker`."""

    def __init__(
        self, root: Path, durability: Durability = Durability.INTERVAL, *, skips_damage: bool = False
    ) -> None:
        """Use the folder `root`, which is made if it is not there. Raises `LogIOError`.

        With `skips_damage` its consumers pass over batches that are damaged.
        """
        with reporting("make the folder", root):
            root.mkdir(parents=True, exist_ok=True)
        self.root = root.resolve()
        with suppress(OSError):  # of a folder that may not be written
            # A Kafka broker that finds this passes over its recovery. What we write it has to look at.
            (self.root / ".kafka_cleanshutdown").unlink(missing_ok=True)
        self.durability = durability
        self._skips_damage = skips_damage
        self._topics = Topics(self.root)
        self._groups = FileGroups(self._open_offsets, self._topics.expand)
        self._admin = FileAdmin(self._topics, self._groups, self.partition)
        self._partitions: dict[TopicPartition, Partition] = {}
        self._deleted: list[Partition] = []
        """Of topics that are gone, and that clients may still hold."""
        self._clients: set[FileProducer | FileConsumer] = set()
        self._to_clean: set[TopicPartition] = set()
        self._closed = False
        self._reset()
        reset_in_child(self)

    def _reset(self) -> None:
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._keeper: threading.Thread | None = None

    def after_fork(self) -> None:
        """In a forked child: no lock is held, and the thread for upkeep is not there until it is needed."""
        self._reset()

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
        """See `broker_adapter.broker.Broker.producer`. No buffer fills here: `max_block` changes nothing."""
        self._check_open()
        producer = FileProducer(
            self._open_to_write,
            self.durability,
            linger=linger,
            batch_size=batch_size,
            codec=codec_named(compression),
            partitioner=partitioner_named(partitioner),
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
        for name in names:
            if not is_pattern(name):
                self._topics.partitions(name)
        partitions = self._topics.expand(names)
        membership = None
        if group is not None:
            wishes = MemberState(
                tuple(names),
                *checked_times(max_poll_interval, session_timeout),
                instance_id=group_instance_id,
            )
            membership, partitions = self._groups.join(group, wishes), set()
        elif group_instance_id is not None:
            raise InvalidConfig("group_instance_id= is for a consumer with a group=")
        try:
            consumer = FileConsumer(
                self.partition,
                sorted(partitions),
                membership,
                auto_offset_reset=auto_offset_reset,
                idle_timeout=idle_timeout,
                sync_commits=self.durability is Durability.BATCH,
                skips_damage=self._skips_damage,
                listener=Listener(on_assign, on_revoke, on_lost),
                on_close=self._clients.discard,
            )
        except BaseException:
            if membership is not None:
                membership.leave()
            raise
        self._clients.add(consumer)
        return deserializing(consumer, key_deserializer, value_deserializer, handler)

    def partition(self, name: TopicPartition) -> Partition:
        """The open partition. Raises `UnknownTopic`, `UnknownPartition`, `CorruptLog` or `LogIOError`."""
        self._check_open()
        self._topics.require(name)
        return self._partition(name)

    def _partition(self, name: TopicPartition) -> Partition:
        with self._lock:
            partition = self._partitions.get(name)
            if partition is not None and partition.is_deleted:
                self._deleted.append(partition)
                partition = None
            if partition is None:
                partition = self._partitions[name] = self._topics.open(name)
                partition.on_roll = partial(self._to_clean.add, name)
            return partition

    # ---------------------------------------------------------------- what clients are given

    def _partitions_of(self, topic: str) -> list[TopicPartition]:
        return [TopicPartition(topic, number) for number in range(self._topics.partitions(topic))]

    def _open_to_write(self, topic: str) -> list[Partition]:
        partitions = [self.partition(name) for name in self._partitions_of(topic)]
        self._start_upkeep()
        return partitions

    def _open_offsets(self, name: TopicPartition, make: bool) -> Partition | None:
        if make:
            self._topics.ensure_partition(name, OFFSETS_SETTINGS)
            self._start_upkeep()
        elif not self._topics.directory(name).is_dir():
            return None
        return self._partition(name)

    # ---------------------------------------------------------------- flushing and cleaning

    def _start_upkeep(self) -> None:
        with self._lock:
            if self._keeper is None:
                self._keeper = threading.Thread(target=self._keep_up, name="fivebyte-upkeep", daemon=True)
                self._keeper.start()

    def _keep_up(self) -> None:
        """Flush what was written, clean what was rolled, and now and then all that is open."""
        due = time.monotonic() + CLEANING_INTERVAL
        while not self._stop.wait(self._pause()):
            partitions = dict(self._partitions)
            for partition in partitions.values():
                if partition.config.durability(self.durability) is Durability.INTERVAL:
                    self._attempt(partition.flush)
            if time.monotonic() >= due:
                due = time.monotonic() + CLEANING_INTERVAL
                self._to_clean.update(partitions)
            while self._to_clean and not self._stop.is_set():
                rolled = partitions.get(self._to_clean.pop())
                if rolled is not None and not rolled.is_deleted:
                    self._attempt(partial(clean, rolled))

    def _pause(self) -> float:
        wanted = (partition.config.flush_ms / 1000 for partition in list(self._partitions.values()))
        return max(min((FLUSH_INTERVAL, *wanted)), _SHORTEST_PAUSE)

    @staticmethod
    def _attempt(act: Callable[[], object]) -> None:
        try:
            act()
        except Closed:
            pass  # what was under way when the broker was closed is for the next cleaning
        except BrokerError as error:
            # Not fatal, and not for ever: it stays to be done, and is tried again.
            _log.warning("%s", error)

    def clean(self, topic: str) -> None:
        """Delete and compact now what `topic`'s settings no longer keep, in all its partitions.

        Otherwise the processes that write do it, after they rolled a segment
        and every five minutes. Raises `UnknownTopic` or a `LogError`.
        """
        self._check_open()
        for name in self._partitions_of(topic):
            clean(self.partition(name), force=True)

    # ---------------------------------------------------------------- closing

    def _check_open(self) -> None:
        if self._closed:
            raise Closed(f"the broker of {self.root} is closed; connect again")

    def close(self) -> None:
        """See `broker_adapter.broker.Broker.close`."""
        if self._closed:
            return
        self._closed = True
        failure: BrokerError | None = None
        self._stop.set()
        for partition in list(self._partitions.values()):
            partition.is_closing = True
        if self._keeper is not None:
            self._keeper.join()
        for client in list(self._clients):
            try:
                client.close()
            except BrokerError as error:
                failure = failure or error
        for partition in [*self._partitions.values(), *self._deleted]:
            try:
                if partition.config.durability(self.durability) is not Durability.NONE:
                    partition.mark_clean()
            except LogIOError as error:
                failure = failure or error
            partition.close()
        self._partitions.clear()
        self._deleted.clear()
        self._topics.close()
        if failure is not None:
            raise failure

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
