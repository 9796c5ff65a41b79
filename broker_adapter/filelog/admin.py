"""Topics and groups of a file log, looked at and changed from outside. Any thread of any process.

Owns nothing: folders are `Topics`', group files `Membership`'s, offsets `GroupOffsets`'.
"""

from collections.abc import Callable, Mapping
from typing import Final

from broker_adapter.admin import GroupDescription, GroupMember, TopicDescription
from broker_adapter.errors import InvalidTopic, UnknownGroup
from broker_adapter.filelog.groups import FileGroups
from broker_adapter.filelog.partition import Partition
from broker_adapter.filelog.topic import Topics
from broker_adapter.nouns import TopicPartition

_NO_MEMBERS: Final = "empty"
_MEMBERS: Final = "stable"


class FileAdmin:
    """Topics and groups of a file log. See `broker_adapter.broker.Admin`."""

    def __init__(
        self, topics: Topics, groups: FileGroups, open_partition: Callable[[TopicPartition], Partition]
    ) -> None:
        self._topics = topics
        self._groups = groups
        self._open_partition = open_partition

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

        Settings hold at once, in every process. Added partitions are seen by what is opened from then on.
        """
        return self._topics.alter(name, partitions, config or {})

    def delete_topic(self, name: str) -> None:
        """See `broker_adapter.broker.Admin.delete_topic`.

        Whoever has the topic open meets `UnknownTopic` at the next append.
        """
        self._topics.delete(name)

    def delete_records(self, partition: TopicPartition, before: int) -> int:
        """See `broker_adapter.broker.Admin.delete_records`."""
        name = TopicPartition(*partition)
        self._topics.require(name)
        log = self._open_partition(name)
        return log.delete_records(log.state().log_end_offset if before == -1 else before)

    # ---------------------------------------------------------------- groups

    def groups(self) -> list[str]:
        """See `broker_adapter.broker.Admin.groups`."""
        return self._groups.names()

    def describe_group(self, name: str) -> GroupDescription:
        """See `broker_adapter.broker.Admin.describe_group`."""
        offsets = self._groups.committed(name)
        members = tuple(
            GroupMember(
                member.partition("-")[2],
                f"pid {member.partition('-')[0]}",
                "localhost",
                each.partitions,
                each.instance_id,
            )
            for member, each in sorted(self._groups.members(name).items())
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
