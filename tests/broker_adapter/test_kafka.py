"""What only Kafka has: a cluster that is away, slow or secured, buffers, and groups of several members."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import Any

import pytest
from confluent_kafka import Consumer as TheirConsumer
from confluent_kafka import Producer as TheirProducer
from confluent_kafka.schema_registry import SchemaRegistryClient
from confluent_kafka.schema_registry.avro import AvroDeserializer as TheirDeserializer
from confluent_kafka.schema_registry.avro import AvroSerializer as TheirSerializer
from confluent_kafka.serialization import MessageField, SerializationContext

from broker_adapter import Broker, TopicPartition, connect
from broker_adapter.errors import (
    AccessDenied,
    BrokerError,
    BrokerUnavailable,
    BufferFull,
    Closed,
    DeliveryTimeout,
    FencedMember,
    InvalidConfig,
    InvalidRecord,
    OffsetOutOfRange,
    RequestFailed,
    UnknownPartition,
    UnsupportedURL,
)
from serde import AvroDeserializer, AvroSerializer, RegistryClient
from tests.broker_adapter.conftest import new_name
from tests.broker_adapter.reading import PATIENCE, read_all, take, wait_for
from tests.support.kafka import RunningKafka
from tests.support.needs import ROOT
from tests.support.server import free_port, running_registry

NEVER = 900.0
SECRET = "s3cr+t/=="


@pytest.fixture
def broker(kafka: RunningKafka) -> Iterator[Broker]:
    with connect(kafka.url) as broker:
        yield broker


@pytest.fixture
def topic(broker: Broker) -> str:
    name = new_name()
    broker.admin.create_topic(name, 4)
    return name


# ---------------------------------------------------------------- URLs and settings


@pytest.mark.parametrize(
    ("url", "fault"),
    [
        ("kafka:", "names no Kafka cluster"),
        ("kafka:///x", "names no Kafka cluster"),
        ("kafka://host/topic", "names no Kafka cluster"),
        ("kafka://h1,,h2", "names no Kafka cluster"),
        ("kafka://[x", "cannot be read"),
        (f"kafka://ada:{SECRET}@host:9092", "sasl.username"),
        (f"https://ada:{SECRET}@host?token={SECRET}", "'https://...' names no broker"),
    ],
)
def test_urls_of_nothing(url: str, fault: str) -> None:
    with pytest.raises(UnsupportedURL, match=fault) as caught:
        connect(url)
    assert SECRET not in str(caught.value)


@pytest.mark.parametrize(
    ("query", "fault"),
    [
        ("no.such.key=1", "no.such.key"),
        ("socket.timeout.ms=soon", "socket.timeout.ms"),
        ("security.protocol=magic", "security.protocol"),
        ("enable.auto.commit=true", r"consumer\.commit"),
        ("group.id=g", "group="),
        ("linger.ms=1", "linger="),
        ("transactional.id=t", "no transactions"),
    ],
)
def test_settings_that_cannot_be(query: str, fault: str) -> None:
    with pytest.raises(InvalidConfig, match=fault) as caught:
        connect(f"kafka://localhost?sasl.password={SECRET}&{query}")
    assert SECRET not in str(caught.value)


def test_settings_are_for_kafka_only() -> None:
    with pytest.raises(InvalidConfig, match="kafka://"):
        connect("file:./data", {"client.id": "x"})


def test_any_setting_of_librdkafka_reaches_it(
    kafka: RunningKafka, topic: str, caplog: pytest.LogCaptureFixture
) -> None:
    settings: dict[str, object] = {
        "client.id": "an analyst",
        "fetch.min.bytes": 1,
        "statistics.interval.ms": 0,
    }
    with connect(f"{kafka.url}?message.max.bytes=2000&retries=7", settings) as broker:
        with broker.producer() as producer, pytest.raises(BrokerError, match="MSG_SIZE_TOO_LARGE"):
            producer.send(topic, b"v" * 3000)
        with broker.consumer(topic, group=f"g-{topic}") as consumer:
            wait_for(lambda: consumer.poll(0.1) == [] and bool(consumer.assignment()))
            (member,) = broker.admin.describe_group(f"g-{topic}").members
    assert member.client_id == "an analyst"
    assert "will be ignored" not in caplog.text


def test_passwords_are_given_and_never_shown(kafka: RunningKafka) -> None:
    # This Kafka has no SASL, so it hangs up on who tries.
    settings: dict[str, object] = {"sasl.password": SECRET, "sasl.username": "ada"}
    url = f"{kafka.url}?security.protocol=SASL_PLAINTEXT&sasl.mechanism=PLAIN&socket.timeout.ms=1000"
    with connect(url, settings) as broker:
        assert SECRET not in repr(broker) + repr(broker.admin)
        with pytest.raises((AccessDenied, BrokerUnavailable)) as caught:
            broker.admin.topics()
    assert kafka.address in str(caught.value)
    assert SECRET not in str(caught.value)


def test_without_the_extra_it_is_named() -> None:
    program = (
        "import sys\nsys.modules['confluent_kafka'] = None\n"
        "from broker_adapter import connect\n"
        "from broker_adapter.errors import MissingExtra\n"
        "connect('file:./data').close()\n"
        "try:\n    connect('kafka://localhost')\nexcept MissingExtra as error:\n    print(error)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        cwd="/tmp",
    )
    (line,) = done.stdout.splitlines()
    assert "pip install 'fivebyte[kafka]'" in line


# ---------------------------------------------------------------- a cluster that is away, or slow


def test_nobody_answers() -> None:
    with connect(f"kafka://127.0.0.1:{free_port()}?socket.timeout.ms=500") as broker:
        for ask in (
            broker.admin.topics,
            lambda: broker.admin.describe_topic("t"),
            lambda: broker.admin.create_topic("t"),
            broker.admin.groups,
            lambda: broker.admin.describe_group("g"),
            lambda: broker.consumer("t"),
            lambda: broker.producer().send("t", b"v"),
        ):
            with pytest.raises(
                BrokerUnavailable, match=r"\(_(TRANSPORT|TIMED_OUT)\).*is the cluster up"
            ) as caught:
                ask()
            assert caught.value.retriable
            assert caught.value.__cause__ is None


def test_a_cluster_that_is_silent_for_a_while(kafka: RunningKafka, broker: Broker, topic: str) -> None:
    with broker.producer() as producer:
        producer.send(topic, b"before", partition=0).result()
        kafka.freeze()
        try:
            delivery = producer.send(topic, b"meanwhile", partition=0)
            with pytest.raises(DeliveryTimeout, match=r"0\.3 s"):
                delivery.result(0.3)
            with pytest.raises(DeliveryTimeout, match="1 records"):
                producer.flush(0.3)
        finally:
            kafka.thaw()
        producer.flush(PATIENCE)
        assert delivery.result(0).offset == 1


def test_a_full_buffer_holds_the_sender_back(kafka: RunningKafka, topic: str) -> None:
    with connect(f"{kafka.url}?queue.buffering.max.messages=10") as broker:
        with broker.producer(linger=0.001) as producer:
            for n in range(500):
                producer.send(topic, b"%d" % n, partition=0)
        with broker.producer(linger=NEVER, max_block=0.2) as producer:
            for n in range(10):
                producer.send(topic, b"%d" % (500 + n), partition=0)
            with pytest.raises(BufferFull, match=r"max_block=0\.2.*10 records wait") as caught:
                producer.send(topic, b"lost", partition=0)
            assert caught.value.retriable
            producer.flush()
            producer.send(topic, b"510", partition=0)
        assert [int(each.value) for each in read_all(broker, topic)] == list(range(511))


def test_a_failure_to_write_reaches_the_future_the_callback_and_the_flush(
    kafka: RunningKafka, broker: Broker, topic: str
) -> None:
    told: list[BrokerError] = []

    def listen(delivery: Any) -> None:
        with pytest.raises(BrokerUnavailable) as caught:
            delivery.result(0)
        told.append(caught.value)

    with connect(f"{kafka.url}?message.timeout.ms=500") as hasty, hasty.producer() as producer:
        producer.send(topic, b"before", partition=0).result()
        kafka.freeze()
        try:
            delivery = producer.send(topic, b"lost", partition=0, on_delivery=listen)
            with pytest.raises(BrokerUnavailable, match=f"{topic}-0.*_MSG_TIMED_OUT"):
                delivery.result(PATIENCE)
        finally:
            kafka.thaw()
        assert len(told) == 1
        with pytest.raises(BrokerUnavailable):
            producer.flush()
        producer.flush()


def test_librdkafkas_now_cannot_be_1970(broker: Broker, topic: str) -> None:
    with broker.producer() as producer, pytest.raises(InvalidRecord, match="give 1 or more"):
        producer.send(topic, b"v", timestamp=0)


@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")  # we know that there are threads
def test_a_forked_child_uses_nothing_of_its_parents(broker: Broker, topic: str) -> None:
    with broker.producer() as producer, broker.consumer(topic) as consumer:
        child = os.fork()
        if child == 0:
            refused = 0
            for use in (lambda: producer.send(topic, b"child"), producer.flush, consumer.poll):
                try:
                    use()
                except Closed:
                    refused += 1
            os._exit(refused)
        _, status = os.waitpid(child, 0)
        assert os.waitstatus_to_exitcode(status) == 3
        producer.send(topic, b"parent").result()
        assert [each.value for each in take(consumer, 1)] == [b"parent"]


# ---------------------------------------------------------------- records deleted, errors untranslated


def test_records_are_deleted_before_an_offset(broker: Broker, topic: str) -> None:
    t0 = TopicPartition(topic, 0)
    with broker.producer() as producer:
        for n in range(20):
            producer.send(topic, b"%d" % n, partition=0)
    assert broker.admin.delete_records(t0, 7) == 7
    with broker.consumer(topic) as consumer:
        assert consumer.watermarks(t0) == (7, 20)
        assert [each.offset for each in take(consumer, 13)] == list(range(7, 20))
        consumer.seek(t0, 6)
        with pytest.raises(OffsetOutOfRange, match="offset 6"):
            take(consumer, 1)
    assert broker.admin.delete_records(t0, -1) == 20
    for offset in (21, -2):
        with pytest.raises(OffsetOutOfRange):
            broker.admin.delete_records(t0, offset)
    with pytest.raises(UnknownPartition):
        broker.admin.delete_records(TopicPartition(topic, 4), 1)


def test_an_error_without_a_class_keeps_its_code(broker: Broker, topic: str) -> None:
    broker.admin.alter_topic(topic, config={"cleanup.policy": "compact"})
    with broker.producer() as producer:
        with pytest.raises(BrokerError, match=r"\(INVALID_RECORD\)"):
            producer.send(topic, b"no key in a compacted topic").result()
        with pytest.raises(BrokerError):
            producer.flush()
    with pytest.raises((RequestFailed, InvalidConfig), match=r"\([A-Z_]+\)"):
        broker.admin.alter_topic(topic, config={"cleanup.policy": "burn"})


# ---------------------------------------------------------------- groups of several members


@pytest.mark.parametrize(
    "query",
    [
        "?heartbeat.interval.ms=100",
        "?partition.assignment.strategy=range&heartbeat.interval.ms=100",
        "?group.protocol=consumer",
    ],
    ids=["sticky", "range", "848"],
)
def test_members_share_the_partitions_and_take_over(kafka: RunningKafka, topic: str, query: str) -> None:
    group = f"g-{topic}"
    with connect(kafka.url + query) as broker:
        with broker.producer() as producer:
            for n in range(400):
                producer.send(topic, b"%d" % n, partition=n % 4)
        first = broker.consumer(topic, group=group)
        seen = take(first, 100)
        first.commit()
        second = broker.consumer(topic, group=group)

        def shared() -> bool:
            for member in (first, second):
                seen.extend(member.poll(0.05, 10))
                member.commit_async()
            return len(first.assignment()) == len(second.assignment()) == 2

        wait_for(shared)
        assert first.assignment() | second.assignment() == {TopicPartition(topic, n) for n in range(4)}
        mine = min(second.assignment())
        second.pause([other for other in second.assignment() if other != mine])
        second.seek(mine, 95)
        again = take(second, 5)
        assert [(each.partition, each.offset) for each in again] == [
            (mine.partition, n) for n in range(95, 100)
        ]
        second.resume(list(second.paused()))
        first.close()  # without a commit of what it saw last

        def taken_over() -> bool:
            seen.extend(second.poll(0.05))
            return len(second.assignment()) == 4 and not any(second.lag().values())

        wait_for(taken_over)
        second.commit()
        second.close()
    places = {(each.partition, each.offset) for each in seen}
    assert places >= {(n, offset) for n in range(4) for offset in range(100) if n != mine.partition}


def test_a_member_that_slept_is_fenced(kafka: RunningKafka, topic: str) -> None:
    url = f"{kafka.url}?max.poll.interval.ms=1000&session.timeout.ms=1000&heartbeat.interval.ms=100"
    with connect(url) as broker:
        with broker.producer() as producer:
            producer.send(topic, b"v", partition=0)
        with broker.consumer(topic, group=f"g-{topic}") as consumer:
            take(consumer, 1)
            wait_for(lambda: not broker.admin.describe_group(f"g-{topic}").members)
            with pytest.raises(FencedMember, match="poll to join it again"):
                consumer.commit()
            with pytest.raises(FencedMember, match="_MAX_POLL_EXCEEDED"):
                take(consumer, 1)
            assert len(take(consumer, 1)) == 1  # it has joined again, and sees what it did not commit
            consumer.commit()


# ---------------------------------------------------------------- other clients of Kafka


SCHEMA = '{"type": "record", "name": "R", "fields": [{"name": "n", "type": "long"}]}'


def test_our_records_are_theirs_and_theirs_ours(kafka: RunningKafka, broker: Broker, topic: str) -> None:
    with (
        running_registry("memory:") as server,
        RegistryClient(server.url) as registry,
        SchemaRegistryClient({"url": server.url}) as theirs,
    ):
        context = SerializationContext(topic, MessageField.VALUE)
        with broker.producer(value_serializer=AvroSerializer(registry, SCHEMA)) as producer:
            for n in range(100):
                producer.send(topic, {"n": n}, key=b"%d" % n, headers=[("h", b"%d" % n)])
        serialize = TheirSerializer(theirs, SCHEMA)
        their_producer = TheirProducer({"bootstrap.servers": kafka.address})
        for n in range(100, 200):
            their_producer.produce(topic, serialize({"n": n}, context), b"%d" % n, headers=[("h", b"%d" % n)])
        assert their_producer.flush(PATIENCE) == 0

        ours = read_all(broker, topic, value_deserializer=AvroDeserializer(registry))
        found = sorted((each.value["n"], each.key, each.headers) for each in ours)
        assert found == [(n, b"%d" % n, (("h", b"%d" % n),)) for n in range(200)]

        deserialize = TheirDeserializer(theirs)
        consumer = TheirConsumer(
            {"bootstrap.servers": kafka.address, "group.id": f"g-{topic}", "auto.offset.reset": "earliest"}
        )
        consumer.subscribe([topic])
        read: dict[int, tuple[Any, ...]] = {}
        deadline = time.monotonic() + PATIENCE
        while len(read) < 200 and time.monotonic() < deadline:
            for message in consumer.consume(200, 0.5):
                assert message.error() is None
                value = deserialize(message.value(), context)
                read[value["n"]] = (message.key(), message.headers(), message.partition(), message.offset())
        consumer.close()
    assert {n: (key, headers) for n, (key, headers, *_) in read.items()} == {
        n: (b"%d" % n, [("h", b"%d" % n)]) for n in range(200)
    }
    assert {place[2:] for place in read.values()} == {(each.partition, each.offset) for each in ours}
