"""A consumer group's folder: who its members are, what each is to read, and in which generation.

Owns ``__consumer_offsets-<p>/groups/<group>/``, a folder within the
partition's directory, since Kafka passes over folders there and not in the
root::

    group.lock               held for the time of a change, a commit, or the taking of partitions
    state.json               members, subscriptions and assignment: replaced as a whole by a change
    generation               state.json's generation again, 8 bytes, mapped by all members
    members/<pid>-<id>       locked for the member's life; in it, 8 bytes that the member counts up
    partitions/<topic>-<p>   locked by who owns the partition; in it, that member's name

Reading takes no lock; writing is for the holder of ``group.lock``.
"""

import json
import logging
import mmap
import operator
import os
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

from broker_adapter.errors import CorruptLog, InvalidGroup
from broker_adapter.filelog.files import reporting, write_atomically
from broker_adapter.filelog.locks import FileLock, is_held
from broker_adapter.nouns import TopicPartition

_log = logging.getLogger(__name__)

_MAX_NAME: Final = 255
_WORD: Final = 8
_CHANGING: Final = b"\xff" * _WORD


def folder_name(group: str) -> str:
    """The name of a group's folder. Raises `InvalidGroup`."""
    name = quote(group, safe="").replace(".", "%2E")
    if not group or len(name) > _MAX_NAME:
        raise InvalidGroup(
            f"{group!r} cannot name a group: give a name that is not empty and, percent-encoded, has at most "
            f"{_MAX_NAME} bytes"
        )
    return name


@dataclass(frozen=True)
class MemberState:
    """What a group knows of a member. Times are in seconds."""

    topics: tuple[str, ...]
    """Names, and patterns, which begin with ``^``."""
    max_poll_interval: float
    session_timeout: float
    """How long a static member that died keeps its partitions."""
    instance_id: str | None = None
    """The name that a static member has over its lives."""
    partitions: tuple[TopicPartition, ...] = ()
    """What it is to read. It does so once it has the lock of each."""


@dataclass(frozen=True)
class GroupState:
    """A group at one generation. Members are by the names of their files."""

    generation: int = 0
    members: Mapping[str, MemberState] = field(default_factory=dict)

    def assigned(self) -> set[TopicPartition]:
        """All partitions that some member is to read."""
        return {partition for member in self.members.values() for partition in member.partitions}


class GroupFolder:
    """The files of one group. Any thread; each use opens its own. Raises `OSError` or `CorruptLog`."""

    def __init__(self, offsets_directory: Path, group: str) -> None:
        """Raises `InvalidGroup`. Touches no file."""
        self.group = group
        self.path = offsets_directory / "groups" / folder_name(group)
        self.lock = FileLock(self.path / "group.lock")
        self._members = self.path / "members"
        self._partitions = self.path / "partitions"
        self._state = self.path / "state.json"
        self.folders = (self.path, self._members, self._partitions)
        self._page: mmap.mmap | None = None

    def make(self) -> None:
        """Make the folders that are not there yet."""
        self._members.mkdir(parents=True, exist_ok=True)
        self._partitions.mkdir(exist_ok=True)

    def member(self, name: str) -> Path:
        """The file of a member."""
        return self._members / name

    def partition(self, name: TopicPartition) -> Path:
        """The lock file of a partition."""
        return self._partitions / str(name)

    # ---------------------------------------------------------------- the state

    def read(self) -> GroupState:
        """The state as it is now. Raises `CorruptLog`."""
        try:
            found = json.loads(self._state.read_text(encoding="utf-8"))
            members = {name: _member(each) for name, each in found["members"].items()}
            generation = operator.index(found["generation"])
        except FileNotFoundError:
            return GroupState()
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise CorruptLog(
                f"{self._state} cannot be read ({error}); remove it: the group starts anew, its offsets stay"
            ) from error
        return GroupState(generation, members)

    def read_or_begin(self) -> GroupState:
        """The state as it is now, with the group's lock; a new one where none can be read and nobody lives.

        Raises `CorruptLog` where it cannot be read and there are live members.
        """
        try:
            return self.read()
        except CorruptLog as error:
            if any(is_held(path) for path in self._members.iterdir()):
                raise
            _log.warning("%s: the group starts anew, since it has no live member", error)
            return GroupState()

    def write(self, state: GroupState) -> None:
        """Make `state` the group's, with the group's lock."""
        members = {
            name: {**vars(member), "topics": list(member.topics), "partitions": list(member.partitions)}
            for name, member in state.members.items()
        }
        # From here to the end everybody reads the file, also for ever after a writer that died in between.
        self._mapped()[:_WORD] = _CHANGING
        # No disk is waited for: when the machine goes down, all members do.
        text = json.dumps({"generation": state.generation, "members": members}, indent=1)
        write_atomically(self._state, text, durable=False)
        self.settle(state)

    def settle(self, state: GroupState) -> None:
        """Say that `state` is what is in the file, with the group's lock."""
        self._mapped()[:_WORD] = state.generation.to_bytes(_WORD, "little")

    def is_current(self, state: GroupState) -> bool:
        """Whether `state` is the group's. Without a system call; False also where it cannot be told."""
        return int.from_bytes(self._mapped()[:_WORD], "little") == state.generation

    def _mapped(self) -> mmap.mmap:
        if self._page is None:
            descriptor = os.open(self.path / "generation", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
            try:
                if os.fstat(descriptor).st_size < _WORD:
                    # Reading a mapped page that the file does not have would kill the process.
                    os.ftruncate(descriptor, _WORD)
                self._page = mmap.mmap(descriptor, _WORD)
            finally:
                os.close(descriptor)
        return self._page

    # ---------------------------------------------------------------- the members

    def is_alive(self, name: str) -> bool:
        """Whether the member of that name has not died, and not left."""
        return is_held(self.member(name))

    def live_members(self) -> dict[str, MemberState]:
        """The members that are alive."""
        with reporting("look for members in", self.path):
            return {name: member for name, member in self.read().members.items() if self.is_alive(name)}

    def bury(self, keep: Sequence[str] | Mapping[str, object]) -> None:
        """Remove the files of members that are dead and not among `keep`, with the group's lock."""
        for path in list(self._members.iterdir()):
            if path.name not in keep and not is_held(path):
                path.unlink(missing_ok=True)

    def forget(self) -> None:
        """Forget members that are dead and what they were given, with the group's lock."""
        self.bury(())
        for path in self._partitions.iterdir():
            path.unlink(missing_ok=True)
        self.write(GroupState(self.read().generation + 1))

    def turns(self, name: str) -> bytes:
        """What a member counts up at each of its polls; b"" when it is gone."""
        with suppress(FileNotFoundError):
            return self.member(name).read_bytes()
        return b""

    def close(self) -> None:
        """Let go of the files."""
        self.lock.close()
        if self._page is not None:
            self._page.close()
            self._page = None


def _member(found: Mapping[str, Any]) -> MemberState:
    member = MemberState(**found)
    return replace(
        member,
        topics=tuple(member.topics),
        partitions=tuple(TopicPartition(*each) for each in member.partitions),
    )


Expand = Callable[[Sequence[str]], set[TopicPartition]]
"""From names and patterns of topics to all partitions that there are now."""
