"""What holds for every broker is tested on both: the file log, and a real Kafka."""

import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from broker_adapter import Broker, connect
from tests.support.kafka import RunningKafka, shared_kafka


@pytest.fixture
def kafka() -> RunningKafka:
    """The Kafka of this run."""
    return shared_kafka()


@pytest.fixture(params=["file", "kafka"])
def any_broker(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Broker]:
    """A broker of each kind."""
    url = shared_kafka().url if request.param == "kafka" else f"file:{tmp_path / 'data'}"
    with connect(url) as broker:
        yield broker


@pytest.fixture
def topic(any_broker: Broker) -> str:
    """A new topic of four partitions."""
    name = new_name()
    any_broker.admin.create_topic(name, 4)
    return name


def new_name() -> str:
    """A name that no topic and no group has."""
    return f"t-{uuid.uuid4().hex[:12]}"
