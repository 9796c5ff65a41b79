"""Records in and out, and how long one takes, beside what else one would use, in turns in one run.

    python -m benchmarks.log.throughput [records]

The file log and Kafka through `broker_adapter`'s and confluent-kafka's own
interface, four partitions, linger 5 ms; librdkafka's mock cluster, which keeps
too little to be read from; SQLite (WAL, synchronous=NORMAL, transactions of
1,000 rows); Redis streams (pipelines of 1,000). The best of three rounds each.
"""

import os
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any, cast

import redis
from confluent_kafka import Consumer, Producer

from broker_adapter import connect
from broker_adapter.filelog import batch
from serde import AvroDeserializer, AvroSerializer
from serde.testing import registry
from tests.support.kafka import RunningKafka
from tests.support.redis import running_redis

ROUNDS = 3
SCHEMA = """{"type": "record", "name": "Small", "fields": [
    {"name": "id", "type": "long"}, {"name": "name", "type": "string"}, {"name": "score", "type": "double"},
    {"name": "active", "type": "boolean"}, {"name": "count", "type": "int"}]}"""
READER = """
import sys, time
from broker_adapter import connect
with connect(f"file:{sys.argv[1]}") as broker, broker.consumer("one", idle_timeout=20) as consumer:
    print("ready", flush=True)
    for record in consumer:
        print(time.monotonic_ns() - int(record.value), flush=True)
"""


def rate(count: int, work: Callable[[], object]) -> float:
    """How many of `count` things a second `work` does."""
    start = time.perf_counter()
    work()
    return count / (time.perf_counter() - start)


def file_log(folder: Path, keys: list[bytes], value: bytes) -> tuple[float, float]:
    """Records a second, in and out."""
    with tempfile.TemporaryDirectory(dir=folder) as data, connect(f"file:{data}") as broker:
        broker.admin.create_topic("t", 4)

        def produce() -> None:
            with broker.producer() as producer:
                send = producer.send
                for key in keys:
                    send("t", value, key=key)

        def consume() -> None:
            left = len(keys)
            with broker.consumer("t") as consumer:
                while left:
                    left -= len(consumer.poll(1, 2_000))

        return rate(len(keys), produce), rate(len(keys), consume)


def confluent(settings: dict[str, object], topic: str, keys: list[bytes], value: bytes) -> float:
    """Records a second into a cluster, through confluent-kafka."""
    producer = Producer(
        {"linger.ms": 5, "queue.buffering.max.messages": 2_000_000, "queue.buffering.max.kbytes": 2_000_000}
        | settings
    )

    def produce() -> None:
        for key in keys:
            producer.produce(topic, value, key)
        assert producer.flush(120) == 0

    producer.produce(topic, b"first")
    producer.flush(30)
    return rate(len(keys), produce)


def kafka_out(address: str, topic: str, count: int) -> float:
    """Records a second out of Kafka, through confluent-kafka."""
    consumer = Consumer(
        {
            "bootstrap.servers": address,
            "group.id": topic,
            "auto.offset.reset": "earliest",
            "queued.min.messages": 1_000_000,
            "queued.max.messages.kbytes": 1_000_000,
            "fetch.queue.backoff.ms": 5,
        }
    )
    consumer.subscribe([topic])
    left = count - len(consumer.consume(1, 30))

    def consume() -> None:
        nonlocal left
        while left > 0:
            for message in consumer.consume(2_000, 1):
                message.key(), message.value()
                left -= 1

    found = rate(left, consume)
    consumer.close()
    return found


def sqlite(folder: Path, keys: list[bytes], value: bytes) -> tuple[float, float]:
    """Rows a second, in and out."""
    with tempfile.TemporaryDirectory(dir=folder) as data:
        database = sqlite3.connect(f"{data}/log.db", isolation_level=None)
        database.execute("PRAGMA journal_mode=WAL")
        database.execute("PRAGMA synchronous=NORMAL")
        database.execute("CREATE TABLE log (offset INTEGER PRIMARY KEY, time INTEGER, key BLOB, value BLOB)")

        def produce() -> None:
            for at in range(0, len(keys), 1_000):
                now = time.time_ns() // 1_000_000
                database.execute("BEGIN")
                database.executemany(
                    "INSERT INTO log (time, key, value) VALUES (?, ?, ?)",
                    [(now, key, value) for key in keys[at : at + 1_000]],
                )
                database.execute("COMMIT")

        def consume() -> None:
            after = 0
            while rows := database.execute(
                "SELECT offset, time, key, value FROM log WHERE offset > ? ORDER BY offset LIMIT 2000",
                (after,),
            ).fetchall():
                after = rows[-1][0]

        found = rate(len(keys), produce), rate(len(keys), consume)
        database.close()
        return found


def redis_stream(client: redis.Redis, keys: list[bytes], value: bytes) -> tuple[float, float]:
    """Entries a second, in and out."""
    client.delete("t")

    def produce() -> None:
        for at in range(0, len(keys), 1_000):
            pipe = client.pipeline(transaction=False)
            for key in keys[at : at + 1_000]:
                pipe.xadd("t", {b"k": key, b"v": value})
            pipe.execute()

    def consume() -> None:
        after: Any = b"0"
        while found := cast("Any", client.xread({"t": after}, count=2_000)):
            after = found[0][1][-1][0]

    return rate(len(keys), produce), rate(len(keys), consume)


def with_serializers(folder: Path, count: int) -> tuple[float, float]:
    """Records a second of a small Avro record, in and out of the file log."""
    rows = [
        {"id": n, "name": f"n{n}", "score": n / 7, "active": n % 2 == 0, "count": n} for n in range(1_000)
    ]
    with (
        registry() as client,
        tempfile.TemporaryDirectory(dir=folder) as data,
        connect(f"file:{data}") as broker,
    ):
        broker.admin.create_topic("t", 4)

        def produce() -> None:
            with broker.producer(value_serializer=AvroSerializer(client, SCHEMA)) as producer:
                for n in range(count):
                    producer.send("t", rows[n % 1_000])

        def consume() -> None:
            left = count
            with broker.consumer("t", value_deserializer=AvroDeserializer(client)) as consumer:
                while left:
                    left -= len(consumer.poll(1, 2_000))

        return rate(count, produce), rate(count, consume)


def median_wait(url: str, topic: str, times: int = 400) -> float:
    """The median of the microseconds until one record was sent and flushed."""
    waits = []
    with connect(url) as broker, broker.producer(linger=0) as producer:
        for _ in range(times):
            start = time.perf_counter()
            producer.send(topic, b"v" * 100)
            producer.flush()
            waits.append(time.perf_counter() - start)
    return sorted(waits)[times // 2] * 1e6


def median_to_another_process(folder: Path, times: int = 300) -> float:
    """The median of the microseconds until a reader in another process had a record."""
    with tempfile.TemporaryDirectory(dir=folder) as data, connect(f"file:{data}") as broker:
        broker.admin.create_topic("one")
        command = [sys.executable, "-c", READER, data]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as reader:
            assert reader.stdout is not None
            assert reader.stdout.readline() == "ready\n"
            waits = []
            with broker.producer(linger=0) as producer:
                for n in range(times):
                    time.sleep(0.0002 * (n % 10))
                    producer.send("one", b"%d" % time.monotonic_ns())
                    waits.append(int(reader.stdout.readline()))
            reader.terminate()
    return sorted(waits)[times // 2] / 1e3


def main(count: int = 300_000) -> None:
    """Print a table."""
    folder = Path(tempfile.mkdtemp(prefix="fivebyte-log-"))
    kafka = RunningKafka(folder)
    kafka.start()
    best: dict[str, list[float]] = {}

    def note(name: str, *rates: float) -> None:
        best[name] = [max(pair) for pair in zip(best.get(name, rates), rates, strict=True)]

    try:
        with running_redis() as server, connect(f"kafka://{kafka.address}") as broker:
            client = server.client()
            for size, records in ((100, count), (1024, count // 3)):
                keys, value = [b"k%07d" % n for n in range(records)], b"v" * size
                for round_ in range(ROUNDS):
                    note(f"{size} file log", *file_log(folder, keys, value))
                    topic = f"t{size}-{round_}"
                    broker.admin.create_topic(topic, 4)
                    to_kafka = confluent({"bootstrap.servers": kafka.address}, topic, keys, value)
                    note(f"{size} confluent-kafka, Kafka", to_kafka, kafka_out(kafka.address, topic, records))
                    mock = confluent({"test.mock.num.brokers": 1}, topic, keys, value)
                    note(f"{size} confluent-kafka, mock cluster", mock, 0)
                    note(f"{size} SQLite", *sqlite(folder, keys, value))
                    few = keys[: records // 5]
                    note(f"{size} Redis stream", *redis_stream(client, few, value))
            for _ in range(ROUNDS):
                note("Avro file log", *with_serializers(folder, count // 2))
            waits = min(
                (
                    median_wait(f"file:{folder / 'one'}", "one"),
                    median_wait(f"kafka://{kafka.address}", "t100-0"),
                )
                for _ in range(ROUNDS)
                if make_once(folder)
            )
        across = min(median_to_another_process(folder) for _ in range(ROUNDS))
    finally:
        kafka.kill()
        subprocess.run(["rm", "-rf", str(folder)], check=True)
    print(
        f"records a second, the best of {ROUNDS}; native records: {batch._native is not None}; "
        f"confluent-kafka {version('confluent-kafka')}; {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}"
    )
    print(f"{'':<32}{'produce':>12}{'MB/s':>8}{'consume':>12}")
    for name, (into, out) in best.items():
        size_of, _, what = name.partition(" ")
        megabytes = f"{into * int(size_of) / 1e6:.0f}" if size_of.isdecimal() else ""
        read = f"{out:,.0f}" if out else "-"
        print(f"{size_of:>5} {what:<26}{into:>12,.0f}{megabytes:>8}{read:>12}")
    ours, theirs = best["100 file log"][0], best["100 confluent-kafka, Kafka"][0]
    print(f"\nproduce 100 B, times confluent-kafka to Kafka: {ours / theirs:.2f}")
    print(f"one record sent and flushed, median: {waits[0]:.0f} us; Kafka: {waits[1]:.0f} us")
    print(f"one record to a reader in another process, median: {across:.0f} us")


def make_once(folder: Path) -> bool:
    """Make the topic "one"; True."""
    with connect(f"file:{folder / 'one'}") as broker:
        if "one" not in broker.admin.topics():
            broker.admin.create_topic("one")
    return True


if __name__ == "__main__":
    main(*(int(each) for each in sys.argv[1:]))
