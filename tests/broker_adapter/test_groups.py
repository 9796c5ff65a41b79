"""Groups in a file log: their files, what a death or a fork leaves of them, and who is taken for hung."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from broker_adapter import TopicPartition
from broker_adapter.errors import CorruptLog, FencedMember, GroupBusy
from broker_adapter.filelog import group as group_module
from broker_adapter.filelog.broker import FileBroker
from broker_adapter.filelog.group import BEAT_SECONDS, Membership
from broker_adapter.filelog.group_state import GroupFolder, GroupState, MemberState
from broker_adapter.filelog.locks import LifeLock, OwnerLock
from tests.broker_adapter.reading import wait_for

ALL = [TopicPartition("t", number) for number in range(4)]


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[FileBroker]:
    """A topic of four partitions with a record in each."""
    with FileBroker(tmp_path) as broker:
        broker.admin.create_topic("t", 4)
        with broker.producer() as producer:
            for number in range(4):
                producer.send("t", b"v", partition=number)
        yield broker


def folder_of(broker: FileBroker, group: str = "g") -> GroupFolder:
    """The files of a group that is there."""
    (path,) = broker.root.glob(f"__consumer_offsets-*/groups/{group}")
    return GroupFolder(path.parent.parent, group)


class Clock:
    """A monotonic clock that is set by hand."""

    def __init__(self) -> None:
        self.now = 1000.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """The clock of all members."""
    clock = Clock()
    monkeypatch.setattr(group_module, "time", clock)
    return clock


def membership(broker: FileBroker, **wishes: object) -> Membership:
    """A member of the group g, without a consumer."""
    options: dict[str, object] = {"max_poll_interval": 10.0, "session_timeout": 5.0, **wishes}
    return broker._groups.join("g", MemberState(("t",), **options))  # type: ignore[arg-type]


def settle(*members: Membership) -> None:
    """Let all members do what there is to do."""
    for _ in range(3):
        for member in members:
            member.beat()
            member.release(member.excess())
            member.take()


# ---------------------------------------------------------------- files


def test_what_a_group_leaves_behind(broker: FileBroker) -> None:
    with broker.consumer("t", group="g") as one, broker.consumer("t", group="g"):
        folder = folder_of(broker)
        wait_for(lambda: one.poll(0.01) is not None and len(one.assignment()) == 2)
        state = folder.read()
        assert sorted(each for member in state.members.values() for each in member.partitions) == ALL
        assert folder.live_members() == state.members
        assert folder.is_current(state)
        assert sorted(path.name for path in (folder.path / "members").iterdir()) == sorted(state.members)
    after = folder.read()
    assert after.members == {}
    assert after.generation > state.generation
    assert list((folder.path / "members").iterdir()) == []
    broker.admin.reset_group("g", {ALL[0]: 1})
    broker.admin.delete_group("g")
    assert list((folder.path / "partitions").iterdir()) == []


@pytest.mark.parametrize(
    "text", ["?", "[]", '{"generation": 1}', '{"generation": "x", "members": {}}', '{"members": {"a": 1}}']
)
def test_a_state_that_cannot_be_read(broker: FileBroker, text: str, caplog: pytest.LogCaptureFixture) -> None:
    with broker.consumer("t", group="g") as consumer:
        path = folder_of(broker).path / "state.json"
        sound = path.read_text()
        path.write_text(text)
        with pytest.raises(CorruptLog, match=r"state\.json cannot be read.*remove it"):
            broker.consumer("t", group="g")
        path.write_text(sound)
        assert len(consumer.poll()) == 4
    path.write_text(text)
    with broker.consumer("t", group="g") as consumer:  # nobody lives: the machine went down within a change
        assert len(consumer.poll()) == 4
    assert "the group starts anew" in caplog.text


def test_a_change_whose_writer_died_is_seen(broker: FileBroker) -> None:
    with broker.consumer("t", group="g") as consumer:
        assert len(consumer.poll()) == 4
        folder = folder_of(broker)
        # Killed after it had replaced the state, and before it had said so.
        state = folder.read()
        folder.settle(GroupState(0xFFFF_FFFF_FFFF_FFFF))
        (folder.path / "state.json").write_text(f'{{"generation": {state.generation + 1}, "members": {{}}}}')
        with pytest.raises(FencedMember, match=f"generation {state.generation + 1} without this consumer"):
            consumer.commit()
        assert len(consumer.poll(1)) == 4  # it has joined again
        consumer.commit()
        assert folder.is_current(folder.read())


def test_a_group_with_members_is_not_changed_from_outside(broker: FileBroker) -> None:
    with broker.consumer("t", group="g") as consumer:
        live = f"live members, in process {os.getpid()}"
        with pytest.raises(GroupBusy, match=live):
            broker.admin.reset_group("g", {ALL[0]: 0})
        with pytest.raises(GroupBusy, match=live):
            broker.admin.delete_group("g")
        assert consumer.committed(ALL[0]) is None


# ---------------------------------------------------------------- ownership


def test_a_partition_has_one_owner(tmp_path: Path) -> None:
    path = tmp_path / "p"
    lock = OwnerLock.take(path, "a", lambda _: True)
    assert lock is not None
    assert OwnerLock.take(path, "b", {"a"}.__contains__) is None
    taken = OwnerLock.take(path, "bb", set[str]().__contains__)  # a is no member any more
    assert taken is not None
    assert path.read_text() == "bb"
    lock.close()  # a lets go of a file that nobody sees
    assert OwnerLock.take(path, "c", {"bb"}.__contains__) is None
    taken.close()
    again = OwnerLock.take(path, "c", lambda _: True)
    assert again is not None
    assert path.read_text() == "c"
    again.close()


def test_partitions_move_only_when_they_are_let_go(broker: FileBroker) -> None:
    one = membership(broker)
    assert one.take() == set(ALL)
    two = membership(broker)
    assert two.take() == set()  # they are given to it, and it has to wait
    one.beat()
    assert len(one.excess()) == 2
    assert two.take() == set()
    given = one.excess()
    one.release(given)
    assert two.take() == given
    one.leave()
    settle(two)
    assert set(two.owned) == set(ALL)
    two.leave()
    two.leave()


def test_who_is_fenced_owns_nothing_and_commits_nothing(broker: FileBroker, clock: Clock) -> None:
    hung, other = membership(broker), membership(broker)
    hung.take()
    settle(hung, other)
    mine = set(hung.owned)
    clock.now += 4.9
    other.beat()
    assert other.take() == set()
    for _ in range(3):
        clock.now += 4.9
        other.beat()
    assert other.take() == mine
    with pytest.raises(FencedMember, match="max_poll_interval"):
        hung.commit(dict.fromkeys(mine, 1), sync=False)
    assert hung.is_fenced
    other.commit(dict.fromkeys(mine, 1), sync=False)
    hung.rejoin()
    settle(hung, other)
    assert len(hung.owned) == len(other.owned) == 2
    for member in (hung, other):
        member.leave()


def test_who_stood_still_itself_takes_nobody_for_hung(broker: FileBroker, clock: Clock) -> None:
    one, two = membership(broker), membership(broker)
    settle(one, two)
    for _ in range(5):
        clock.now += 100_000.0  # the machine slept, with all on it
        one.beat()
        two.beat()
    assert set(folder_of(broker).live_members()) == {one.name, two.name}
    for member in (one, two):
        member.leave()


def test_a_static_member_that_stays_away_is_replaced(broker: FileBroker, clock: Clock) -> None:
    one, two = membership(broker, instance_id="one"), membership(broker, instance_id="two")
    one.take()
    settle(one, two)
    mine = set(two.owned)
    two.leave()
    clock.now += 1.0
    settle(one)
    clock.now += 3.0
    settle(one)
    assert not mine & set(one.owned)
    again = membership(broker, instance_id="two")
    assert again.take() == mine
    again.leave()
    settle(one)
    for _ in range(3):
        clock.now += 2.0
        settle(one)
    assert set(one.owned) == set(ALL)
    one.leave()


# ---------------------------------------------------------------- forks


@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")  # we know that there are threads
def test_a_childs_end_takes_nothing_from_its_parent(broker: FileBroker) -> None:
    with broker.consumer("t", group="g") as consumer:
        consumer.poll()
        child = os.fork()
        if child == 0:
            refused = 0
            for use in (consumer.poll, consumer.commit):
                try:
                    use()
                except FencedMember as error:
                    refused += "after the fork" in str(error)
            consumer.close()
            with broker.consumer("t", group="g") as own:  # a member of its own, which finds nothing free
                refused += own.assignment() == frozenset()
            os._exit(refused)
        _, status = os.waitpid(child, 0)
        assert os.waitstatus_to_exitcode(status) == 3
        wait_for(lambda: consumer.poll(0.01) == [] and len(consumer.assignment()) == 4)
        consumer.commit({ALL[0]: 1})


def test_a_lock_shows_that_its_owner_goes_on(tmp_path: Path) -> None:
    lock = LifeLock(tmp_path / "m")
    seen = [(tmp_path / "m").read_bytes()]
    for _ in range(3):
        lock.count()
        seen.append((tmp_path / "m").read_bytes())
    assert len(set(seen)) == 4
    lock.close()
    assert not (tmp_path / "m").exists()


def test_offsets_are_read_by_who_takes_over(broker: FileBroker) -> None:
    with broker.consumer("t", group="g") as first, broker.consumer("t", group="g") as second:
        first.poll()
        mine = sorted(first.assignment())
        first.commit(dict.fromkeys(mine, 1))
        first.close()
        wait_for(lambda: second.poll(BEAT_SECONDS) is not None and len(second.assignment()) == 4)
        assert [second.position(each) for each in mine] == [1] * len(mine)
