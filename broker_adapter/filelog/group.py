"""A consumer group: who its members are, and which generation it is in.

Owns ``__consumer_offsets-<p>/groups/<group>/``: ``group.lock``, ``state.json``
and ``members/<pid>-<id>``. (A folder within the partition's directory, since Kafka
passes over folders there and not in the root.) A `Membership` is for one
thread at a time; any process may join.

A member's file is locked for the member's life, and the kernel drops the lock
at its death: the lock is the heartbeat. Every join makes a new generation, and
a commit must be of the present one. In this release a group has one member: a
second is refused while the first lives.
"""

import json
import os
import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import Final
from urllib.parse import quote

from broker_adapter.broker import TopicPartition
from broker_adapter.errors import CorruptLog, FencedMember, GroupBusy, InvalidGroup
from broker_adapter.filelog.files import reporting, write_atomically
from broker_adapter.filelog.locks import FileLock, LifeLock, is_held
from broker_adapter.filelog.offsets import GroupOffsets

_MAX_NAME: Final = 255


def _folder_name(group: str) -> str:
    name = quote(group, safe="").replace(".", "%2E")
    if not group or len(name) > _MAX_NAME:
        raise InvalidGroup(
            f"{group!r} cannot name a group: give a name that is not empty and, percent-encoded, has at most "
            f"{_MAX_NAME} bytes"
        )
    return name


def live_members(offsets_directory: Path, group: str) -> list[str]:
    """The names of the files of a group's live members. Raises `LogIOError` or `InvalidGroup`."""
    members = offsets_directory / "groups" / _folder_name(group) / "members"
    with reporting("look for members in", members):
        if not members.is_dir():
            return []
        return sorted(path.name for path in members.iterdir() if is_held(path))


class Membership:
    """One consumer's place in a group, from joining to `leave`. Raises `LogIOError`."""

    def __init__(self, offsets_directory: Path, offsets: GroupOffsets) -> None:
        """Join the group of `offsets`. Raises `GroupBusy` or `InvalidGroup`."""
        self.group = offsets.group
        self._offsets = offsets
        self._directory = offsets_directory / "groups" / _folder_name(self.group)
        self._members = self._directory / "members"
        with reporting("join the group in", self._directory):
            self._members.mkdir(parents=True, exist_ok=True)
            self._lock = FileLock(self._directory / "group.lock")
            try:
                with self._lock:
                    self._bury_the_dead()
                    self._life = LifeLock(self._members / f"{os.getpid()}-{uuid.uuid4().hex}")
                    self.generation = self._read_generation() + 1
                    write_atomically(
                        self._directory / "state.json", json.dumps({"generation": self.generation})
                    )
            except BaseException:
                self._lock.close()
                raise

    def check(self) -> None:
        """Raise `FencedMember` unless this process is still the group's member."""
        if not self._life.held:
            raise FencedMember(
                f"this consumer of group {self.group!r} belongs to the process that this one was forked "
                "from; make a consumer after the fork"
            )

    def commit(self, offsets: Mapping[TopicPartition, int], *, sync: bool) -> None:
        """Commit for the group. Raises `FencedMember` if the group is at another generation."""
        with reporting("commit to the group in", self._directory), self._lock:
            self._check_generation()
            self._offsets.commit(offsets, sync=sync)

    def forget(self) -> None:
        """Forget all that the group has committed. Raises as `commit`."""
        with reporting("commit to the group in", self._directory), self._lock:
            self._check_generation()
            self._offsets.forget()

    def _check_generation(self) -> None:
        self.check()
        now = self._read_generation()
        if now != self.generation:
            raise FencedMember(
                f"group {self.group!r} is at generation {now} and this consumer joined at "
                f"{self.generation}: another has its partitions. Nothing was committed; close this "
                "consumer and join again"
            )

    def committed(self) -> Mapping[TopicPartition, int]:
        """What the group has committed so far."""
        return self._offsets.committed()

    def leave(self) -> None:
        """Leave; the next member may join at once. A second call does nothing."""
        with reporting("leave the group in", self._directory):
            self._life.close()
            self._lock.close()

    def _bury_the_dead(self) -> None:
        for path in self._members.iterdir():
            if is_held(path):
                raise GroupBusy(
                    f"group {self.group!r} has a live member, in process {path.name.partition('-')[0]}, "
                    "and a group has one at a time in this release: close that consumer, or use another group"
                )
            path.unlink(missing_ok=True)  # a member that leaves removes it, too

    def _read_generation(self) -> int:
        path = self._directory / "state.json"
        try:
            generation = json.loads(path.read_text(encoding="utf-8"))["generation"]
        except FileNotFoundError:
            return 0
        except (ValueError, KeyError, TypeError) as error:
            raise CorruptLog(
                f"{path} cannot be read ({error}); remove it: the group starts anew, its offsets stay"
            ) from error
        if not isinstance(generation, int):
            raise CorruptLog(
                f"{path} has generation {generation!r}; remove it: the group starts anew, its offsets stay"
            )
        return generation
