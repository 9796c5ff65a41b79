"""Clients in Go that others published, against our server."""

from pathlib import Path

from tests.clients.published import CONFLUENT_GO, FRANZ_GO
from tests.clients.scenario import task
from tests.support.golang import run_program

PROGRAM = Path(__file__).parent / "go"


def test_confluent_kafka_go(url: str) -> None:
    CONFLUENT_GO.judge(url, run_program(PROGRAM, "confluent", task(url)))


def test_franz_go(url: str) -> None:
    FRANZ_GO.judge(url, run_program(PROGRAM, "franz", task(url)))
