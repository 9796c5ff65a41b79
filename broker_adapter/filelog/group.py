"""A member of a consumer group: joining, seeing who has gone, owning partitions, committing, leaving.

Owns the member's file and the locks of its partitions in a `GroupFolder`. A
`Membership` is for one thread at a time; any process may join.

There is no coordinator. A member's file is locked for the member's life, and
the kernel drops the lock at its death: the lock is the heartbeat. Each member
looks at the others whenever it polls (`beat`), and whoever finds one gone, or
partitions that nobody was given, works out a new assignment under the group's
lock, which makes a new generation. Seeing it, a member first lets go of what
is no longer its own (`excess`, `release`), and then takes what nobody else has
(`take`): a partition is read only while its lock is held, so it never has two
owners.

A member that lives and does not poll for its ``max_poll_interval`` is put out
of the group by the others. Its locks are void from then on; it finds out at
its next poll or commit, which raises `FencedMember`.

Time is only ever measured by the observer, with the monotonic clock.
"""

import os
import time
import uuid
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from broker_adapter.errors import FencedMember, UnknownPartition
from broker_adapter.filelog.assignment import assign_stickily
from broker_adapter.filelog.files import reporting
from broker_adapter.filelog.group_state import Expand, GroupFolder, GroupState, MemberState
from broker_adapter.filelog.locks import LifeLock, OwnerLock
from broker_adapter.filelog.offsets import GroupOffsets
from broker_adapter.nouns import TopicPartition

BEAT_SECONDS: Final = 0.02
"""How often a member looks at the others, at most."""
_HURRY_SECONDS: Final = 0.002
_HURRIES: Final = 5
"""How often, and how many times, after it was told that something changed: a lock is free a little later."""
_REVIEW_SECONDS: Final = 1.0
"""How often it looks for new topics and partitions, and reads a state that nobody told it of."""


@dataclass
class _Sighting:
    """What this member has seen of another."""

    turns: bytes = b""
    still: float = 0.0
    """For how many seconds the other has not polled."""
    dead: float | None = None
    """For how many seconds it has been dead; None while it lives."""


class Membership:
    """One consumer's place in a group, from joining to `leave`. Raises `LogIOError` or `CorruptLog`."""

    def __init__(
        self, folder: GroupFolder, offsets: GroupOffsets, wishes: MemberState, expand: Expand
    ) -> None:
        """Join the group of `folder`. `wishes` says what the member wants; its partitions are passed over."""
        self.group = folder.group
        self._folder = folder
        self._offsets = offsets
        self._wishes = wishes
        self._expand = expand
        self._owned: dict[TopicPartition, OwnerLock] = {}
        self._join()

    # ---------------------------------------------------------------- joining and leaving

    def _join(self) -> None:
        with reporting("join the group in", self._folder.path):
            self._folder.make()
            with self._folder.lock:
                state = self._folder.read_or_begin()
                self.name = f"{os.getpid()}-{uuid.uuid4().hex}"
                self._life = LifeLock(self._folder.member(self.name))
                try:
                    self._state = self._changed(state, self._with_me(state.members))
                except BaseException:
                    self._life.close()
                    raise
                self._folder.bury(self._state.members)
        self._seen: dict[str, _Sighting] = {}
        now = time.monotonic()
        self._next_beat = now
        self._next_review = now + _REVIEW_SECONDS
        self._last_beat = now
        self._hurries = 0
        self.is_fenced = False

    def _with_me(self, members: Mapping[str, MemberState]) -> dict[str, MemberState]:
        """The members that are to be, when this one joins."""
        mine, found = self._wishes, {}
        for name, each in members.items():
            if each.instance_id is not None and each.instance_id == mine.instance_id:
                mine = replace(mine, partitions=each.partitions)  # of its earlier life, which this fences
            elif each.instance_id is not None or self._folder.is_alive(name):
                found[name] = each  # a static one may be dead for a moment: the others know for how long
        return {**found, self.name: mine}

    def rejoin(self) -> None:
        """Join again after having been fenced, as a new member."""
        self.let_go()
        self._life.close()
        self._join()

    def leave(self) -> None:
        """Let go of all, and leave; the others take over at once. A second call does nothing.

        A static member keeps its place for its session timeout.
        """
        if not self._life.held:
            self._folder.close()
            return
        self.let_go()
        with reporting("leave the group in", self._folder.path):
            if self._wishes.instance_id is None:
                with self._folder.lock:
                    state = self._folder.read()
                    members = {name: each for name, each in state.members.items() if name != self.name}
                    self._changed(state, members)
            self._life.close()
        self._folder.close()

    @property
    def is_mine(self) -> bool:
        """Whether this process is the one that joined, and has not left."""
        return self._life.held

    def check(self) -> None:
        """Raise `FencedMember` unless this process is the one that joined."""
        if not self.is_mine:
            raise FencedMember(
                f"this consumer of group {self.group!r} belongs to the process that this one was forked "
                "from; make a consumer after the fork"
            )

    # ---------------------------------------------------------------- the others

    @property
    def is_due(self) -> bool:
        """Whether it is time for a `beat`."""
        return time.monotonic() >= self._next_beat

    @property
    def folders(self) -> tuple[Path, ...]:
        """The folders in which something changes when a member joins, leaves, dies or lets go."""
        return self._folder.folders

    def hurry(self) -> None:
        """Something changed in the folders: beat soon, and often for a moment."""
        self._hurries = _HURRIES
        self._next_beat = min(self._next_beat, time.monotonic())

    def beat(self) -> None:
        """Say that one goes on, see what has become of the others, and change the group if it must be.

        Raises `FencedMember` where the group has gone on without this one.
        """
        now = time.monotonic()
        passed, self._last_beat = now - self._last_beat, now
        self._hurries, is_hurried = max(self._hurries - 1, 0), self._hurries > 0
        self._next_beat = now + (_HURRY_SECONDS if is_hurried else BEAT_SECONDS)
        with reporting("look at the group in", self._folder.path):
            self._life.count()
            is_review = now >= self._next_review
            if is_review:
                self._next_review = now + _REVIEW_SECONDS
            if is_review or not self._folder.is_current(self._state):
                self._state = self._folder.read()
            self._check_not_fenced()
            gone = self._look_at_others(passed)
            if gone or (is_review and self._are_topics_other()):
                self._change(gone)

    def confirm(self) -> None:
        """Raise `FencedMember` if the group went on without this one since the last `beat`. Costs little."""
        if not self._folder.is_current(self._state):
            with reporting("look at the group in", self._folder.path):
                self._state = self._folder.read()
            self._check_not_fenced()

    def _check_not_fenced(self) -> None:
        if self.name not in self._state.members:
            self.is_fenced = True
            raise FencedMember(
                f"group {self.group!r} went on to generation {self._state.generation} without this consumer: "
                "it was away for longer than its max_poll_interval, or another has its group_instance_id. "
                "What it had not committed is seen again by others; poll to join again"
            )

    def _are_topics_other(self) -> bool:
        """Whether a partition has come that nobody was given, or one of this member's has gone."""
        there = self._expand(self._wishes.topics)
        return not there <= self._state.assigned() or not there.issuperset(
            self._state.members[self.name].partitions
        )

    def _look_at_others(self, passed: float) -> set[str]:
        """The members that should be no longer. `passed` is the time since the last look, in seconds."""
        gone = set()
        for name, member in self._state.members.items():
            if name == self.name:
                continue
            seen = self._seen.setdefault(name, _Sighting())
            if not self._folder.is_alive(name):
                seen.dead = 0.0 if seen.dead is None else seen.dead + passed
                if member.instance_id is None or seen.dead >= member.session_timeout:
                    gone.add(name)
                continue
            turns = self._folder.turns(name)
            if turns != seen.turns:
                seen.turns, seen.still = turns, 0.0
                continue
            # Not all at once: who was stopped itself, with all others, must not take them for hung.
            seen.still += min(passed, member.max_poll_interval / 2)
            if seen.still > member.max_poll_interval:
                gone.add(name)
        for name in self._seen.keys() - self._state.members.keys():
            del self._seen[name]
        return gone

    def _change(self, gone: Collection[str]) -> None:
        """Make a new generation without `gone`; at the next beat, if somebody else is changing the group."""
        with self._folder.lock.if_free() as free:
            if not free:
                return
            state = self._folder.read()
            members = {name: each for name, each in state.members.items() if name not in gone}
            self._state = self._changed(state, members)
            self._folder.bury(self._state.members)
        self._check_not_fenced()

    def _changed(self, state: GroupState, members: Mapping[str, MemberState]) -> GroupState:
        """Assign anew to `members`, and write what differs from `state`. With the group's lock."""
        assigned = assign_stickily(
            {name: self._expand(each.topics) for name, each in members.items()},
            {name: each.partitions for name, each in members.items()},
        )
        changed = {name: replace(each, partitions=tuple(assigned[name])) for name, each in members.items()}
        if changed == state.members:
            return state
        state = GroupState(state.generation + 1, changed)
        self._folder.write(state)
        return state

    # ---------------------------------------------------------------- partitions

    @property
    def generation(self) -> int:
        """The group's generation as this member knows it."""
        return self._state.generation

    @property
    def owned(self) -> Collection[TopicPartition]:
        """The partitions whose locks this member holds."""
        return self._owned.keys()

    def excess(self) -> set[TopicPartition]:
        """The partitions that it owns and is to let go of."""
        return self._owned.keys() - set(self._state.members[self.name].partitions)

    def release(self, partitions: Collection[TopicPartition]) -> None:
        """Let go of some partitions: others may take them at once."""
        for name in partitions:
            self._owned.pop(name).close()

    def let_go(self) -> None:
        """Let go of all."""
        self.release(list(self._owned))

    def take(self) -> set[TopicPartition]:
        """Take those of its partitions that nobody owns; what it took."""
        missing = set(self._state.members[self.name].partitions) - self._owned.keys()
        taken: set[TopicPartition] = set()
        if not missing:
            return taken
        with (
            reporting("take partitions of the group in", self._folder.path),
            self._folder.lock.if_free() as free,
        ):
            if not free:
                return taken
            self._state = self._folder.read()
            self._folder.settle(self._state)
            mine = self._state.members.get(self.name)
            for name in sorted(missing & set(mine.partitions if mine is not None else ())):
                lock = OwnerLock.take(
                    self._folder.partition(name), self.name, self._state.members.__contains__
                )
                if lock is not None:
                    self._owned[name] = lock
                    taken.add(name)
        return taken

    # ---------------------------------------------------------------- offsets

    def commit(self, offsets: Mapping[TopicPartition, int], *, sync: bool) -> None:
        """Commit for partitions that are owned. Raises `FencedMember` or `UnknownPartition`."""
        self.check()
        for name in offsets:
            if name not in self._owned:
                raise UnknownPartition(
                    f"this consumer does not own {TopicPartition(*name)}; see assignment()"
                )
        with reporting("commit to the group in", self._folder.path), self._folder.lock:
            # While its locks are not void, nobody else can own them: a newer generation does no harm then.
            self.confirm()
            self._folder.settle(self._state)
            self._offsets.commit(offsets, sync=sync)

    def committed(self) -> Mapping[TopicPartition, int]:
        """What the group has committed so far."""
        return self._offsets.committed()
