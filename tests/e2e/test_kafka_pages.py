"""The pages whose examples want a Kafka and a registry: each runs, with both at their default addresses."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from broker_adapter import connect
from tests.support.kafka import shared_kafka
from tests.support.needs import ROOT
from tests.support.server import running_registry

PAGES = ["producers.md", "dead-letters.md"]
TOPICS = ["payments-confluent", "payments-aiokafka", "payments-kafka-python", "bills", "bills-dead"]


def examples(page: str) -> list[str]:
    text = (ROOT / "docs" / page).read_text()
    return re.findall(r"^```python kafka\n(.*?)^```", text, re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("page", PAGES)
def test_the_examples_for_kafka_run(page: str, tmp_path: Path) -> None:
    kafka = shared_kafka()
    programs = examples(page)
    assert programs
    with connect(kafka.url) as broker, running_registry("memory:") as registry:
        for topic in TOPICS:
            if any(f'"{topic}"' in program for program in programs):
                broker.admin.create_topic(topic)
        for program in programs:
            there = program.replace("http://127.0.0.1:8081", registry.url)
            there = there.replace("localhost:9092", kafka.address)
            assert there.count(kafka.address) >= 1
            done = subprocess.run(
                [sys.executable, "-c", there],
                cwd=tmp_path,
                env={**os.environ, "PYTHONPATH": str(ROOT)},
                capture_output=True,
                text=True,
                timeout=120,
                check=False,
            )
            assert done.returncode == 0, done.stderr
