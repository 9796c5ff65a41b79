"""A folder written by either is served by the other: Kafka adopts ours, torn tail and all, and we Kafka's.

Kafka is killed and started again on the way, under a producer of ours that must not notice.
"""

import re
import shutil
import struct
import threading
import time
from pathlib import Path

import pytest

from broker_adapter import Delivery, Header, TopicPartition, connect
from broker_adapter.filelog.compression import Codec
from tests.broker_adapter.conftest import new_name
from tests.broker_adapter.reading import read_all
from tests.support.kafka import RunningKafka

COMPLAINT = re.compile("(?i)corrupt|exception|error|invalid|unexpected")
CODECS = [codec.name.lower() for codec in Codec]


def send_all_kinds(url: str, topic: str, count: int) -> None:
    """Records of every codec with null and empty keys and values, and headers, in many batches."""
    now = time.time_ns() // 1_000_000
    headers: list[Header] = [("a", b"1"), ("a", None), ("ü", b"")]
    with connect(url) as broker:
        for run, codec in enumerate(CODECS):
            with broker.producer(compression=codec, batch_size=8000) as producer:
                for n in range(run, count, len(CODECS)):
                    producer.send(
                        topic,
                        None if n % 11 == 0 else b"%d " % n * 60,
                        key=None if n % 3 == 0 else b"%d" % (n % 2) * (n % 5),
                        headers=headers if n % 7 == 0 else (),
                        partition=0,
                        timestamp=now - count + n,
                    )


def put_in_place_of(folder: Path, kafkas: Path) -> None:
    """Our partition's folder where Kafka had its own, whose topic id it keeps."""
    metadata = (kafkas / "partition.metadata").read_bytes()
    shutil.rmtree(kafkas)
    shutil.copytree(folder, kafkas)
    (kafkas / "partition.metadata").write_bytes(metadata)


def tear(folder: Path) -> None:
    """As if a writer had died in the middle of a batch: half of the log's first batch after its end."""
    log = max(folder.glob("*.log"))
    first = min(folder.glob("*.log")).read_bytes()
    (length,) = struct.unpack_from(">i", first, 8)
    with log.open("ab") as file:
        file.write(first[: (12 + length) // 2])


def test_kafka_adopts_our_folder_while_a_producer_waits_for_it(kafka: RunningKafka, tmp_path: Path) -> None:
    count = 20_000
    topic, busy, ours = new_name(), new_name(), f"file:{tmp_path / 'ours'}"
    with connect(ours) as broker:
        broker.admin.create_topic(topic, 1, {"segment.bytes": 1 << 20})
    send_all_kinds(ours, topic, count)
    with connect(ours) as broker:
        written = read_all(broker, topic)
    folder = tmp_path / "ours" / f"{topic}-0"
    assert len(written) == count
    assert len(list(folder.glob("*.log"))) > 1
    tear(folder)

    with connect(kafka.url) as broker:
        broker.admin.create_topic(topic)
        broker.admin.create_topic(busy)
        with broker.producer() as producer:
            is_over = threading.Event()
            sent: list[Delivery] = []

            def keep_sending() -> None:
                while not is_over.wait(0.001):
                    sent.append(producer.send(busy, b"%d" % len(sent)))

            sender = threading.Thread(target=keep_sending)
            sender.start()
            try:
                producer.send(busy, b"-1").result()
                kafka.kill()
                put_in_place_of(folder, kafka.data / f"{topic}-0")
                kafka.start()
                producer.send(busy, b"-2").result()
            finally:
                is_over.set()
                sender.join()
            producer.flush()
            assert producer.send(topic, b"one more", partition=0).result().offset == count
        # Killed, and with acknowledgements lost: each record is there, once, in its place.
        numbers = [int(each.value) for each in read_all(broker, busy)]
        assert [n for n in numbers if n >= 0] == list(range(len(sent)))
        assert read_all(broker, topic)[:-1] == written
        with broker.consumer(topic) as consumer:
            t0 = TopicPartition(topic, 0)
            for at in (0, count // 3, count - 1):
                assert consumer.offset_for_timestamp(t0, written[at].timestamp) is not None
                consumer.seek(t0, at)
                assert consumer.poll(30, 1) == [written[at]]
    # All that Kafka has to say of the folder is that it cut the torn tail.
    log = (kafka.data.parent / "kafka.log").read_text()
    (said,) = [line for line in log.splitlines() if topic in line and COMPLAINT.search(line)]
    assert said.endswith(f"truncating to offset {count}")


@pytest.mark.parametrize(
    "settings", [{}, {"message.timestamp.type": "LogAppendTime"}], ids=["create", "append"]
)
def test_we_open_kafkas_folder(kafka: RunningKafka, tmp_path: Path, settings: dict[str, int | str]) -> None:
    topic, count = new_name(), 10_000
    with connect(kafka.url) as broker:
        broker.admin.create_topic(topic, 1, {"segment.bytes": 1 << 20, **settings})
        send_all_kinds(kafka.url, topic, count)
        written = read_all(broker, topic)
        assert len(written) == count
        shutil.copytree(kafka.data / f"{topic}-0", tmp_path / f"{topic}-0")
    with connect(f"file:{tmp_path}") as broker:
        assert broker.admin.topics() == [topic]
        assert read_all(broker, topic) == written
        with broker.producer() as producer:
            assert producer.send(topic, b"one more").result().offset == count
        with broker.consumer(topic) as consumer:
            t0 = TopicPartition(topic, 0)
            for at in (0, 5000, count - 1):
                consumer.seek(t0, at)
                assert consumer.poll(0, 1) == [written[at]]
            found = consumer.offset_for_timestamp(t0, written[5000].timestamp)
            assert found is not None
            assert written[found].timestamp >= written[5000].timestamp
            assert all(each.timestamp < written[5000].timestamp for each in written[:found])
