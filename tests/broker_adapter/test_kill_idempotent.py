"""Four idempotent writers, killed and replaced 200 times, and two readers: every record, once, in order."""

import hashlib
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

from broker_adapter.broker import TopicPartition
from broker_adapter.filelog.broker import FileBroker
from broker_adapter.filelog.reader import LogReader
from tests.broker_adapter.appender import is_whole
from tests.broker_adapter.test_kill import has_unpublished_tail
from tests.support.needs import ROOT

ROUNDS = 200
WRITERS = ("w0", "w1", "w2", "w3")
READERS = ("r0", "r1")
PATIENCE = 60


class Nursery:
    """A process that forks writers and readers."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.broker_adapter.nursery", str(folder)],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._answer() == "ready"
        self.running: dict[str, int] = {}

    def _answer(self) -> str:
        assert self._process.stdout is not None
        return self._process.stdout.readline().strip()

    def start(self, line: str) -> None:
        """Fork what `line` asks for."""
        assert self._process.stdin is not None
        self._process.stdin.write(line + "\n")
        self._process.stdin.flush()
        self.running[line.split()[1]] = int(self._answer())

    def kill(self, name: str) -> None:
        """Kill one and wait until it is gone."""
        number = self.running.pop(name)
        os.kill(number, signal.SIGKILL)
        wait_until_gone(number)

    def end(self) -> None:
        """End the process."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        assert self._process.wait(PATIENCE) == 0
        assert self._process.stdout is not None
        self._process.stdout.close()


def wait_until_gone(number: int) -> None:
    """Wait until there is no process of that id."""
    deadline = time.monotonic() + PATIENCE
    while Path(f"/proc/{number}").exists():
        assert time.monotonic() < deadline
        time.sleep(0.0002)


def acknowledged(folder: Path, writer: str) -> list[tuple[int, int, int]]:
    """Base offset, sequence and count of what a writer was acknowledged; not what it only began to say."""
    path = folder / f"{writer}.said"
    lines = path.read_bytes().splitlines(keepends=True) if path.exists() else []
    return [(int(a), int(b), int(c)) for a, b, c in (x.split() for x in lines if x.endswith(b"\n"))]


def next_sequence(folder: Path, writer: str) -> int:
    """How many of a writer's records were acknowledged."""
    said = acknowledged(folder, writer)
    return said[-1][1] + said[-1][2] if said else 0


def test_nothing_is_lost_torn_or_there_twice(tmp_path: Path) -> None:
    with FileBroker(tmp_path) as broker:
        broker.admin.create_topic("t", 1, {"segment.bytes": 8 << 20, "max.message.bytes": 4 << 20})
    nursery = Nursery(tmp_path)
    for name in READERS:
        nursery.start(f"read {name}")
    for name in WRITERS:
        nursery.start(f"write {name} 0")
    choose = random.Random(7)
    torn = 0
    for _ in range(ROUNDS):
        time.sleep(choose.uniform(0, 0.02))
        writer = choose.choice(WRITERS)
        torn += has_unpublished_tail(tmp_path / "t-0")
        nursery.kill(writer)
        nursery.start(f"write {writer} {next_sequence(tmp_path, writer)}")
    for name in WRITERS:
        nursery.kill(name)
    (tmp_path / "stop").touch()
    for name in READERS:
        wait_until_gone(nursery.running[name])
    nursery.end()
    assert not [path.read_text() for path in tmp_path.glob("*.failed")]
    check(tmp_path)
    # Otherwise this test did not test what it should.
    assert torn, "no kill came in the middle of a write"
    assert list(tmp_path.glob("*.again")), "no kill came between a batch and its acknowledgement"


def check(folder: Path) -> None:
    """Every writer's records are there from the first on, in order, once, and in the places it was told."""
    due = dict.fromkeys(WRITERS, 0)
    places: dict[tuple[str, int], int] = {}
    seen = hashlib.sha256()
    with FileBroker(folder) as broker:
        reader = LogReader(broker.partition(TopicPartition("t", 0)), 0)
        offset = 0
        while records := reader.read(1 << 20):
            for record in records:
                assert record.offset == offset
                offset += 1
                assert record.value is not None
                assert is_whole(record.value)
                seen.update(record.value[:60])
                writer, number, _ = record.value[:60].decode().split(" ", 2)
                assert int(number) == due[writer], (writer, record.offset)
                places[writer, due[writer]] = record.offset
                due[writer] += 1
    for writer in WRITERS:
        said = acknowledged(folder, writer)
        assert said
        assert due[writer] >= next_sequence(folder, writer)
        for base, sequence, count in said:
            assert [places[writer, sequence + n] for n in range(count)] == list(range(base, base + count))
    for name in READERS:
        assert (folder / f"{name}.said").read_text() == f"{offset} {seen.hexdigest()}"
