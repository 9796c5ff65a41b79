"""The page on brokers held to the code: its Kafka examples run, no error and no argument is left out."""

import inspect
import os
import re
import subprocess
import sys
from pathlib import Path

import broker_adapter.errors
from broker_adapter import Broker
from tests.support.kafka import RunningKafka
from tests.support.needs import ROOT

PAGE = (ROOT / "docs" / "brokers.md").read_text()


def test_the_examples_for_kafka_run(kafka: RunningKafka, tmp_path: Path) -> None:
    blocks = re.findall(r"^```python kafka\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
    assert blocks
    for block in blocks:
        program = block.replace("localhost:9092", kafka.address)
        assert program != block
        done = subprocess.run(
            [sys.executable, "-c", program],
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr


def test_every_error_is_documented() -> None:
    rows = set(re.findall(r"`(\w+)`", "".join(re.findall(r"^\| (`.*?) \|", PAGE, re.MULTILINE))))
    names = {
        name
        for name, error in vars(broker_adapter.errors).items()
        if isinstance(error, type) and not error.__subclasses__()
    }
    assert {"UnknownTopic", "SerdeFailed"} < names - {"Path"}
    assert names - {"Path"} <= rows


def test_every_argument_is_documented() -> None:
    for make in (Broker.producer, Broker.consumer):
        for name in set(inspect.signature(make).parameters) - {"self", "topics"}:
            assert re.search(rf"\b{name}\b", PAGE), name
