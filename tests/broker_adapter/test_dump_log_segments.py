"""Our files before Kafka's own judge, DumpLogSegments. Its exit code says nothing: its words do."""

import random
import re
import subprocess
from pathlib import Path

import pytest
from aiokafka.record.memory_records import MemoryRecords

from broker_adapter import TopicPartition, connect
from broker_adapter.filelog.compression import Codec
from tests.broker_adapter.logs import forget_state, opened
from tests.support.jvm import class_path

COMPLAINT = re.compile(
    r"(?i)corrupt|mismatch|invalid|exception|error|fail|could not|isvalid: false|not found|unable"
)
RECORDS = 12_000


def dump(files: list[Path], *flags: str) -> str:
    """What DumpLogSegments says of `files`."""
    quiet = "-Dorg.slf4j.simpleLogger.defaultLogLevel=off"
    command = ["java", quiet, "-Xshare:auto", "-XX:TieredStopAtLevel=1", "-cp", class_path("kafka")]
    done = subprocess.run(
        [*command, "kafka.tools.DumpLogSegments", *flags, "--files", ",".join(map(str, files))],
        capture_output=True,
        text=True,
        check=False,
    )
    said = done.stdout + done.stderr
    for file in files:
        assert f"Dumping {file}" in said, said[:2000]
    return said


def assert_no_complaint(said: str) -> None:
    """Fail with the first lines that complain."""
    complaints = [line for line in said.splitlines() if COMPLAINT.search(line)]
    assert not complaints, "\n".join(complaints[:5])


def value_of(number: int) -> bytes:
    """Text that can be compressed, by half."""
    return f"{number} {random.Random(number).randbytes(200).hex()}".encode()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A topic of one partition in several segments, with every codec, and a group's offsets."""
    root = tmp_path_factory.mktemp("log")
    with connect(f"file:{root}") as broker:
        broker.admin.create_topic("t", 1, {"segment.bytes": 1 << 20})
        for run, codec in enumerate(Codec):
            with broker.producer(compression=codec.name.lower(), batch_size=8_000) as producer:
                for n in range(run, RECORDS, len(Codec)):
                    producer.send(
                        "t",
                        None if n % 11 == 0 else value_of(n),
                        key=None if n % 3 == 0 else f"k{n}".encode(),
                        headers=[("h", b"x"), ("none", None)] if n % 5 == 0 else (),
                    )
        with broker.consumer("t", group="readers") as consumer:
            for _ in range(3):
                assert consumer.poll()
                consumer.commit()
    return root


def files(folder: Path, suffix: str) -> list[Path]:
    """The partition's files of a kind, in order."""
    return sorted((folder / "t-0").glob(f"*.{suffix}"))


def test_logs(folder: Path) -> None:
    logs = files(folder, "log")
    assert len(logs) > 2
    said = dump(logs, "--deep-iteration", "--print-data-log")
    assert_no_complaint(said)
    assert [int(n) for n in re.findall(r"^\| offset: (\d+) ", said, re.MULTILINE)] == list(range(RECORDS))
    assert set(re.findall(r"compresscodec: (\w+) ", said)) == {codec.name.lower() for codec in Codec}
    assert said.count("isvalid: true") == said.count("baseOffset: ")
    assert f"payload: {value_of(1234).decode()}\n" in said


def test_indexes(folder: Path) -> None:
    for suffix in ("index", "timeindex"):
        indexes = files(folder, suffix)
        said = dump(indexes)
        assert_no_complaint(said)
        entries = sum(path.stat().st_size // (8 if suffix == "index" else 12) for path in indexes)
        assert len(re.findall(r"^(offset|timestamp): ", said, re.MULTILINE)) == entries > 20
        assert_no_complaint(dump(indexes, "--verify-index-only"))
        sane = dump(indexes, "--index-sanity-check")
        assert_no_complaint(sane)
        assert sane.count("passed sanity check") == len(indexes)


def test_recovered_files(folder: Path, tmp_path: Path) -> None:
    copy = tmp_path / "t-0"
    copy.mkdir()
    for log in files(folder, "log"):
        (copy / log.name).write_bytes(log.read_bytes())
    last = files(tmp_path, "log")[-1]
    with last.open("ab") as file:
        file.write(b"torn")
    with opened(copy):
        pass
    forget_state(copy)
    with opened(copy) as partition:
        assert partition.state().log_end_offset == RECORDS
    said = dump([*files(tmp_path, "log"), *files(tmp_path, "index"), *files(tmp_path, "timeindex")])
    assert_no_complaint(said)


def test_committed_offsets(folder: Path) -> None:
    logs = sorted(folder.glob("__consumer_offsets-*/*.log"))
    assert [path.parent.name for path in logs] == ["__consumer_offsets-28"]
    said = dump(logs, "--offsets-decoder")
    assert_no_complaint(said)
    assert said.count('key: {"type":"1","data":{"group":"readers","topic":"t","partition":0}}') == 3
    assert re.findall(r'"version":"3","data":\{"offset":(\d+),"leaderEpoch":-1', said) == [
        "1000",
        "2000",
        "3000",
    ]


@pytest.mark.parametrize("what", ["log", "index", "timeindex"])
def test_the_judge_does_complain(folder: Path, tmp_path: Path, what: str) -> None:
    # Otherwise the tests above could not fail.
    name = files(folder, what)[0].stem
    for suffix in ("log", "index", "timeindex"):
        (tmp_path / f"{name}.{suffix}").write_bytes((folder / "t-0" / f"{name}.{suffix}").read_bytes())
    damaged = tmp_path / f"{name}.{what}"
    data = bytearray(damaged.read_bytes())
    data[3 if what == "index" else 7 if what == "timeindex" else 5_000] ^= 1
    damaged.write_bytes(data)
    said = dump([damaged], *(["--deep-iteration"] if what == "log" else []))
    with pytest.raises(AssertionError):
        assert_no_complaint(said)


def test_aiokafkas_record_reader_reads_the_segments(folder: Path) -> None:
    offsets = []
    for log in files(folder, "log"):
        reader = MemoryRecords(log.read_bytes())
        while reader.has_next():
            batch = reader.next_batch()
            assert batch.validate_crc()
            offsets += [record.offset for record in batch]
    assert offsets == list(range(RECORDS))


def test_our_reader_agrees(folder: Path) -> None:
    with connect(f"file:{folder}") as broker, broker.consumer("t", idle_timeout=0) as consumer:
        records = {record.offset: record for record in consumer}
    assert sorted(records) == list(range(RECORDS))
    assert records[0].topic == TopicPartition("t", 0).topic
    assert sum(record.value is None for record in records.values()) == len(range(0, RECORDS, 11))
