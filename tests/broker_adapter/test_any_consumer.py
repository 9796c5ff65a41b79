"""What every broker's consumer does, alone and in a group."""

import itertools
import time

import pytest

from broker_adapter import Broker, TopicPartition
from broker_adapter.errors import (
    BrokerError,
    Closed,
    InvalidConfig,
    InvalidGroup,
    NoOffset,
    OffsetOutOfRange,
    UnknownPartition,
    UnknownTopic,
)
from tests.broker_adapter.reading import nothing_comes, take, wait_for


def send(broker: Broker, topic: str, numbers: range, partitions: int = 4) -> None:
    """A record for each number, in turn over the partitions, a second apart."""
    begin = time.time_ns() // 1_000_000 - 1_000_000
    with broker.producer() as producer:
        for n in numbers:
            producer.send(topic, b"%d" % n, partition=n % partitions, timestamp=begin + n * 1000)


def values(records: object) -> list[int]:
    """The numbers in records' values, sorted."""
    return sorted(int(record.value) for record in records)  # type: ignore[attr-defined]


# ---------------------------------------------------------------- reading


def test_poll_gives_each_record_once_and_in_order(any_broker: Broker, topic: str) -> None:
    send(any_broker, topic, range(1000))
    with any_broker.consumer(topic) as consumer:
        records = take(consumer, 1000, at_a_time=37)
        assert consumer.poll(0.1) == []
        send(any_broker, topic, range(1000, 1010))
        assert values(take(consumer, 10)) == list(range(1000, 1010))
    for partition in range(4):
        mine = [record for record in records if record.partition == partition]
        assert [record.offset for record in mine] == list(range(250))
        assert [int(record.value) for record in mine] == list(range(partition, 1000, 4))


def test_iteration_ends_when_idle_and_goes_on(any_broker: Broker, topic: str) -> None:
    send(any_broker, topic, range(100))
    with any_broker.consumer(topic, idle_timeout=1.0) as consumer:
        assert values(consumer) == list(range(100))
        send(any_broker, topic, range(100, 110))
        assert values(consumer) == list(range(100, 110))


def test_batches(any_broker: Broker, topic: str) -> None:
    send(any_broker, topic, range(100))
    with any_broker.consumer(topic, idle_timeout=1.0) as consumer:
        batches = list(consumer.batches(30))
    assert all(1 <= len(batch) <= 30 for batch in batches)
    assert values(itertools.chain(*batches)) == list(range(100))


def test_a_position_counts_what_the_caller_has_had(any_broker: Broker, topic: str) -> None:
    send(any_broker, topic, range(400))
    partitions = [TopicPartition(topic, number) for number in range(4)]
    with any_broker.consumer(topic) as consumer:
        assert [consumer.position(each) for each in partitions] == [0] * 4
        assert consumer.lag() == dict.fromkeys(partitions, 100)
        seen = list(itertools.islice(consumer, 130))
        for partition in partitions:
            mine = [record.offset for record in seen if record.partition == partition.partition]
            assert consumer.position(partition) == (mine[-1] + 1 if mine else 0)
        assert sum(consumer.lag().values()) == 270
        rest = take(consumer, 270)
        assert values(seen + rest) == list(range(400))
        assert consumer.lag() == dict.fromkeys(partitions, 0)


def test_seek(any_broker: Broker, topic: str) -> None:
    send(any_broker, topic, range(400))
    t1 = TopicPartition(topic, 1)
    with any_broker.consumer() as consumer:
        consumer.assign([t1])
        assert consumer.assignment() == {t1}
        consumer.seek(t1, 90)
        assert values(take(consumer, 10)) == list(range(361, 400, 4))
        consumer.seek(t1, 0)
        assert next(iter(consumer)).offset == 0
        consumer.seek(t1, 50)
        assert consumer.position(t1) == 50
        assert take(consumer, 1)[0].offset == 50
        assert consumer.watermarks(t1) == (0, 100)
        consumer.seek(t1, 100)
        assert consumer.poll(0.1) == []


def test_a_seek_outside_the_log_is_found_out_and_can_be_mended(any_broker: Broker, topic: str) -> None:
    send(any_broker, topic, range(40))
    t0 = TopicPartition(topic, 0)
    with any_broker.consumer() as consumer:
        consumer.assign([t0])
        consumer.seek(t0, 4711)
        for _ in range(2):
            with pytest.raises(OffsetOutOfRange, match=f"4711 of {topic}-0"):
                take(consumer, 1)
            assert consumer.position(t0) == 4711
        consumer.seek(t0, 7)
        assert [record.offset for record in take(consumer, 3)] == [7, 8, 9]


def test_seek_by_time(any_broker: Broker, topic: str) -> None:
    send(any_broker, topic, range(40))
    t0 = TopicPartition(topic, 0)
    with any_broker.consumer(topic) as consumer:
        consumer.assign([t0])
        times = [record.timestamp for record in take(consumer, 10)]
        assert consumer.offset_for_timestamp(t0, times[3]) == 3
        assert consumer.seek_to_timestamp(t0, times[3] + 1) == 4
        assert take(consumer, 1)[0].offset == 4
        assert consumer.seek_to_timestamp(t0, 0) == 0
        assert consumer.position(t0) == 0
        assert consumer.offset_for_timestamp(t0, times[-1] + 1) is None
        assert consumer.seek_to_timestamp(t0, times[-1] + 1) == 10
        assert consumer.poll(0.1) == []


def test_pause_and_resume(any_broker: Broker, topic: str) -> None:
    send(any_broker, topic, range(400))
    t0, t1 = TopicPartition(topic, 0), TopicPartition(topic, 1)
    with any_broker.consumer(topic) as consumer:
        seen = list(itertools.islice(consumer, 10))
        consumer.pause([t0, t1])
        assert consumer.paused() == {t0, t1}
        had = {each: consumer.position(each) for each in (t0, t1)}
        others = take(consumer, 400 - 200 - sum(record.partition > 1 for record in seen))
        assert {record.partition for record in others} <= {2, 3}
        assert consumer.poll(0.2) == []
        assert {each: consumer.position(each) for each in (t0, t1)} == had
        consumer.seek(t1, 95)  # it stays paused
        assert consumer.poll(0.2) == []
        consumer.resume([t0])
        assert {record.partition for record in take(consumer, 100 - had[t0])} == {0}
        consumer.resume([t1])
        assert [record.offset for record in take(consumer, 5)] == [95, 96, 97, 98, 99]
        assert consumer.paused() == frozenset()
        with pytest.raises(UnknownPartition):
            consumer.pause([TopicPartition(topic, 9)])


def test_what_does_not_exist(any_broker: Broker, topic: str) -> None:
    with pytest.raises(UnknownTopic, match="'nope'"):
        any_broker.consumer("nope")
    with pytest.raises(InvalidConfig, match="auto_offset_reset"):
        any_broker.consumer(topic, auto_offset_reset="first")  # type: ignore[arg-type]  # wrong on purpose
    with any_broker.consumer() as consumer:
        with pytest.raises(UnknownPartition, match="0 to 3"):
            consumer.assign([TopicPartition(topic, 4)])
        with pytest.raises(UnknownTopic):
            consumer.assign([TopicPartition("nope", 0)])
        consumer.assign([TopicPartition(topic, 0)])
        with pytest.raises(UnknownPartition, match="assignment"):
            consumer.seek(TopicPartition(topic, 1), 0)
    with pytest.raises(Closed):
        consumer.poll()


def test_where_it_begins(any_broker: Broker, topic: str) -> None:
    send(any_broker, topic, range(4))
    with any_broker.consumer(topic, auto_offset_reset="latest") as consumer:
        assert consumer.poll(0.1) == []
        send(any_broker, topic, range(4, 8))
        assert values(take(consumer, 4)) == [4, 5, 6, 7]
    with any_broker.consumer(topic, auto_offset_reset="error") as consumer:
        with pytest.raises(NoOffset, match="seek"):
            consumer.poll(1)
        for number in range(4):
            consumer.seek(TopicPartition(topic, number), 1)
        assert values(take(consumer, 4)) == [4, 5, 6, 7]


# ---------------------------------------------------------------- groups


def test_a_group_goes_on_where_it_committed(any_broker: Broker, topic: str) -> None:
    send(any_broker, topic, range(100))
    with any_broker.consumer(topic, group=f"g-{topic}") as consumer:
        first = take(consumer, 60)
        assert len(consumer.assignment()) == 4
        consumer.commit()
        for partition in consumer.assignment():
            assert consumer.committed(partition) == consumer.position(partition)
        take(consumer, 20)  # seen, and not committed
    with any_broker.consumer(topic, group=f"g-{topic}") as consumer:
        assert values(first + take(consumer, 40)) == list(range(100))
        consumer.commit()
    with any_broker.consumer(topic, group=f"g-{topic}") as consumer:
        nothing_comes(consumer)
        send(any_broker, topic, range(100, 101))
        assert values(take(consumer, 1)) == [100]


def test_a_commit_within_an_iteration_is_of_the_records_seen(any_broker: Broker, topic: str) -> None:
    send(any_broker, topic, range(100))
    seen = []
    with any_broker.consumer(topic, group=f"g-{topic}") as consumer:
        for record in consumer:
            seen.append(record)
            if len(seen) == 50:
                consumer.commit()
                break
    with any_broker.consumer(topic, group=f"g-{topic}") as consumer:
        assert values(seen + take(consumer, 50)) == list(range(100))


def test_commits_without_waiting(any_broker: Broker, topic: str) -> None:
    send(any_broker, topic, range(100))
    told: list[BrokerError | None] = []
    with any_broker.consumer(topic, group=f"g-{topic}") as consumer:
        take(consumer, 100)
        consumer.commit_async({TopicPartition(topic, 0): 3}, told.append)
        consumer.commit_async(on_commit=told.append)
        consumer.commit_async()
    assert told == [None, None]
    with any_broker.consumer(topic, group=f"g-{topic}") as consumer:
        nothing_comes(consumer)
        assert {consumer.committed(each) for each in consumer.assignment()} == {25}


def test_chosen_offsets_are_committed(any_broker: Broker, topic: str) -> None:
    send(any_broker, topic, range(40))
    with any_broker.consumer(topic, group=f"g-{topic}") as consumer:
        take(consumer, 40)
        consumer.commit({TopicPartition(topic, 2): 9})
        assert consumer.committed(TopicPartition(topic, 2)) == 9
        assert consumer.committed(TopicPartition(topic, 1)) is None
        with pytest.raises(UnknownPartition):
            consumer.commit({TopicPartition(topic, 9): 1})
        with pytest.raises(InvalidGroup):
            consumer.assign([TopicPartition(topic, 1)])
    with any_broker.consumer(topic, group=f"g-{topic}", auto_offset_reset="latest") as consumer:
        assert [(each.partition, each.offset) for each in take(consumer, 1)] == [(2, 9)]


def test_a_committed_offset_that_is_not_in_the_log(any_broker: Broker, topic: str) -> None:
    send(any_broker, topic, range(8))
    any_broker.admin.reset_group(f"g-{topic}", {TopicPartition(topic, n): 4711 for n in range(4)})
    with any_broker.consumer(topic, group=f"g-{topic}") as consumer:
        assert values(take(consumer, 8)) == list(range(8))
    with (
        any_broker.consumer(topic, group=f"g-{topic}", auto_offset_reset="error") as consumer,
        pytest.raises(NoOffset),
    ):
        take(consumer, 1)


def test_without_a_group_nothing_is_committed(any_broker: Broker, topic: str) -> None:
    with any_broker.consumer(topic) as consumer:
        for refused in (consumer.commit, consumer.commit_async):
            with pytest.raises(InvalidGroup, match="group="):
                refused()
        with pytest.raises(InvalidGroup):
            consumer.committed(TopicPartition(topic, 0))
    with pytest.raises(InvalidGroup, match="empty"):
        any_broker.consumer(topic, group="")


def test_leaving_frees_the_group_at_once(any_broker: Broker, topic: str) -> None:
    send(any_broker, topic, range(4))
    for _ in range(3):
        with any_broker.consumer(topic, group=f"g-{topic}") as consumer:
            take(consumer, 4)
    wait_for(lambda: _members(any_broker, f"g-{topic}") == 0)


def _members(broker: Broker, group: str) -> int:
    try:
        return len(broker.admin.describe_group(group).members)
    except BrokerError:
        return 0
