"""Clients in Python that others published, against our server."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.clients import confluent_python, schema_registry_client
from tests.clients.published import CONFLUENT_PYTHON, SCHEMA_REGISTRY_CLIENT
from tests.clients.scenario import task

Script = Callable[[dict[str, Any]], list[dict[str, Any]]]


@pytest.mark.parametrize("script", [confluent_python.waiting, confluent_python.asynchronous])
def test_confluent_kafka(script: Script, url: str) -> None:
    CONFLUENT_PYTHON.judge(url, script(task(url)))


@pytest.mark.parametrize("script", [schema_registry_client.waiting, schema_registry_client.asynchronous])
def test_python_schema_registry_client(script: Script, url: str) -> None:
    SCHEMA_REGISTRY_CLIENT.judge(url, script(task(url)))
