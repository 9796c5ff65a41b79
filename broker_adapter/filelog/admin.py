"""Topics and groups of a file log, looked at and changed from outside. Any thread of any process.

Owns nothing: folders are `Topics`', group files `Membership`'s, offsets `GroupOffsets`'.
"""

from collections.abc import Mapping
from typing import Final

from broker_adapter.admin import GroupDescription, GroupMember, TopicDescription
from broker_adapter.errors import InvalidTopic, NotSupported, OffsetOutOfRange, UnknownGroup
from broker_adapter.filelog.groups import FileGroups
from broker_adapter.filelog.topic import Topics
from broker_adapter.nouns import TopicPartition

_NO_MEMBERS: Final = "empty"
_MEMBERS: Final = "stable"


class FileAdmin:
    """Topics and groups of a file log. See `broker_adapter.broker.Admin`."""

    def __init__(self, topics: Topics, groups: FileGroups) -> None:
        self._topics = topics
        self._groups = groups

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
        if replication_factor not in {None, 1}:
            raise InvalidTopic(
                f"topic {name!r} cannot have {replication_factor} copies: a file log has one; leave "
                "replication_factor out"
            )
        return self._topics.create(name, partitions, config or {})

    def topics(self) -> list[str]:
        """See `broker_adapter.broker.Admin.topics`."""
        return self._topics.names()

    def describe_topic(self, name: str) -> TopicDescription:
        """See `broker_adapter.broker.Admin.describe_topic`."""
        return self._topics.describe(name)

    def alter_topic(
        self, name: str, *, partitions: int | None = None, config: Mapping[str, int | str] | None = None
    ) -> TopicDescription:
        """See `broker_adapter.broker.Admin.alter_topic`.

        Holds for what is opened from then on: a broker that has the topic open goes on as before.
        """
        return self._topics.alter(name, partitions, config or {})

    def delete_topic(self, name: str) -> None:
        """See `broker_adapter.broker.Admin.delete_topic`.

        Whoever has the topic open meets `UnknownTopic` at the next append.
        """
        self._topics.delete(name)

    def delete_records(self, partition: TopicPartition, before: int) -> int:
        """Not for a file log yet: raises `NotSupported`."""
        self._topics.require(TopicPartition(*partition))
        if before < -1:
            raise OffsetOutOfRange(f"offset {before} is out of range; give an offset of the log, or -1")
        raise NotSupported("a file log cannot delete records yet; delete_topic deletes all of a topic")

    # ---------------------------------------------------------------- groups

    def groups(self) -> list[str]:
        """See `broker_adapter.broker.Admin.groups`."""
        return self._groups.names()

    def describe_group(self, name: str) -> GroupDescription:
        """See `broker_adapter.broker.Admin.describe_group`."""
        offsets = self._groups.committed(name)
        members = tuple(
            GroupMember(member.partition("-")[2], f"pid {member.partition('-')[0]}", "localhost", ())
            for member in self._groups.members(name)
        )
        if not offsets and not members:
            raise UnknownGroup(
                f"there is no group {name!r} (there are: {', '.join(self.groups()[:10]) or 'none'})"
            )
        return GroupDescription(name, _MEMBERS if members else _NO_MEMBERS, members, offsets)

    def reset_group(self, name: str, offsets: Mapping[TopicPartition, int]) -> None:
        """See `broker_adapter.broker.Admin.reset_group`."""
        wanted = {TopicPartition(*partition): offset for partition, offset in offsets.items()}
        for partition in wanted:
            self._topics.require(partition)
        self._groups.reset(name, wanted)

    def delete_group(self, name: str) -> None:
        """See `broker_adapter.broker.Admin.delete_group`."""
        self.describe_group(name)
        self._groups.delete(name)
