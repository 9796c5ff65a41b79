"""What every broker's groups of several members do: share, take over, fence, and wait for static members."""

import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from broker_adapter import Broker, Consumer, RawRecord, TopicPartition
from broker_adapter.errors import FencedMember, InvalidConfig
from tests.broker_adapter.member import owned, read_journal
from tests.broker_adapter.reading import take, wait_for
from tests.support.needs import ROOT

Member = Consumer[bytes | None, bytes | None]


def send(broker: Broker, topic: str, numbers: range, partitions: int = 4) -> None:
    """A record for each number, in turn over the partitions."""
    with broker.producer() as producer:
        for n in numbers:
            producer.send(topic, b"%d" % n, partition=n % partitions)


def values(records: list[RawRecord]) -> list[int]:
    """The numbers in records' values, sorted."""
    return sorted(int(record.value or b"") for record in records)


def polling(condition: Callable[[], bool], seen: list[RawRecord], *members: Member) -> None:
    """Poll the members in turn until `condition` holds, and keep in `seen` what comes."""

    def looks() -> bool:
        for member in members:
            seen.extend(member.poll(0.02))
        return condition()

    wait_for(looks)


def shares(*members: Member) -> list[int]:
    """How many partitions each has."""
    return [len(member.assignment()) for member in members]


def test_members_share_and_who_leaves_hands_over(any_broker: Broker, topic: str) -> None:
    send(any_broker, topic, range(400))
    told: list[tuple[str, int, frozenset[TopicPartition]]] = []
    members: list[Member] = []

    def join(number: int) -> None:
        def revoked(partitions: frozenset[TopicPartition]) -> None:
            told.append(("revoked", number, partitions))
            mine = members[number]
            mine.commit({each: mine.position(each) for each in partitions})

        member = any_broker.consumer(
            topic,
            group=f"g-{topic}",
            on_assign=lambda partitions: told.append(("assigned", number, partitions)),
            on_revoke=revoked,
            session_timeout=1.5,  # Kafka's members hear of a change with a heartbeat, three in this time
        )
        members.append(member)

    seen: list[RawRecord] = []
    join(0)
    polling(lambda: len(seen) == 400, seen, *members)
    join(1)
    join(2)
    polling(lambda: sorted(shares(*members)) == [1, 1, 2], seen, *members)
    everything = {TopicPartition(topic, number) for number in range(4)}
    assert set().union(*(member.assignment() for member in members)) == everything
    send(any_broker, topic, range(400, 800))
    polling(lambda: len(seen) >= 800, seen, *members)
    members[0].close()
    send(any_broker, topic, range(800, 1200))
    polling(lambda: shares(*members[1:]) == [2, 2] and len(seen) >= 1200, seen, *members[1:])
    described = any_broker.admin.describe_group(f"g-{topic}")
    assert sorted(each for member in described.members for each in member.partitions) == sorted(everything)
    for member in members[1:]:
        member.close()
    # Who had to let go committed first, so that nothing is seen twice.
    assert values(seen) == list(range(1200))
    had: dict[int, set[TopicPartition]] = {0: set(), 1: set(), 2: set()}
    for what, number, partitions in told:
        if what == "assigned":
            assert not any(partitions & others for others in had.values())
            had[number] |= partitions
        else:
            assert partitions <= had[number]
            had[number] -= partitions
    assert not any(had.values())


@pytest.mark.parametrize("how", ["records", "batches"])
def test_an_iteration_goes_on_when_others_come(any_broker: Broker, topic: str, how: str) -> None:
    group = f"g-{topic}"
    alone = threading.Event()
    first = any_broker.consumer(topic, group=group, session_timeout=1.5, on_assign=lambda _: alone.set())
    seen: list[RawRecord] = []

    def iterate() -> None:
        rounds = ([each] for each in first) if how == "records" else first.batches()
        for records in rounds:
            seen.extend(records)
            if any(each.value == b"-1" for each in records):
                return

    iterating = threading.Thread(target=iterate)
    iterating.start()
    assert alone.wait(30)
    with any_broker.consumer(topic, group=group, session_timeout=1.5) as second:
        theirs: list[RawRecord] = []
        polling(
            lambda: shares(second) == [2], theirs, second
        )  # taken from the first, which waits for records
        send(any_broker, topic, range(8))
        polling(lambda: len(seen) + len(theirs) == 8, theirs, second)
        assert values(seen + theirs) == list(range(8))
        assert len(seen) == 4
        with any_broker.producer() as producer:
            for partition in range(4):
                producer.send(topic, b"-1", partition=partition)
        iterating.join(30)
        assert not iterating.is_alive()
    first.close()


def test_who_does_not_poll_is_fenced(any_broker: Broker, topic: str) -> None:
    send(any_broker, topic, range(4))
    lost: list[frozenset[TopicPartition]] = []
    options: dict[str, Any] = {"group": f"g-{topic}", "max_poll_interval": 1.0}
    with any_broker.consumer(topic, on_lost=lost.append, **options) as hung:
        had = take(hung, 4)
        other = any_broker.consumer(topic, **options)
        polling(lambda: shares(hung, other) == [2, 2], had, hung, other)
        mine = hung.assignment()
        again: list[RawRecord] = []
        # What it has not committed is seen again.
        polling(lambda: {TopicPartition(*each[:2]) for each in again} >= mine, again, other)
        assert len(other.assignment()) == 4
        with pytest.raises(FencedMember):
            hung.commit(dict.fromkeys(mine, 1))
        with_records: list[RawRecord] = []

        def joined_again() -> bool:
            with_records.extend(other.poll(0.02))
            try:
                with_records.extend(hung.poll(0.02))
            except FencedMember:
                return False
            return shares(hung, other) == [2, 2]

        wait_for(joined_again)
        assert lost == [mine]
        hung.commit()
        other.close()


def test_a_static_member_comes_back_to_its_partitions(any_broker: Broker, topic: str) -> None:
    group = f"g-{topic}"
    changes: list[object] = []

    def join(name: str) -> Member:
        return any_broker.consumer(
            topic,
            group=group,
            group_instance_id=name,
            session_timeout=30.0,
            on_assign=changes.append,
            on_revoke=changes.append,
        )

    seen: list[RawRecord] = []
    with join("north") as north:
        south = join("south")
        polling(lambda: shares(north, south) == [2, 2], seen, north, south)
        had = south.assignment()
        instances = {each.group_instance_id for each in any_broker.admin.describe_group(group).members}
        assert instances == {"north", "south"}
        south.close()
        changes.clear()
        for _ in range(10):
            assert north.poll(0.05) == []  # its partitions wait for it
        assert changes == []
        with join("south") as south:
            polling(lambda: south.assignment() == had, seen, north, south)
            assert changes == [had]
            assert shares(north) == [2]


def test_an_earlier_life_of_a_static_member_is_fenced(any_broker: Broker, topic: str) -> None:
    send(any_broker, topic, range(4))
    options: dict[str, Any] = {"group": f"g-{topic}", "group_instance_id": "one"}
    with any_broker.consumer(topic, **options) as earlier:
        had = take(earlier, 4)
        with any_broker.consumer(topic, **options) as later:
            polling(lambda: len(later.assignment()) == 4, had, later)
            wait_for(lambda: is_fenced(earlier, topic))
            later.poll(0.1)
            later.commit()


def is_fenced(member: Member, topic: str) -> bool:
    """Whether the member's commit is refused."""
    try:
        member.commit({TopicPartition(topic, 0): 1})
    except FencedMember:
        return True
    return False


def test_topics_by_pattern_and_those_that_come_later(any_broker: Broker, topic: str) -> None:
    admin = any_broker.admin
    group, pattern = f"g-{topic}", f"^{topic}-[ab]+$"
    for name in (f"{topic}-a", f"{topic}-c"):
        admin.create_topic(name, 2)
    seen: list[RawRecord] = []
    with (
        any_broker.consumer([topic, pattern], group=group) as one,
        any_broker.consumer([topic, pattern], group=group) as other,
    ):
        polling(lambda: shares(one, other) == [3, 3], seen, one, other)
        admin.create_topic(f"{topic}-b", 1)
        admin.alter_topic(f"{topic}-a", partitions=4)
        polling(lambda: sum(shares(one, other)) == 9, seen, one, other)
        names = [topic, f"{topic}-a", f"{topic}-b"]
        wanted = {
            TopicPartition(name, n)
            for name, count in zip(names, (4, 4, 1), strict=True)
            for n in range(count)
        }
        assert one.assignment() | other.assignment() == wanted
        with any_broker.producer() as producer:
            for each in wanted:
                producer.send(each.topic, b"1", partition=each.partition)
        polling(lambda: len(seen) == 9, seen, one, other)
    with any_broker.consumer(pattern) as alone:
        assert {each.topic for each in alone.assignment()} == {f"{topic}-a", f"{topic}-b"}


def test_settings_of_a_member_that_cannot_be(any_broker: Broker, topic: str) -> None:
    with pytest.raises(InvalidConfig, match="group="):
        any_broker.consumer(topic, group_instance_id="one")
    with pytest.raises(InvalidConfig, match="above 0"):
        any_broker.consumer(topic, group=f"g-{topic}", max_poll_interval=0)
    with pytest.raises(InvalidConfig, match="above 0"):
        any_broker.consumer(topic, group=f"g-{topic}", session_timeout=-1)
    with pytest.raises(InvalidConfig, match=r"\^\("):
        any_broker.consumer("^(", group=f"g-{topic}")


def test_what_a_callback_raises_reaches_the_caller(any_broker: Broker, topic: str) -> None:
    def object_to(partitions: frozenset[TopicPartition]) -> None:
        raise LookupError(f"no room for {len(partitions)}")

    send(any_broker, topic, range(4))
    with any_broker.consumer(topic, group=f"g-{topic}", on_assign=object_to) as consumer:
        with pytest.raises(LookupError, match="no room for 4"):
            take(consumer, 1)
        assert values(take(consumer, 4)) == [0, 1, 2, 3]


# ---------------------------------------------------------------- several processes


@contextmanager
def member(url: str, topic: str, journal: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A process that is a member of the group of `topic`."""
    command = [sys.executable, "-m", "tests.broker_adapter.member", url, topic, f"g-{topic}", str(journal)]
    process = subprocess.Popen([*command, "session_timeout=1"], cwd=ROOT)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def reads(*journals: Path) -> set[tuple[int, int]]:
    """Partitions and offsets that members have read."""
    return {
        (int(partition), offset)
        for journal in journals
        for _, what, value in read_journal(journal)
        if what == "read"
        for partition, offsets in value.items()
        for offset in offsets
    }


def test_a_killed_process_is_replaced_by_the_others(
    any_url: str, any_broker: Broker, topic: str, tmp_path: Path
) -> None:
    journals = [tmp_path / "a", tmp_path / "b"]
    with member(any_url, topic, journals[0]) as first, member(any_url, topic, journals[1]):
        send(any_broker, topic, range(400))
        wait_for(lambda: all(len(owned(read_journal(journal))) == 2 for journal in journals))
        first.kill()
        send(any_broker, topic, range(400, 800))
        wait_for(lambda: len(owned(read_journal(journals[1]))) == 4)
        wait_for(lambda: reads(*journals) == {(n, offset) for n in range(4) for offset in range(200)})
        Path(f"{journals[1]}.stop").touch()
        wait_for(lambda: read_journal(journals[1])[-1].what == "left")
    assert any_broker.admin.describe_group(f"g-{topic}").offsets == {
        TopicPartition(topic, number): 200 for number in range(4)
    }
