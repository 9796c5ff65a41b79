"""What every broker's admin does."""

import re
from typing import Any

import pytest

from broker_adapter import Broker, TopicPartition
from broker_adapter.errors import (
    GroupBusy,
    InvalidConfig,
    InvalidGroup,
    InvalidTopic,
    TopicExists,
    UnknownGroup,
    UnknownPartition,
    UnknownTopic,
)
from tests.broker_adapter.conftest import new_name
from tests.broker_adapter.reading import read_all, take


def test_topics_are_made_listed_and_described(any_broker: Broker, topic: str) -> None:
    other = f"{topic}-other"
    made = any_broker.admin.create_topic(other, 2, {"segment.bytes": 1 << 21}, replication_factor=1)
    assert (made.name, made.partitions) == (other, 2)
    assert re.fullmatch(r"[\w-]{22}", made.topic_id)
    assert made.config["segment.bytes"] == 1 << 21
    assert made.config["max.message.bytes"] == 1048588
    assert any_broker.admin.describe_topic(other) == made
    names = any_broker.admin.topics()
    assert names == sorted(names)
    assert {topic, other} <= set(names)
    assert not [name for name in names if name.startswith("__")]


def test_topics_that_cannot_be(any_broker: Broker, topic: str) -> None:
    admin = any_broker.admin
    with pytest.raises(TopicExists, match=topic):
        admin.create_topic(topic)
    for name in ("a b", "a/b", "..", "", "x" * 250):
        with pytest.raises(InvalidTopic):
            admin.create_topic(name)
    for partitions in (0, -1):
        with pytest.raises(InvalidTopic, match=str(partitions)):
            admin.create_topic("x", partitions)
    with pytest.raises(InvalidTopic):
        admin.create_topic("x", replication_factor=3)
    for config in ({"segment.byte": 1}, {"segment.bytes": -1}, {"segment.bytes": "many"}):
        with pytest.raises(InvalidConfig, match=r"segment\.byte"):
            admin.create_topic("x", config=config)
    assert "x" not in admin.topics()
    for refused in (admin.describe_topic, admin.delete_topic, admin.alter_topic):
        with pytest.raises(UnknownTopic, match="'nope'"):
            refused("nope")


def test_topics_are_altered(any_broker: Broker, topic: str) -> None:
    with any_broker.producer() as producer:
        producer.send(topic, b"before", partition=3)
    admin = any_broker.admin
    before = admin.describe_topic(topic)
    altered = admin.alter_topic(topic, partitions=6, config={"segment.ms": 123_456})
    assert (altered.partitions, altered.topic_id) == (6, before.topic_id)
    assert altered.config == {**before.config, "segment.ms": 123_456}
    assert admin.describe_topic(topic) == altered
    assert admin.alter_topic(topic) == altered
    with any_broker.producer() as producer:
        assert producer.send(topic, b"after", partition=5).result().offset == 0
    assert [each.value for each in read_all(any_broker, topic)] == [b"before", b"after"]
    with pytest.raises(InvalidTopic, match="has 6 partitions"):
        admin.alter_topic(topic, partitions=5)
    with pytest.raises(InvalidConfig, match=r"no\.such"):
        admin.alter_topic(topic, config={"no.such": 1})
    assert admin.describe_topic(topic) == altered


def test_a_topic_is_deleted_and_made_again(any_broker: Broker, topic: str) -> None:
    with any_broker.producer() as producer:
        producer.send(topic, b"old", partition=0)
    before = any_broker.admin.describe_topic(topic)
    any_broker.admin.delete_topic(topic)
    assert topic not in any_broker.admin.topics()
    with pytest.raises(UnknownTopic):
        any_broker.consumer(topic)
    again = any_broker.admin.create_topic(topic, 2)
    assert again.topic_id != before.topic_id
    with any_broker.producer() as producer:
        assert producer.send(topic, b"new", partition=0).result().offset == 0
    assert [each.value for each in read_all(any_broker, topic)] == [b"new"]


def test_groups_are_listed_and_described(any_broker: Broker, topic: str) -> None:
    group = f"größe {topic}"
    with any_broker.producer() as producer:
        producer.send(topic, b"v", partition=1)
    with any_broker.consumer(topic, group=group) as consumer:
        take(consumer, 1)
        consumer.commit({TopicPartition(topic, 1): 1})
        assert group in any_broker.admin.groups()
        described = any_broker.admin.describe_group(group)
        assert (described.name, described.state) == (group, "stable")
        assert described.offsets == {TopicPartition(topic, 1): 1}
        (member,) = described.members
        assert member.member_id
        assert member.partitions in {(), tuple(TopicPartition(topic, number) for number in range(4))}
        with pytest.raises(GroupBusy):
            any_broker.admin.delete_group(group)
        with pytest.raises(GroupBusy):
            any_broker.admin.reset_group(group, {TopicPartition(topic, 1): 0})
    described = any_broker.admin.describe_group(group)
    assert (described.state, described.members) == ("empty", ())
    assert described.offsets == {TopicPartition(topic, 1): 1}


def test_groups_are_reset_and_deleted(any_broker: Broker, topic: str) -> None:
    group, admin = f"g-{topic}", any_broker.admin
    admin.reset_group(group, {TopicPartition(topic, 0): 3, TopicPartition(topic, 2): 5})
    admin.reset_group(group, {TopicPartition(topic, 0): 4})
    assert admin.describe_group(group).offsets == {TopicPartition(topic, 0): 4, TopicPartition(topic, 2): 5}
    with pytest.raises(UnknownTopic):
        admin.reset_group(group, {TopicPartition("nope", 0): 1})
    with pytest.raises(UnknownPartition):
        admin.reset_group(group, {TopicPartition(topic, 4): 1})
    with pytest.raises(InvalidGroup):
        admin.reset_group("", {TopicPartition(topic, 0): 1})
    admin.delete_group(group)
    assert group not in admin.groups()
    for refused in (admin.describe_group, admin.delete_group):
        with pytest.raises(UnknownGroup, match=group):
            refused(group)
    with any_broker.consumer(topic, group=group) as consumer:  # it can come back
        consumer.poll(1)
    assert new_name() not in admin.groups()


def test_what_is_no_topic(any_broker: Broker, topic: str) -> None:
    odd: Any = "3"
    with pytest.raises(InvalidTopic, match="cannot have '3' partitions"):
        any_broker.admin.create_topic("never", odd)
    for wrong in ([topic, 3], [None], [topic.encode()]):
        topics: Any = wrong
        with pytest.raises(InvalidTopic, match="is no topic: give its name"):
            any_broker.consumer(topics)
