"""Looking at a log's files from outside: sound ones are sound, and damage is found in its place."""

import os
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from broker_adapter import TopicPartition, connect
from broker_adapter.errors import CorruptLog, LogIOError
from broker_adapter.filelog import inspection
from broker_adapter.filelog.broker import FileBroker
from tests.broker_adapter.logs import forget_state

RECORDS = 6000


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A partition of several segments with every codec, headers and nulls."""
    root = tmp_path_factory.mktemp("log")
    with connect(f"file:{root}") as broker:
        broker.admin.create_topic("t", 1, {"segment.bytes": 1 << 20})
        for run, codec in enumerate(["none", "gzip", "snappy", "lz4", "zstd"]):
            with broker.producer(compression=codec, batch_size=8_000) as producer:
                for n in range(run, RECORDS, 5):
                    value = None if n % 7 == 0 else os.urandom(400)
                    producer.send("t", value, key=b"%d" % n, headers=[("h", None)] if n % 5 == 0 else ())
    return root / "t-0"


@pytest.fixture
def folder(sound: Path, tmp_path: Path) -> Path:
    """A copy of it."""
    return Path(shutil.copytree(sound, tmp_path / "t-0"))


def logs(folder: Path) -> list[Path]:
    """The log files, in order."""
    return sorted(folder.glob("*.log"))


def test_sound_files_are_sound(folder: Path) -> None:
    before = {path: path.read_bytes() for path in folder.iterdir() if path.is_file()}
    verdict = inspection.verify(folder, deep=True)
    assert verdict.findings == []
    assert (verdict.records, verdict.first_offset, verdict.last_offset) == (RECORDS, 0, RECORDS - 1)
    assert verdict.segments == len(logs(folder)) > 2
    assert verdict.bytes == sum(path.stat().st_size for path in logs(folder))
    for path in inspection.files_in(folder):
        assert inspection.verify_file(path, deep=True).is_sound
    assert {path: path.read_bytes() for path in folder.iterdir() if path.is_file()} == before
    assert inspection.partitions_in(folder) == [folder]
    assert inspection.partitions_in(folder.parent) == [folder]


def test_a_flipped_bit_is_found_with_its_offset_and_the_rest_is_looked_at(folder: Path) -> None:
    first, second = logs(folder)[:2]
    flip(first, 5_000)
    flip(second, 100)
    verdict = inspection.verify(folder)
    where, other = verdict.findings
    assert where.path == first
    assert "damaged: its checksum says" in where.what
    assert "A recovery cuts the log here" in where.what
    assert other.path == second
    assert other.what.startswith(f"byte 0, offset {int(second.stem)}: ")
    # And this is where the recovery does cut.
    offset = int(where.what.partition("offset ")[2].partition(":")[0])
    forget_state(folder)
    with FileBroker(folder.parent) as broker:
        assert broker.partition(TopicPartition("t", 0)).state().log_end_offset == offset


def flip(path: Path, at: int) -> None:
    """Change one bit of the byte at `at`."""
    data = bytearray(path.read_bytes())
    data[at] ^= 4
    path.write_bytes(data)


@pytest.mark.parametrize(
    ("damage", "what"),
    [
        (lambda log: log.write_bytes(log.read_bytes()[:-5]), "bytes, and [0-9]+ were published"),
        (lambda log: flip(log, 3), "the batch (goes up to|has) offset|where [0-9]+ is due"),
        (lambda log: flip(log, 16), "format version"),
        (lambda log: flip(log, 9), "cut short"),
        (lambda log: log.with_suffix(".index").unlink(), "is missing"),
        (lambda log: log.with_suffix(".timeindex").unlink(), "is missing"),
        (lambda log: flip(log.with_suffix(".index"), 7), "no such batch"),
        (lambda log: flip(log.with_suffix(".index"), 11), "no such batch|follows"),
        (lambda log: log.with_suffix(".index").write_bytes(b"\xff" * 16), "no such batch|follows"),
        (lambda log: log.with_suffix(".index").write_bytes(b"123"), "no whole number"),
        (lambda log: flip(log.with_suffix(".timeindex"), 7), "has a batch of timestamp|follows"),
        (lambda log: log.with_suffix(".snapshot").write_bytes(b"garbage and more garbage"), "snapshot"),
    ],
)
def test_each_damage_is_found(folder: Path, damage: Callable[[Path], object], what: str) -> None:
    damage(logs(folder)[-1])
    verdict = inspection.verify(folder)
    assert not verdict.is_sound
    (finding, *_) = verdict.findings
    assert re.search(what, str(finding)), finding


def test_what_a_writer_left_that_died_is_no_harm(folder: Path) -> None:
    last = logs(folder)[-1]
    size = last.stat().st_size
    with last.open("ab") as file:
        file.write(b"torn")
    (folder / f"{10**9:020d}.log").touch()
    verdict = inspection.verify(folder)
    assert verdict.is_sound
    assert verdict.records == RECORDS
    assert [each.what.partition(":")[0] for each in verdict.findings] == [
        f"4 bytes from byte {size} on were never published",
        "was never published",
    ]
    # Where nobody says what was published, it is damage like any.
    forget_state(folder)
    (folder / f"{10**9:020d}.log").unlink()
    assert "cut short" in str(inspection.verify(folder).findings[0])


def test_what_cannot_be_looked_at(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").touch()
    with pytest.raises(CorruptLog, match=r"notes\.txt is no file of a log"):
        inspection.verify_file(tmp_path / "notes.txt")
    with pytest.raises(LogIOError, match="not there"):
        inspection.verify(tmp_path / "not there")
    assert inspection.partitions_in(tmp_path) == []
