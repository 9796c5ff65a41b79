"""Waiting for records that must come, and for what else must become so."""

import time
from collections.abc import Callable
from typing import Any

from broker_adapter import Broker, Consumer, Record

PATIENCE = 60.0
"""Seconds after which what should have happened has not: no test waits so long that works."""


def take(consumer: Consumer[Any, Any], count: int, at_a_time: int = 1000) -> list[Record[Any, Any]]:
    """The next `count` records."""
    records: list[Record[Any, Any]] = []
    deadline = time.monotonic() + PATIENCE
    while len(records) < count:
        assert time.monotonic() < deadline, f"{len(records)} of {count} records came"
        records += consumer.poll(0.5, min(count - len(records), at_a_time))
    return records


def nothing_comes(consumer: Consumer[Any, Any]) -> None:
    """Fail unless `consumer` has its partitions and nothing new in them."""
    wait_for(lambda: consumer.poll(0.02) == [] and bool(consumer.assignment()))
    assert consumer.poll(0.2) == []


def read_all(broker: Broker, topic: str, **options: Any) -> list[Record[Any, Any]]:
    """All records that `topic` holds now, by partition and offset."""
    with broker.consumer(topic, **options) as consumer:
        return sorted(take(consumer, sum(consumer.lag().values())), key=lambda each: each[1:3])


def wait_for(condition: Callable[[], bool]) -> None:
    """Wait until `condition` holds."""
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)
