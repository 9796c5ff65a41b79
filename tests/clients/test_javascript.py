"""Clients in JavaScript that others published, against our server."""

from pathlib import Path

from tests.clients.published import CONFLUENT_JAVASCRIPT, KAFKAJS
from tests.clients.scenario import task
from tests.support.javascript import run_script

SCRIPTS = Path(__file__).parent / "javascript"


def test_confluentinc_schemaregistry(url: str) -> None:
    CONFLUENT_JAVASCRIPT.judge(url, run_script(SCRIPTS, "confluent.mjs", task(url)))


def test_kafkajs_confluent_schema_registry(url: str) -> None:
    KAFKAJS.judge(url, run_script(SCRIPTS, "kafkajs.mjs", task(url)))
