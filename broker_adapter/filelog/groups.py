"""All groups of a file log, and how one is joined, looked at, reset and deleted. Any thread.

Owns no file: what a group keeps is `Membership`'s and `GroupOffsets`'.
"""

from collections.abc import Callable, Iterator, Mapping
from urllib.parse import unquote

from broker_adapter.filelog.files import reporting
from broker_adapter.filelog.group import Membership, live_members
from broker_adapter.filelog.offsets import (
    OFFSETS_PARTITIONS,
    OFFSETS_TOPIC,
    GroupOffsets,
    groups_with_offsets,
    partition_of,
)
from broker_adapter.filelog.partition import Partition
from broker_adapter.nouns import TopicPartition


class FileGroups:
    """The groups below one root folder. Raises `LogIOError`, `CorruptBatch` or `CorruptLog`."""

    def __init__(self, open_offsets: Callable[[TopicPartition, bool], Partition | None]) -> None:
        """`open_offsets` gives a partition of the offsets topic: made if need be, or None, as it is told."""
        self._open = open_offsets

    def join(self, group: str) -> Membership:
        """Become a member. Raises `GroupBusy` or `InvalidGroup`."""
        partition = self._open(TopicPartition(OFFSETS_TOPIC, partition_of(group)), True)
        assert partition is not None
        return Membership(partition.directory, GroupOffsets(partition, group))

    def names(self) -> list[str]:
        """The groups with committed offsets or a live member, sorted."""
        found: set[str] = set()
        for partition in self._partitions():
            found |= groups_with_offsets(partition)
            folder = partition.directory / "groups"
            with reporting("list", folder):
                names = [path.name for path in folder.iterdir()] if folder.is_dir() else []
            found |= {unquote(name) for name in names if live_members(partition.directory, unquote(name))}
        return sorted(found)

    def committed(self, group: str) -> Mapping[TopicPartition, int]:
        """What a group has committed; nothing for one that is not there."""
        partition = self._open(TopicPartition(OFFSETS_TOPIC, partition_of(group)), False)
        return {} if partition is None else dict(GroupOffsets(partition, group).committed())

    def members(self, group: str) -> list[str]:
        """The files of a group's live members, ``<pid>-<id>``."""
        partition = self._open(TopicPartition(OFFSETS_TOPIC, partition_of(group)), False)
        return [] if partition is None else live_members(partition.directory, group)

    def reset(self, group: str, offsets: Mapping[TopicPartition, int]) -> None:
        """Commit for a group without a live member. Raises `GroupBusy` or `InvalidGroup`."""
        membership = self.join(group)
        try:
            if offsets:
                membership.commit(offsets, sync=True)
        finally:
            membership.leave()

    def delete(self, group: str) -> None:
        """Forget what a group committed. Raises `GroupBusy` or `InvalidGroup`."""
        membership = self.join(group)
        try:
            membership.forget()
        finally:
            membership.leave()

    def _partitions(self) -> Iterator[Partition]:
        for number in range(OFFSETS_PARTITIONS):
            partition = self._open(TopicPartition(OFFSETS_TOPIC, number), False)
            if partition is not None:
                yield partition
