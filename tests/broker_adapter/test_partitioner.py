"""Where records go: as librdkafka or Java sends them if they have a key, in turn if not."""

import random
import subprocess
from collections import Counter
from collections.abc import Iterator
from zlib import crc32

import pytest
from confluent_kafka import KafkaError, Message, Producer
from hypothesis import given
from hypothesis import strategies as st

from broker_adapter.partitioner import ConsistentPartitioner, Murmur2Partitioner, Partitioner
from tests.support.jvm import class_path

PARTITIONS = 4  # what a topic of librdkafka's mock cluster has


@pytest.fixture(scope="module")
def librdkafka() -> Iterator[Producer]:
    """A producer with a cluster of its own, in its process."""
    settings = {"bootstrap.servers": "", "sticky.partitioning.linger.ms": 0, "log_level": 0}
    producer = Producer({"test.mock.num.brokers": 1, **settings})
    yield producer
    producer.flush(10)


def partitions_chosen_by(producer: Producer, keys: list[bytes | None]) -> list[int]:
    """The partition of each record, from its delivery report."""
    found: dict[int, int] = {}

    def delivered(error: KafkaError | None, message: Message) -> None:
        assert error is None, error
        value, partition = message.value(), message.partition()
        assert value is not None
        assert partition is not None
        found[int(value)] = partition

    for number, key in enumerate(keys):
        producer.produce("t", value=b"%d" % number, key=key, on_delivery=delivered)
    assert producer.flush(30) == 0
    return [found[number] for number in range(len(keys))]


def test_keys_go_where_librdkafka_sends_them(librdkafka: Producer) -> None:
    keys: list[bytes | None] = [f"key-{n}".encode() * (n % 7 + 1) for n in range(1000)]
    keys += [bytes([n]) for n in range(256)] + [b"\0" * n for n in range(1, 50)]
    ours = ConsistentPartitioner()
    assert [ours(key, PARTITIONS) for key in keys] == partitions_chosen_by(librdkafka, keys)


def test_an_empty_key_is_no_key_to_librdkafka_too(librdkafka: Producer) -> None:
    # Hashed, all of them would go to one partition; without a key librdkafka draws lots for each.
    chosen = partitions_chosen_by(librdkafka, [b""] * 200)
    assert set(chosen) == set(range(PARTITIONS))
    ours = ConsistentPartitioner()
    assert {ours(b"", PARTITIONS) for _ in range(PARTITIONS)} == set(range(PARTITIONS))


@given(st.binary(min_size=1, max_size=100), st.integers(1, 1000))
def test_a_key_has_one_partition(key: bytes, partitions: int) -> None:
    ours = ConsistentPartitioner()
    assert ours(key, partitions) == ours(key, partitions) == crc32(key) % partitions


@pytest.mark.parametrize("partitions", [4, 7, 1000])
def test_keys_go_where_java_sends_them(partitions: int) -> None:
    chance = random.Random(partitions)
    keys = [b"", *(bytes([n]) for n in range(256)), *(chance.randbytes(n % 40) for n in range(2000))]
    done = subprocess.run(
        ["java", "-cp", class_path("kafka"), "Partitions", str(partitions)],
        input="".join(f"{key.hex()}\n" for key in keys),
        capture_output=True,
        text=True,
        check=True,
    )
    ours = Murmur2Partitioner()
    assert [ours(key, partitions) for key in keys] == [int(line) for line in done.stdout.split()]


@pytest.mark.parametrize("ours", [ConsistentPartitioner(), Murmur2Partitioner()])
@pytest.mark.parametrize("partitions", [1, 2, 3, 7])
@pytest.mark.parametrize("records", [1, 10, 1000])
def test_records_without_a_key_are_spread_evenly(ours: Partitioner, partitions: int, records: int) -> None:
    spread = Counter(ours(None, partitions) for _ in range(records))
    assert sum(spread.values()) == records
    assert max(spread.values()) - min(spread[n] for n in range(partitions)) <= 1
