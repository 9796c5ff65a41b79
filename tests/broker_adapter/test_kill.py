"""Writers killed at any moment: nothing acknowledged is lost, nothing torn is seen, the log goes on."""

import random
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from broker_adapter.broker import TopicPartition
from broker_adapter.filelog.broker import FileBroker
from broker_adapter.filelog.partition import Partition
from broker_adapter.filelog.reader import LogReader
from broker_adapter.filelog.segment import segment_bases
from broker_adapter.filelog.state import StatePage
from tests.broker_adapter.appender import is_whole
from tests.broker_adapter.logs import batch_of
from tests.support.needs import ROOT

T = TopicPartition("t", 0)


class Appender:
    """A running appender. What it says goes to a file, so it never waits for us to listen."""

    def __init__(self, folder: Path, writer: str, sizes: str) -> None:
        self._said = folder / f"{writer}.said"
        self._errors = folder / f"{writer}.errors"
        with self._said.open("wb") as out, self._errors.open("wb") as errors:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tests.broker_adapter.appender", str(folder), writer, sizes],
                cwd=ROOT,
                stdout=out,
                stderr=errors,
            )
        # A round begins when it has written something: starting Python takes longer than a round.
        while not self._said.stat().st_size:
            assert self._process.poll() is None, self._errors.read_text()
            time.sleep(0.001)

    def kill(self) -> bytes:
        """Kill it, and return all it said."""
        self._process.send_signal(signal.SIGKILL)
        assert self._process.wait() == -signal.SIGKILL, self._errors.read_text()
        return self._said.read_bytes()


@dataclass
class Check:
    """Reads the log on from where the last round ended, and compares it with what was acknowledged."""

    offset: int = 0
    acknowledged: dict[int, tuple[bytes, int]] = field(default_factory=dict)
    """By offset: who wrote the record, and its number there."""

    def acknowledge(self, said: bytes) -> None:
        """Take the lines of an appender. The last may be cut: then its batch was not acknowledged."""
        for line in said.splitlines(keepends=True):
            if line.endswith(b"\n"):
                base, writer, number, count = line.split()
                for n in range(int(count)):
                    self.acknowledged[int(base) + n] = (writer, int(number) + n)

    def read_on(self, partition: Partition) -> None:
        """Offsets have no gap, values are whole, and every acknowledged record is in its place."""
        reader = LogReader(partition, self.offset)
        while records := reader.read(1 << 20):
            for record in records:
                assert record.offset == self.offset
                self.offset += 1
                assert record.value is not None
                if record.key == b"test":
                    continue
                assert is_whole(record.value)
                writer, number, _ = record.value.split(b" ", 2)
                expected = self.acknowledged.pop(record.offset, None)
                assert expected is None or expected == (writer, int(number))
        assert not self.acknowledged, "acknowledged records are missing"


def make_topic(folder: Path) -> None:
    """Segments are small, so that writers die in rolls, too."""
    with FileBroker(folder) as broker:
        broker.admin.create_topic("t", 1, {"segment.bytes": 5 << 20, "max.message.bytes": 10 << 20})


@pytest.mark.parametrize("sizes", ["small", "large"])
def test_kill_a_writer_25_times(tmp_path: Path, sizes: str) -> None:
    choose = random.Random(sizes)
    make_topic(tmp_path)
    check = Check()
    torn = 0
    for round_ in range(25):
        appender = Appender(tmp_path, f"w{round_}", sizes)
        if sizes == "large" and round_ % 2:
            wait_for_a_write(tmp_path / "t-0")
        else:
            time.sleep(choose.uniform(0, 0.03))
        check.acknowledge(appender.kill())
        torn += has_unpublished_tail(tmp_path / "t-0")
        with FileBroker(tmp_path) as broker, broker.producer() as producer:
            check.read_on(broker.partition(T))
            producer.send("t", b"the log goes on", key=b"test").result()
    if sizes == "large":
        assert torn, "no kill came in the middle of a write: this test did not test what it should"
    with FileBroker(tmp_path) as broker:
        again = Check()
        again.read_on(broker.partition(T))
        assert again.offset == check.offset + 1


def wait_for_a_write(directory: Path) -> None:
    """Wait until a batch is being written, so that a kill tears it; for ten seconds at most."""
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline and not has_unpublished_tail(directory):
        pass


def has_unpublished_tail(directory: Path) -> bool:
    """Whether the active segment is longer than what its dead writer published."""
    page = StatePage(directory / ".state")
    try:
        state = page.read()
        if state is None:  # nobody has opened the log yet
            return False
        return (directory / f"{state.active_base:020d}.log").stat().st_size > state.committed_bytes
    finally:
        page.close()


def test_writers_are_killed_beside_a_living_one_and_a_reader(tmp_path: Path) -> None:
    # This process has the log open all the time, and reads what others write while they die.
    choose = random.Random(1)
    make_topic(tmp_path)
    with FileBroker(tmp_path) as broker:
        partition = broker.partition(T)
        check = Check()
        running = [Appender(tmp_path, f"a{n}", "large") for n in range(2)]
        for round_ in range(10):
            time.sleep(choose.uniform(0, 0.02))
            # The other one writes on meanwhile: the dead one's tail and lock must not be in its way.
            check.acknowledge(running[round_ % 2].kill())
            running[round_ % 2] = Appender(tmp_path, f"b{round_}", "large" if round_ % 3 else "small")
        for each in running:
            check.acknowledge(each.kill())
        check.read_on(partition)
        assert partition.append(batch_of(1)) == check.offset
        assert len(segment_bases(tmp_path / "t-0")) > 2
