"""Batches that librdkafka and aiokafka made, kept in our log as they came, and read from it."""

import socket
from collections.abc import Iterator
from pathlib import Path
from struct import Struct, pack, unpack

import pytest
from aiokafka.record.default_records import DefaultRecordBatchBuilder
from confluent_kafka import Producer

from broker_adapter.errors import CorruptBatch
from broker_adapter.filelog.batch import check_batch, read_header
from broker_adapter.filelog.compression import Codec
from tests.broker_adapter.logs import NOW, opened, read_all

VALUES = [b"%d " % n * 30 for n in range(500)]


def raw_batches(address: str, topic: str) -> bytes:
    """The bytes of partition 0 of `topic` as the broker at `address` keeps them: Kafka's Fetch, version 4."""

    def text(name: str) -> bytes:
        return pack(">h", len(name)) + name.encode()

    partition = pack(">iiqi", 1, 0, 0, 1 << 24)
    request = pack(">hhi", 1, 4, 7) + text("test")
    request += pack(">iiiibi", -1, 100, 1, 1 << 24, 0, 1) + text(topic) + partition
    host, _, port = address.rpartition(":")
    with (
        socket.create_connection((host, int(port)), timeout=10) as connection,
        connection.makefile("rb") as answer,
    ):
        connection.sendall(pack(">i", len(request)) + request)
        (size,) = unpack(">i", answer.read(4))
        body = answer.read(size)
    before = Struct(f">iiih{len(topic)}siihqqi")  # up to the count of aborted transactions
    *_, error, _, _, aborted = before.unpack_from(body)
    assert error == 0
    assert aborted <= 0
    (length,) = unpack(">i", body[before.size : before.size + 4])
    records = body[before.size + 4 :]
    assert len(records) == length > 0
    return records


def split(data: bytes) -> Iterator[bytes]:
    """Each batch of a Fetch's answer."""
    while data:
        size = check_batch(data).size
        yield data[:size]
        data = data[size:]


@pytest.mark.parametrize("codec", Codec)
def test_batches_of_librdkafka(tmp_path: Path, codec: Codec) -> None:
    producer = Producer(
        {
            "test.mock.num.brokers": 1,
            "bootstrap.servers": "",
            "log_level": 0,
            "compression.type": codec.name.lower(),
            "linger.ms": 50,
            "enable.idempotence": True,
        }
    )
    for n, value in enumerate(VALUES):
        producer.produce(
            "t",
            value,
            key=b"k" if n % 3 else None,
            partition=0,
            timestamp=NOW + n,
            headers=[("h", b"1"), ("n", None)],
        )
    assert producer.flush(30) == 0
    (broker,) = producer.list_topics(timeout=10).brokers.values()
    with opened(tmp_path) as partition:
        for batch in split(raw_batches(f"{broker.host}:{broker.port}", "t")):
            assert read_header(batch).codec == codec
            assert read_header(batch).producer_id >= 0
            partition.append(batch)
        records = read_all(partition)
    assert [record.value for record in records] == VALUES
    assert [record.offset for record in records] == list(range(len(VALUES)))
    assert [record.timestamp for record in records] == [NOW + n for n in range(len(VALUES))]
    assert [record.key for record in records] == [b"k" if n % 3 else None for n in range(len(VALUES))]
    assert {record.headers for record in records} == {(("h", b"1"), ("n", None))}


@pytest.mark.parametrize("codec", Codec)
def test_batches_of_aiokafka(tmp_path: Path, codec: Codec) -> None:
    with opened(tmp_path) as partition:
        for start in range(0, len(VALUES), 50):
            builder = DefaultRecordBatchBuilder(2, codec, 0, -1, -1, -1, 1 << 30)
            for n in range(50):
                builder.append(n, NOW + n, None, VALUES[start + n], [])
            partition.append(bytes(builder.build()))
        assert [record.value for record in read_all(partition)] == VALUES


def test_a_batch_that_was_damaged_on_its_way_is_not_kept(tmp_path: Path) -> None:
    builder = DefaultRecordBatchBuilder(2, Codec.ZSTD, 0, -1, -1, -1, 1 << 30)
    builder.append(0, NOW, None, VALUES[0], [])
    batch = bytearray(builder.build())
    batch[-1] ^= 1
    with opened(tmp_path) as partition:
        with pytest.raises(CorruptBatch):
            partition.append(bytes(batch))
        assert partition.state().committed_bytes == 0
