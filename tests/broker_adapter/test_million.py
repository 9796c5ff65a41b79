"""A million records in four partitions before Kafka's judge: all codecs, rolled, deleted from, compacted."""

import random
import re
from pathlib import Path

import pytest

from broker_adapter import TopicPartition
from broker_adapter.filelog.broker import FileBroker
from broker_adapter.filelog.compression import Codec
from broker_adapter.filelog.reader import LogReader
from tests.broker_adapter.logs import read_all
from tests.broker_adapter.test_dump_log_segments import assert_no_complaint, dump

RECORDS = 1_000_000
PARTITIONS = 4
RUNS = 10
KEYS = 400_000
SETTINGS: dict[str, int | str] = {
    "segment.bytes": 1 << 20,
    "cleanup.policy": "compact,delete",
    "retention.bytes": 4 << 20,
    "min.cleanable.dirty.ratio": "0.3",
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The log, cleaned by its writers on the way and once at the end."""
    root = tmp_path_factory.mktemp("million")
    noise = random.Random(1).randbytes(1 << 16).hex().encode()
    with FileBroker(root) as broker:
        broker.admin.create_topic("t", PARTITIONS, SETTINGS)
        for run in range(RUNS):
            with broker.producer(compression=Codec(run % len(Codec)).name.lower()) as producer:
                for n in range(run, RECORDS, RUNS):
                    producer.send(
                        "t",
                        None if n % 17 == 0 else noise[n & 0xFFFF :][:60] + b" %d" % n,
                        key=b"%d" % (n * 7919 % KEYS),
                    )
            broker.clean("t")
    return root


def test_kafkas_judge_finds_nothing_wrong(folder: Path) -> None:
    logs = sorted(folder.glob("t-*/*.log"))
    assert len(logs) > 2 * PARTITIONS
    said = dump(logs, "--deep-iteration")
    assert_no_complaint(said)
    assert said.count("isvalid: true") == said.count("baseOffset: ") > 300
    assert set(re.findall(r"compresscodec: (\w+) ", said)) == {codec.name.lower() for codec in Codec}
    assert "deleteHorizonMs: OptionalLong[" in said
    for suffix in ("index", "timeindex", "snapshot"):
        files = sorted(folder.glob(f"t-*/*.{suffix}"))
        assert len(files) > PARTITIONS
        assert_no_complaint(dump(files))


def test_what_is_left_is_what_should_be(folder: Path) -> None:
    with FileBroker(folder) as broker:
        for number in range(PARTITIONS):
            partition = broker.partition(TopicPartition("t", number))
            state = partition.state()
            records = read_all(partition, state.log_start_offset)
            assert state.log_start_offset > 0
            assert 0 < len(records) < state.log_end_offset / 2
            closed = [record for record in records if record.offset < state.active_base]
            assert len({record.key for record in closed}) == len(closed)
            offsets = [record.offset for record in records]
            assert offsets == sorted(set(offsets))
            for at in range(0, len(records), len(records) // 20):
                assert LogReader(partition, offsets[at]).read(1)[0] == records[at]
