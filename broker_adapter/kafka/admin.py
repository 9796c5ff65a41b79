"""Topics and groups of a Kafka cluster. Any thread."""

import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future
from contextlib import contextmanager
from typing import Any, Final, TypeVar

from confluent_kafka import ConsumerGroupState, ConsumerGroupTopicPartitions, KafkaError, TopicCollection
from confluent_kafka import TopicPartition as Place
from confluent_kafka.admin import (  # type: ignore[attr-defined]  # it exports them, unsaid
    AdminClient,
    AlterConfigOpType,
    ConfigEntry,
    ConfigResource,
    NewPartitions,
    NewTopic,
    ResourceType,
)

from broker_adapter.admin import GroupDescription, GroupMember, TopicDescription
from broker_adapter.errors import (
    BrokerUnavailable,
    FencedMember,
    GroupBusy,
    InvalidGroup,
    InvalidTopic,
    OffsetOutOfRange,
    UnknownGroup,
    UnknownPartition,
    UnknownTopic,
)
from broker_adapter.kafka.settings import Settings, librdkafka_log, shown
from broker_adapter.kafka.translation import translated, translating
from broker_adapter.nouns import TopicPartition

_REQUEST_SECONDS: Final = 30.0
_PAUSE_SECONDS: Final = 0.02
_MAX_PARTITIONS: Final = 100_000
"""librdkafka's limit."""

_URL_SAFE: Final = str.maketrans("+/", "-_")

T = TypeVar("T")


class KafkaAdmin:
    """Topics and groups of a Kafka cluster. See `broker_adapter.broker.Admin`."""

    def __init__(self, settings: Settings) -> None:
        """Raises `InvalidConfig` for keys that librdkafka does not know. Connects to nothing yet."""
        self._cluster = shown(settings)
        self._denial: KafkaError | None = None
        """Why a broker did not let us in, if that was so lately."""
        with translating(f"use {self._cluster}"):
            listening: Settings = {**settings, "error_cb": self._heard}
            self._librdkafka = AdminClient(listening, logger=librdkafka_log)
            given = float(settings.get("socket.timeout.ms", _REQUEST_SECONDS * 1000))
        self.timeout = min(given / 1000, _REQUEST_SECONDS)
        """For how many seconds a request waits for its answer."""

    def _heard(self, error: KafkaError) -> None:
        """librdkafka's ``error_cb``."""
        if error.code() in {KafkaError._AUTHENTICATION, KafkaError._SSL}:
            self._denial = error

    @contextmanager
    def _asking(self, doing: str) -> Iterator[None]:
        """As `translating`; where a broker did not let us in, that is raised.

        librdkafka only says that there was no answer in time, and why in a callback.
        """
        try:
            with translating(doing):
                yield
        except BrokerUnavailable:
            self._librdkafka.poll(0)
            denial, self._denial = self._denial, None
            if denial is not None:
                raise translated(denial, doing) from None
            raise

    def _result(self, futures: Mapping[Any, Future[T]], doing: str) -> T:
        """The result of the one future in `futures`."""
        (future,) = futures.values()
        with self._asking(doing):
            return future.result()

    # ---------------------------------------------------------------- topics

    def create_topic(
        self,
        name: str,
        partitions: int = 1,
        config: Mapping[str, int | str] | None = None,
        *,
        replication_factor: int | None = None,
    ) -> TopicDescription:
        """See `broker_adapter.broker.Admin.create_topic`."""
        if type(partitions) is not int or not 1 <= partitions <= _MAX_PARTITIONS:
            raise InvalidTopic(
                f"topic {name!r} cannot have {partitions!r} partitions; give 1 to {_MAX_PARTITIONS}"
            )
        doing = f"create topic {name!r}"
        with self._asking(doing):
            topic = NewTopic(
                name,
                partitions,
                -1 if replication_factor is None else replication_factor,
                config={key: str(value) for key, value in (config or {}).items()},
            )
            made = self._librdkafka.create_topics([topic], request_timeout=self.timeout)
        self._result(made, doing)
        return self._await(lambda: self.describe_topic(name), doing)

    def topics(self) -> list[str]:
        """See `broker_adapter.broker.Admin.topics`."""
        with self._asking(f"list the topics of {self._cluster}"):
            found = self._librdkafka.list_topics(timeout=self.timeout).topics
        return sorted(name for name in found if not name.startswith("__"))

    def count_partitions(self, name: str) -> int:
        """How many partitions a topic has. Raises `UnknownTopic`."""
        return self._describe(name)[0]

    def describe_topic(self, name: str) -> TopicDescription:
        """See `broker_adapter.broker.Admin.describe_topic`."""
        partitions, topic_id = self._describe(name)
        doing = f"read the settings of topic {name!r}"
        with self._asking(doing):
            found = self._librdkafka.describe_configs(
                [ConfigResource(ResourceType.TOPIC, name)], request_timeout=self.timeout
            )
        entries = self._result(found, doing).values()
        config = {each.name: _number_or_text(each.value) for each in entries if each.value is not None}
        return TopicDescription(name, partitions, topic_id, config)

    def _describe(self, name: str) -> tuple[int, str]:
        doing = f"describe topic {name!r} of {self._cluster}"
        with self._asking(doing):
            found = self._librdkafka.describe_topics(TopicCollection([name]), request_timeout=self.timeout)
        topic = self._result(found, doing)
        return len(topic.partitions), str(topic.topic_id).translate(_URL_SAFE)

    def alter_topic(
        self, name: str, *, partitions: int | None = None, config: Mapping[str, int | str] | None = None
    ) -> TopicDescription:
        """See `broker_adapter.broker.Admin.alter_topic`."""
        doing = f"alter topic {name!r}"
        now = self.count_partitions(name)
        if config:
            changes = [
                ConfigEntry(key, str(value), incremental_operation=AlterConfigOpType.SET)
                for key, value in config.items()
            ]
            with self._asking(doing):
                resource = ConfigResource(ResourceType.TOPIC, name, incremental_configs=changes)
                altered = self._librdkafka.incremental_alter_configs([resource], request_timeout=self.timeout)
            self._result(altered, doing)
        if partitions is not None and partitions != now:
            if not now < partitions <= _MAX_PARTITIONS:
                raise InvalidTopic(f"topic {name!r} has {now} partitions and cannot have {partitions}")
            with self._asking(doing):
                grown = self._librdkafka.create_partitions(
                    [NewPartitions(name, partitions)], request_timeout=self.timeout
                )
            self._result(grown, doing)

        def altered_topic() -> TopicDescription:
            found = self.describe_topic(name)
            seen = {key: str(value) for key, value in found.config.items()}
            if found.partitions < (partitions or now) or any(
                seen.get(key) != str(value) for key, value in (config or {}).items()
            ):
                raise UnknownTopic(f"topic {name!r} is not altered yet")
            return found

        return self._await(altered_topic, doing)

    def delete_topic(self, name: str) -> None:
        """See `broker_adapter.broker.Admin.delete_topic`."""
        doing = f"delete topic {name!r}"
        with self._asking(doing):
            deleted = self._librdkafka.delete_topics([name], request_timeout=self.timeout)
        self._result(deleted, doing)

        def gone() -> None:
            try:
                self._describe(name)
            except UnknownTopic:
                return
            raise UnknownTopic(f"topic {name!r} is still there")

        self._await(gone, doing)

    def delete_records(self, partition: TopicPartition, before: int) -> int:
        """See `broker_adapter.broker.Admin.delete_records`."""
        name = TopicPartition(*partition)
        self._check(name)
        doing = f"delete the records of {name} before offset {before}"
        if before < -1:
            raise OffsetOutOfRange(f"could not {doing}: give an offset of the log, or -1 for its end")
        with self._asking(doing):
            deleted = self._librdkafka.delete_records([Place(*name, before)], request_timeout=self.timeout)
        return int(self._result(deleted, doing).low_watermark)

    def _check(self, name: TopicPartition) -> None:
        count = self.count_partitions(name.topic)
        if not 0 <= name.partition < count:
            raise UnknownPartition(
                f"topic {name.topic!r} has no partition {name.partition}; it has 0 to {count - 1}"
            )

    def _await(self, look: Callable[[], T], doing: str) -> T:
        """What `look` gives once every broker that is asked has heard of a change: until then it raises."""
        deadline = time.monotonic() + self.timeout
        while True:
            try:
                return look()
            except UnknownTopic as error:
                if time.monotonic() > deadline:
                    raise BrokerUnavailable(
                        f"could not {doing}: the cluster agreed, and has not done it within {self.timeout} s"
                    ) from error
            time.sleep(_PAUSE_SECONDS)

    # ---------------------------------------------------------------- groups

    def groups(self) -> list[str]:
        """See `broker_adapter.broker.Admin.groups`."""
        doing = f"list the groups of {self._cluster}"
        with self._asking(doing):
            found = self._librdkafka.list_consumer_groups(request_timeout=self.timeout).result()
        for error in found.errors or []:
            raise translated(error if isinstance(error, KafkaError) else error.args[0], doing)
        return sorted(each.group_id for each in found.valid or [])

    def describe_group(self, name: str) -> GroupDescription:
        """See `broker_adapter.broker.Admin.describe_group`."""
        doing = f"describe group {name!r}"
        with self._asking(doing):
            found = self._librdkafka.describe_consumer_groups([name], request_timeout=self.timeout)
        group = self._result(found, doing)
        offsets = self._group_offsets(name)
        if group.state in {ConsumerGroupState.DEAD, ConsumerGroupState.UNKNOWN} and not offsets:
            raise UnknownGroup(f"there is no group {name!r} in {self._cluster}")
        members = tuple(
            GroupMember(
                each.member_id,
                each.client_id,
                each.host,
                tuple(
                    sorted(TopicPartition(at.topic, at.partition) for at in each.assignment.topic_partitions)
                ),
                each.group_instance_id or None,
            )
            for each in group.members
        )
        return GroupDescription(name, group.state.name.lower(), members, offsets)

    def _group_offsets(self, name: str) -> dict[TopicPartition, int]:
        doing = f"read what group {name!r} committed"
        with self._asking(doing):
            found = self._librdkafka.list_consumer_group_offsets(
                [ConsumerGroupTopicPartitions(name)], request_timeout=self.timeout
            )
        places = self._result(found, doing).topic_partitions or []
        return {TopicPartition(at.topic, at.partition): at.offset for at in places if at.offset >= 0}

    def reset_group(self, name: str, offsets: Mapping[TopicPartition, int]) -> None:
        """See `broker_adapter.broker.Admin.reset_group`."""
        if not name:
            raise InvalidGroup("'' cannot name a group: give a name that is not empty")
        doing = f"reset group {name!r}"
        for partition in offsets:
            self._check(TopicPartition(*partition))
        places = [Place(*partition, offset) for partition, offset in offsets.items()]
        if not places:
            return
        with self._asking(doing):
            altered = self._librdkafka.alter_consumer_group_offsets(
                [ConsumerGroupTopicPartitions(name, places)], request_timeout=self.timeout
            )
        for place in self._result(altered, doing).topic_partitions or []:
            if place.error is not None:
                error = translated(place.error, doing)
                if isinstance(error, FencedMember):  # it means: not one of the members that there are
                    raise GroupBusy(f"could not {doing}: it has members; close its consumers first")
                raise error

    def delete_group(self, name: str) -> None:
        """See `broker_adapter.broker.Admin.delete_group`."""
        doing = f"delete group {name!r}"
        with self._asking(doing):
            deleted = self._librdkafka.delete_consumer_groups([name], request_timeout=self.timeout)
        self._result(deleted, doing)


def _number_or_text(value: str) -> int | str:
    return int(value) if value.lstrip("-").isdecimal() else value
