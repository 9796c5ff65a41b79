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
def any_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of a broker of each kind, which hears of new topics and partitions soon."""
    if request.param == "kafka":
        return f"{shared_kafka().url}?topic.metadata.refresh.interval.ms=300"
    return f"file:{tmp_path / 'data'}"


@pytest.fixture
def any_broker(any_url: str) -> Iterator[Broker]:
    """A broker of each kind."""
    with connect(any_url) as broker:
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
