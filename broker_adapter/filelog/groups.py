"""All groups of a file log, and how one is joined, looked at, reset and deleted. Any thread.

Owns no file: what a group keeps is `GroupFolder`'s and `GroupOffsets`'.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from urllib.parse import unquote

from broker_adapter.errors import GroupBusy
from broker_adapter.filelog.files import reporting
from broker_adapter.filelog.group import Membership
from broker_adapter.filelog.group_state import Expand, GroupFolder, MemberState
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

    def __init__(
        self, open_offsets: Callable[[TopicPartition, bool], Partition | None], expand: Expand
    ) -> None:
        """`open_offsets` gives a partition of the offsets topic: made if need be, or None, as it is told.

        `expand` says which partitions there are of topics and patterns.
        """
        self._open = open_offsets
        self._expand = expand

    def join(self, group: str, wishes: MemberState) -> Membership:
        """Become a member. Raises `InvalidGroup`."""
        partition = self._made(group)
        folder = GroupFolder(partition.directory, group)
        return Membership(folder, GroupOffsets(partition, group), wishes, self._expand)

    def names(self) -> list[str]:
        """The groups with committed offsets or a live member, sorted."""
        found: set[str] = set()
        for partition in self._partitions():
            found |= groups_with_offsets(partition)
            folder = partition.directory / "groups"
            with reporting("list", folder):
                names = [unquote(path.name) for path in folder.iterdir()] if folder.is_dir() else []
            found |= {name for name in names if GroupFolder(partition.directory, name).live_members()}
        return sorted(found)

    def committed(self, group: str) -> Mapping[TopicPartition, int]:
        """What a group has committed; nothing for one that is not there."""
        partition = self._open(TopicPartition(OFFSETS_TOPIC, partition_of(group)), False)
        return {} if partition is None else dict(GroupOffsets(partition, group).committed())

    def members(self, group: str) -> Mapping[str, MemberState]:
        """A group's live members by name, ``<pid>-<id>``. Raises `InvalidGroup`."""
        partition = self._open(TopicPartition(OFFSETS_TOPIC, partition_of(group)), False)
        return {} if partition is None else GroupFolder(partition.directory, group).live_members()

    def reset(self, group: str, offsets: Mapping[TopicPartition, int]) -> None:
        """Commit for a group without a live member. Raises `GroupBusy` or `InvalidGroup`."""
        with self._without_members(group) as (_, kept):
            if offsets:
                kept.commit(offsets, sync=True)

    def delete(self, group: str) -> None:
        """Forget what a group committed. Raises `GroupBusy` or `InvalidGroup`."""
        with self._without_members(group) as (folder, kept):
            kept.forget()
            folder.forget()

    @contextmanager
    def _without_members(self, group: str) -> Iterator[tuple[GroupFolder, GroupOffsets]]:
        """A group that nobody can join meanwhile."""
        partition = self._made(group)
        folder = GroupFolder(partition.directory, group)
        try:
            with reporting("change the group in", folder.path):
                folder.make()
                with folder.lock:
                    live = folder.live_members()
                    if live:
                        processes = ", ".join(sorted(name.partition("-")[0] for name in live))
                        raise GroupBusy(
                            f"group {group!r} has live members, in process {processes}: close those "
                            "consumers first"
                        )
                    yield folder, GroupOffsets(partition, group)
        finally:
            folder.close()

    def _made(self, group: str) -> Partition:
        partition = self._open(TopicPartition(OFFSETS_TOPIC, partition_of(group)), True)
        assert partition is not None
        return partition

    def _partitions(self) -> Iterator[Partition]:
        for number in range(OFFSETS_PARTITIONS):
            partition = self._open(TopicPartition(OFFSETS_TOPIC, number), False)
            if partition is not None:
                yield partition
