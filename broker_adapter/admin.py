"""What can be asked of a broker about its topics and groups, and what it answers."""

from collections.abc import Mapping
from typing import NamedTuple, Protocol

from broker_adapter.nouns import TopicPartition


class TopicDescription(NamedTuple):
    """A topic as the broker knows it."""

    name: str
    partitions: int
    topic_id: str
    """Kafka's form of the topic's UUID: 22 characters of base64url."""
    config: Mapping[str, int | str]
    """Every setting by Kafka's name, defaults included. Whole numbers are int."""


class GroupMember(NamedTuple):
    """A live consumer of a group."""

    member_id: str
    client_id: str
    """What it calls itself; in the file log its process, ``pid 4711``."""
    host: str
    partitions: tuple[TopicPartition, ...]
    """What it is to read."""
    group_instance_id: str | None = None
    """The name of a static member, which it keeps over its lives."""


class GroupDescription(NamedTuple):
    """A consumer group as the broker knows it."""

    name: str
    state: str
    """Kafka's word in lower case: ``empty``, ``stable``, ``preparing_rebalancing`` and so on."""
    members: tuple[GroupMember, ...]
    offsets: Mapping[TopicPartition, int]
    """What is committed: the next offset to read of each partition."""


class Admin(Protocol):
    """Topics and groups: make, list, describe, alter, delete. Any thread."""

    def create_topic(
        self,
        name: str,
        partitions: int = 1,
        config: Mapping[str, int | str] | None = None,
        *,
        replication_factor: int | None = None,
    ) -> TopicDescription:
        """Make a topic; `config` has Kafka's names, such as ``segment.bytes``.

        `replication_factor` is by default the broker's; a file log has one
        copy. Raises `InvalidTopic`, `InvalidConfig` or `TopicExists`.
        """

    def topics(self) -> list[str]:
        """The names of all topics but internal ones, sorted."""

    def describe_topic(self, name: str) -> TopicDescription:
        """What the broker knows of a topic. Raises `UnknownTopic`."""

    def alter_topic(
        self, name: str, *, partitions: int | None = None, config: Mapping[str, int | str] | None = None
    ) -> TopicDescription:
        """Raise the number of partitions, change the settings in `config`, or both.

        Partitions can only be added; a key may then belong to another one
        than before. Raises `UnknownTopic`, `InvalidTopic` or `InvalidConfig`.
        """

    def delete_topic(self, name: str) -> None:
        """Delete a topic and all its records. Raises `UnknownTopic`."""

    def delete_records(self, partition: TopicPartition, before: int) -> int:
        """Delete the records before offset `before`, -1 for all; return the log's new start offset.

        Raises `UnknownTopic`, `UnknownPartition` or `OffsetOutOfRange`.
        """

    def groups(self) -> list[str]:
        """The names of all groups that have members or committed offsets, sorted."""

    def describe_group(self, name: str) -> GroupDescription:
        """What the broker knows of a group. Raises `UnknownGroup`."""

    def reset_group(self, name: str, offsets: Mapping[TopicPartition, int]) -> None:
        """Commit `offsets` for a group that has no live member, which need not exist before.

        Raises `GroupBusy`, `InvalidGroup`, `UnknownTopic` or `UnknownPartition`.
        """

    def delete_group(self, name: str) -> None:
        """Forget a group and what it committed. Raises `UnknownGroup` or `GroupBusy`."""
