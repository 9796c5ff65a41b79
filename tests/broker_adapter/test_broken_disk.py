"""A disk that fails: in a process of its own, writes, cuts, flushes and reads get EIO from below Python."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from broker_adapter import TopicPartition
from broker_adapter.filelog.broker import FileBroker
from tests.broker_adapter.logs import read_all
from tests.support.needs import ROOT, need_programs

T0 = TopicPartition("t", 0)
WORKER = """
import json, sys
from broker_adapter import connect
from broker_adapter.errors import BrokerError

with connect(f"file:{sys.argv[1]}?durability={sys.argv[2]}") as broker, broker.producer(linger=0) as producer:
    print(flush=True)
    for line in sys.stdin:
        command, value = json.loads(line)
        try:
            if command == "send":
                answer = producer.send("t", value.encode()).result().offset
            elif command == "flush":
                answer = producer.flush()
            else:
                with broker.consumer("t") as consumer:
                    answer = [record.value.decode() for record in consumer.poll(0, 100_000)]
        except BrokerError as error:
            answer = {"kind": type(error).__name__, "says": str(error), "retriable": error.retriable}
        print(json.dumps(answer), flush=True)
"""


@pytest.fixture(scope="session")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What is preloaded."""
    need_programs("gcc")
    made = tmp_path_factory.mktemp("failing") / "failing_disk.so"
    source = ROOT / "tests/support/failing_disk.c"
    subprocess.run(
        ["gcc", "-O1", "-Wall", "-Werror", "-shared", "-fPIC", "-o", made, source, "-ldl"], check=True
    )
    return made


class Worker:
    """A process whose disk can be broken."""

    def __init__(self, library: Path, folder: Path, durability: str) -> None:
        self._switch = folder / "switch"
        self._switch.write_bytes(b"-")
        self.data = folder / "data"
        with FileBroker(self.data) as broker:
            broker.admin.create_topic("t", 1, {"segment.bytes": 1 << 20})
        self._process = subprocess.Popen(
            [sys.executable, "-c", WORKER, str(self.data), durability],
            cwd=ROOT,
            env={**os.environ, "LD_PRELOAD": str(library), "FAILING_DISK": str(self._switch)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._process.stdout is not None
        assert self._process.stdout.readline() == "\n"

    def disk(self, fault: str) -> None:
        """Break it in one way; ``-`` is whole."""
        with self._switch.open("r+b") as file:
            file.write(fault.encode())

    def ask(self, command: str, value: str = "") -> Any:
        """What came of a command."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps([command, value]) + "\n")
        self._process.stdin.flush()
        return json.loads(self._process.stdout.readline())

    def there(self) -> list[str]:
        """The values that another process reads, whose disk is whole."""
        with FileBroker(self.data) as broker:
            return [(record.value or b"").decode() for record in read_all(broker.partition(T0), 0)]

    def end(self) -> int:
        """Let it close; its exit status."""
        self.disk("-")
        self._process.communicate(timeout=60)
        return self._process.returncode


@pytest.fixture(params=["none", "interval", "batch"])
def worker(library: Path, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Worker]:
    worker = Worker(library, tmp_path, request.param)
    try:
        yield worker
    finally:
        worker._process.kill()
        worker._process.communicate()


def check_refusal(answer: Any) -> None:
    """It says what failed and where, and that it may be tried again."""
    assert answer["kind"] == "LogIOError"
    assert answer["retriable"]
    assert "Input/output error" in answer["says"]
    assert "t-0" in answer["says"]


def test_writes_that_fail_leave_the_log_as_it_was(worker: Worker) -> None:
    kept = []
    for fault in ("w", "p", "t"):
        kept.append(f"before {fault} " * 100)
        assert worker.ask("send", kept[-1]) == len(kept) - 1
        worker.disk(fault)
        for _ in range(2):
            check_refusal(worker.ask("send", f"refused {fault} " * 200))
            check_refusal(worker.ask("flush"))
        assert worker.ask("read") == worker.there() == kept
        worker.disk("-")
        kept.append(f"after {fault} ")
        assert worker.ask("send", kept[-1]) == len(kept) - 1
    assert worker.end() == 0
    assert worker.there() == kept


def test_flushes_that_fail(library: Path, tmp_path: Path) -> None:
    worker = Worker(library, tmp_path, "batch")
    assert worker.ask("send", "before") == 0
    worker.disk("s")
    check_refusal(worker.ask("send", "refused"))
    check_refusal(worker.ask("flush"))
    assert worker.there() == ["before"]
    worker.disk("-")
    assert worker.ask("send", "after") == 1
    assert worker.end() == 0
    assert worker.there() == ["before", "after"]


def test_reads_that_fail(library: Path, tmp_path: Path) -> None:
    worker = Worker(library, tmp_path, "interval")
    assert worker.ask("send", "one") == 0
    worker.disk("r")
    refused = worker.ask("read")
    assert (refused["kind"], refused["retriable"]) == ("LogIOError", True)
    assert "Input/output error" in refused["says"]
    worker.disk("-")
    assert worker.ask("read") == ["one"]
    assert worker.end() == 0
