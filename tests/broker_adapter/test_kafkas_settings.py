"""Every setting that Kafka's topics have is followed, or taken without effect, or refused with the reason."""

import time
from pathlib import Path

import pytest

from broker_adapter import Broker, connect
from broker_adapter.errors import InvalidConfig, InvalidRecord
from broker_adapter.filelog.batch import NewRecord, encode_batch
from broker_adapter.filelog.compression import Codec
from broker_adapter.filelog.config import TopicConfig
from broker_adapter.filelog.other_settings import NO_MORE, WITHOUT_EFFECT
from broker_adapter.filelog.segment import LogSegment
from tests.broker_adapter.conftest import new_name
from tests.broker_adapter.logs import batch_of, opened, read_all
from tests.broker_adapter.reading import take
from tests.support.kafka import RunningKafka

OTHER_DEFAULTS = {"segment.bytes"}
"""Where our default is not Kafka's; the documentation says so."""


@pytest.fixture
def kafkas(kafka: RunningKafka) -> dict[str, int | str]:
    """The settings of a new topic of Kafka's, with their defaults, as the broker describes them."""
    topic = new_name()
    with connect(kafka.url) as broker:
        broker.admin.create_topic(topic)
        return dict(broker.admin.describe_topic(topic).config)


def test_each_setting_of_kafkas_is_followed_or_taken_without_effect(kafkas: dict[str, int | str]) -> None:
    followed = TopicConfig().as_mapping()
    assert followed.keys() | WITHOUT_EFFECT.keys() == kafkas.keys()
    assert not followed.keys() & WITHOUT_EFFECT.keys()
    assert not NO_MORE.keys() & kafkas.keys()
    assert {name for name, value in followed.items() if value != kafkas[name]} == OTHER_DEFAULTS


def test_a_topic_is_made_with_all_that_kafka_says_of_one(
    kafkas: dict[str, int | str], tmp_path: Path
) -> None:
    with connect(f"file:{tmp_path}") as broker:
        made = broker.admin.create_topic("t", config=kafkas).config
        assert made == kafkas
        broker.admin.alter_topic("t", config={"min.insync.replicas": 2, "preallocate": "TRUE"})
    with connect(f"file:{tmp_path}") as broker:
        config = broker.admin.describe_topic("t").config
        assert config == {**made, "min.insync.replicas": 2, "preallocate": "true"}
        with broker.producer() as producer:
            assert producer.send("t", b"v").result().offset == 0


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        ({"compression.gzip.level": 0}, "compression.gzip.level"),
        ({"compression.gzip.level": 10}, "compression.gzip.level"),
        ({"compression.lz4.level": 18}, "compression.lz4.level"),
        ({"compression.zstd.level": 23}, "compression.zstd.level"),
        ({"file.delete.delay.ms": -1}, "file.delete.delay.ms"),
        ({"follower.replication.throttled.replicas": "0"}, "follower.replication.throttled.replicas"),
        ({"leader.replication.throttled.replicas": "x"}, "leader.replication.throttled.replicas"),
        ({"local.retention.ms": -3}, "local.retention.ms"),
        ({"local.retention.bytes": -3}, "local.retention.bytes"),
        ({"max.compaction.lag.ms": 0}, "max.compaction.lag.ms"),
        ({"max.compaction.lag.ms": 5, "min.compaction.lag.ms": 6}, "min.compaction.lag.ms"),
        ({"message.timestamp.before.max.ms": -1}, "message.timestamp.before.max.ms"),
        ({"min.insync.replicas": 0}, "min.insync.replicas"),
        ({"preallocate": "maybe"}, "preallocate"),
        ({"remote.storage.enable": "true"}, "remote"),
        ({"segment.jitter.ms": -1}, "segment.jitter.ms"),
        *(({name: "1"}, name) for name in NO_MORE),
    ],
)
def test_both_brokers_refuse(any_broker: Broker, settings: dict[str, int | str], named: str) -> None:
    topic = new_name()
    with pytest.raises(InvalidConfig, match=named.replace(".", r"\.")):
        any_broker.admin.create_topic(topic, config=settings)
    assert topic not in any_broker.admin.topics()


@pytest.mark.parametrize(
    "settings",
    [
        {"compression.gzip.level": -1, "compression.lz4.level": 17, "compression.zstd.level": -131072},
        {"leader.replication.throttled.replicas": "0:1,1:2", "segment.jitter.ms": 10**17},
        {"follower.replication.throttled.replicas": "*", "unclean.leader.election.enable": "true"},
        {"message.timestamp.before.max.ms": 0, "max.compaction.lag.ms": 1, "remote.log.copy.disable": "true"},
    ],
)
def test_both_brokers_take(any_broker: Broker, settings: dict[str, int | str]) -> None:
    config = any_broker.admin.create_topic(new_name(), config=settings).config
    assert {name: config[name] for name in settings} == settings


def test_what_a_folder_cannot_do_says_what_to_do_instead(tmp_path: Path) -> None:
    with connect(f"file:{tmp_path}") as broker:
        with pytest.raises(InvalidConfig, match=r"retention\.ms or retention\.bytes"):
            broker.admin.create_topic("t", config={"remote.storage.enable": "true"})
        for name, advice in NO_MORE.items():
            with pytest.raises(InvalidConfig, match=advice):
                broker.admin.create_topic("t", config={name: "x"})


# ---------------------------------------------------------------- the times that a topic takes

BEFORE, AFTER = "message.timestamp.before.max.ms", "message.timestamp.after.max.ms"
MINUTE, HOUR, TEN_YEARS = 60_000, 3_600_000, 10 * 365 * 86_400_000


@pytest.mark.parametrize(
    ("settings", "times", "is_taken"),
    [
        ({}, [0, HOUR - MINUTE, -TEN_YEARS], True),
        ({}, [0, HOUR + MINUTE], False),
        ({BEFORE: HOUR}, [0, -HOUR + MINUTE], True),
        ({BEFORE: HOUR}, [0, -HOUR - MINUTE, 0], False),
        ({AFTER: 10 * HOUR}, [9 * HOUR, -TEN_YEARS], True),
        ({AFTER: MINUTE}, [0, 2 * MINUTE, 0], False),
        ({BEFORE: MINUTE, AFTER: MINUTE, "message.timestamp.type": "LogAppendTime"}, [-HOUR, HOUR], True),
    ],
)
@pytest.mark.parametrize("compression", ["none", "gzip"])
def test_one_time_out_of_range_and_the_batch_is_refused(
    any_broker: Broker, settings: dict[str, int | str], times: list[int], is_taken: bool, compression: str
) -> None:
    topic = new_name()
    any_broker.admin.create_topic(topic, config=settings)
    now = time.time_ns() // 1_000_000
    producer = any_broker.producer(linger=0.05, compression=compression)
    sent = [producer.send(topic, b"%d" % each, timestamp=now + each) for each in times]
    if is_taken:
        assert [each.result(30).offset for each in sent] == list(range(len(times)))
        producer.close()
        with any_broker.consumer(topic) as consumer:
            assert [record.value for record in take(consumer, len(times))] == [b"%d" % each for each in times]
    else:
        for each in sent:
            with pytest.raises(InvalidRecord):
                each.result(30)
        with pytest.raises(InvalidRecord):
            producer.close()


def test_a_record_without_a_time_is_not_too_old(tmp_path: Path) -> None:
    now = time.time_ns() // 1_000_000
    with opened(tmp_path, message_timestamp_before_max_ms=HOUR) as partition:
        without: list[NewRecord] = [(-1, None, b"v", ())]
        assert partition.append(encode_batch(without)) == 0
        # The oldest is neither the first nor the largest, which are all that a header tells.
        for codec in Codec:
            mixed: list[NewRecord] = [(each, None, b"v", ()) for each in (now, now - 2 * HOUR, now)]
            with pytest.raises(InvalidRecord, match=r"message\.timestamp\.before\.max\.ms=3600000"):
                partition.append(encode_batch(mixed, codec))
        assert len(read_all(partition)) == 1


# ---------------------------------------------------------------- flush.messages


def test_so_many_records_are_flushed_whoever_wrote_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    flushed: list[Path] = []
    sync = LogSegment.sync

    def noted(segment: LogSegment) -> None:
        flushed.append(segment.path)
        sync(segment)

    with opened(tmp_path, flush_messages=5) as partition, opened(tmp_path, flush_messages=5) as other:
        monkeypatch.setattr(LogSegment, "sync", noted)
        seen = []
        for n in range(4):
            (other if n % 2 else partition).append(batch_of(2))
            seen.append(len(flushed))
        assert seen == [0, 0, 1, 1]  # 6 records at the third
        assert partition.state().recovery_point == 6
        other.append(batch_of(3))
        assert (len(flushed), partition.state().recovery_point) == (2, 11)
