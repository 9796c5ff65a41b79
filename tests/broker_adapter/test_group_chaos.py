"""A group under kills, joins, freezes and clock jumps: one owner a partition, and nothing skipped."""

import os
import random
import signal
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

import pytest

from broker_adapter import TopicPartition
from broker_adapter.filelog.broker import FileBroker
from broker_adapter.filelog.offsets import OFFSETS_TOPIC, decode_key, decode_value, partition_of
from tests.broker_adapter.logs import read_all
from tests.broker_adapter.member import Event, owned, read_journal
from tests.broker_adapter.reading import wait_for
from tests.support.needs import ROOT

SECONDS = float(os.environ.get("FIVEBYTE_TEST_CHAOS_SECONDS", "120"))
PARTITIONS = 12
MEMBERS = 4
MAX_POLL_INTERVAL = 2.0

PRODUCER = """
import random, sys, time
from pathlib import Path
from broker_adapter import connect
folder, stop = sys.argv[1:]
with connect(f"file:{folder}") as broker, broker.producer(linger=0.002) as producer:
    while not Path(stop).exists():
        for partition in random.sample(range(12), 4):
            for _ in range(random.randrange(20)):
                producer.send("t", b"v" * 50, partition=partition)
        time.sleep(0.01)
"""


@dataclass
class Member:
    """A process, and what was done to it."""

    process: subprocess.Popen[bytes]
    journal: Path
    killed: int | None = None
    """When, in nanoseconds."""
    had: set[int] = field(default_factory=set)
    """What it owned when it was killed."""


class Group:
    """Members that come and go."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.all: list[Member] = []

    def living(self) -> list[Member]:
        return [member for member in self.all if member.killed is None]

    def join(self) -> None:
        journal = self.folder / f"journal-{len(self.all)}"
        command = [sys.executable, "-m", "tests.broker_adapter.member", f"file:{self.folder / 'data'}"]
        times = f"max_poll_interval={MAX_POLL_INTERVAL}"
        process = subprocess.Popen([*command, "t", "g", str(journal), times], cwd=ROOT)
        self.all.append(Member(process, journal))

    def kill(self, member: Member) -> None:
        member.had = owned(read_journal(member.journal))
        member.killed = time.monotonic_ns()
        member.process.kill()
        member.process.wait()

    def freeze(self, member: Member, seconds: float) -> None:
        member.process.send_signal(signal.SIGSTOP)
        time.sleep(seconds)
        member.process.send_signal(signal.SIGCONT)

    def jump(self, member: Member) -> None:
        if read_journal(member.journal):  # before, it does not listen to the signal
            member.process.send_signal(signal.SIGUSR1)

    def end(self) -> None:
        for member in self.living():
            Path(f"{member.journal}.stop").touch()
        for member in self.living():
            assert member.process.wait(60) == 0


@pytest.fixture
def group(tmp_path: Path) -> Iterator[Group]:
    group = Group(tmp_path)
    yield group
    for member in group.all:
        member.process.kill()
        member.process.wait()


def test_one_owner_a_partition_and_nothing_skipped(group: Group, tmp_path: Path) -> None:
    seed = random.randrange(10**6)
    print(f"seed {seed}")  # noqa: T201 - to run it again
    chance = random.Random(seed)
    with FileBroker(tmp_path / "data") as broker:
        broker.admin.create_topic("t", PARTITIONS)
        stop = tmp_path / "stop"
        producer = subprocess.Popen(
            [sys.executable, "-c", PRODUCER, str(tmp_path / "data"), str(stop)], cwd=ROOT
        )
        try:
            disturb(group, chance)
        finally:
            stop.touch()
            assert producer.wait(60) == 0
        wait_for(lambda: all_is_read(broker, group))
        group.end()
        journals = {member.journal.name: read_journal(member.journal) for member in group.all}
        killed = {member.journal.name: member.killed for member in group.all}
        for partition in range(PARTITIONS):
            assert_one_owner(partition, journals, killed)
            assert_nothing_skipped(broker, partition, journals)
        assert_commits_only_go_on(broker)
    report(group)


def disturb(group: Group, chance: random.Random) -> None:
    """Kill, freeze, join, and set clocks, until the time is over."""
    for _ in range(MEMBERS):
        group.join()
    deadline = time.monotonic() + SECONDS
    while time.monotonic() < deadline:
        time.sleep(chance.uniform(0.1, 0.8))
        living = group.living()
        member = chance.choice(living)
        what = chance.random()
        assert all(each.process.poll() is None for each in living), "one has ended by itself"
        if what < 0.3:
            group.kill(member)
        elif what < 0.5:
            group.freeze(member, chance.choice((0.05, 0.3, 1.0, 1.5 * MAX_POLL_INTERVAL)))
        elif what < 0.8:
            group.jump(member)
        if len(group.living()) < MEMBERS or (what > 0.95 and len(living) == MEMBERS):
            group.join()
    assert any(member.killed for member in group.all)


def ends(broker: FileBroker) -> dict[int, int]:
    """The logs' ends."""
    names = [TopicPartition("t", number) for number in range(PARTITIONS)]
    return {name.partition: broker.partition(name).state().log_end_offset for name in names}


def all_is_read(broker: FileBroker, group: Group) -> bool:
    """Whether the group has committed all that there is."""
    committed = broker._groups.committed("g")
    return all(committed.get(TopicPartition("t", number), 0) == end for number, end in ends(broker).items())


def spans(partition: int, journal: list[Event], killed: int | None) -> Iterator[tuple[int, int]]:
    """When a member was a partition's owner by its own account: from being told to the last thing it did.

    A read counts for when its poll began: the process may have been stopped before it wrote it down. One
    that had done nothing for long when it was killed may have been fenced and not known it. Who was told, and
    found itself fenced before it had read anything, was stopped while it was told, and was no owner.
    """
    begin, last, poll = None, 0, 0
    for at, what, value in journal:
        if what == "polls":
            poll = at
        elif what == "assigned" and partition in value:
            begin = last = at
        elif what == "read" and str(partition) in value:
            assert begin is not None, f"it read {partition} without having it"
            last = max(last, poll)
        elif what in {"revoked", "lost"} and partition in value:
            assert begin is not None
            if what == "revoked" or last > begin:
                yield begin, at if what == "revoked" else last
            begin = None
    if begin is not None:
        assert killed is not None
        if killed - journal[-1].at < MAX_POLL_INTERVAL * 1e9 / 2:
            yield begin, killed
        elif last > begin:
            yield begin, last


def assert_one_owner(partition: int, journals: dict[str, list[Event]], killed: dict[str, int | None]) -> None:
    """Fail if two owned the partition at the same time."""
    found = sorted(
        (*span, name)
        for name, journal in journals.items()
        for span in spans(partition, journal, killed[name])
    )
    assert len(found) > 1
    for (begin, end, name), (begin_2, end_2, name_2) in pairwise(found):
        assert end <= begin_2, f"{partition}: {name} had it {begin} to {end}, {name_2} {begin_2} to {end_2}"


def assert_nothing_skipped(broker: FileBroker, partition: int, journals: dict[str, list[Event]]) -> None:
    """Fail unless every record was read by somebody."""
    seen = {
        offset
        for journal in journals.values()
        for _, what, value in journal
        if what == "read"
        for offset in value.get(str(partition), ())
    }
    assert seen == set(range(ends(broker)[partition]))
    assert len(seen) > 100


def assert_commits_only_go_on(broker: FileBroker) -> None:
    """Fail if somebody committed who was no longer the owner: that would be behind what its follower did."""
    last: dict[TopicPartition, int] = {}
    partition = broker._open_offsets(TopicPartition(OFFSETS_TOPIC, partition_of("g")), False)
    assert partition is not None
    for record in read_all(partition, partition.state().log_start_offset):
        assert record.key is not None
        assert record.value is not None
        decoded = decode_key(record.key)
        assert decoded is not None
        offset = decode_value(record.value)
        assert offset >= last.get(decoded[1], 0), record
        last[decoded[1]] = offset


def report(group: Group) -> None:
    """Print how soon the partitions of the killed were others'."""
    waits = []
    for member in group.all:
        if member.killed is not None and member.had:
            taken = [
                event.at
                for other in group.all
                for event in read_journal(other.journal)
                if event.what == "assigned" and event.at > member.killed and member.had & set(event.value)
            ]
            waits.append((min(taken) - member.killed) / 1e6)
    fenced = sum(event.what == "lost" for member in group.all for event in read_journal(member.journal))
    print(  # noqa: T201 - measured, and not asserted
        f"{len(group.all)} members, {len(waits)} killed that had partitions, {fenced} times fenced; "
        f"hand-over p50 {statistics.median(waits):.0f} ms, max {max(waits):.0f} ms"
    )
