"""Questions about offsets, put to librdkafka for many partitions at once. Raises this package's errors."""

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from confluent_kafka import Consumer as Librdkafka
from confluent_kafka import TopicPartition as Place

from broker_adapter.errors import BrokerUnavailable
from broker_adapter.kafka.translation import translated, translating
from broker_adapter.nouns import TopicPartition

_PAUSE_SECONDS: Final = 0.05
_END: Final = -1
_START: Final = -2
"""What stand for the log's edges where a time is asked for."""


def checked(places: Sequence[Place], doing: str) -> dict[TopicPartition, int]:
    """The offsets in librdkafka's answer. Raises the first error in it."""
    for place in places:
        if place.error is not None:
            raise translated(place.error, f"{doing} ({place.topic}-{place.partition})")
    return {TopicPartition(each.topic, each.partition): each.offset for each in places}


class Offsets:
    """What a consumer can ask the cluster, each question with a timeout in seconds."""

    def __init__(self, librdkafka: Librdkafka, timeout: float) -> None:
        self._librdkafka = librdkafka
        self._timeout = timeout

    def starts(self, partitions: Sequence[TopicPartition]) -> dict[TopicPartition, int]:
        """The first offset of each log."""
        return self._at(dict.fromkeys(partitions, _START))

    def ends(self, partitions: Sequence[TopicPartition]) -> dict[TopicPartition, int]:
        """The offset that each log's next record will get."""
        return self._at(dict.fromkeys(partitions, _END))

    def at_time(self, partition: TopicPartition, timestamp: int) -> int | None:
        """The first offset whose record is of `timestamp` (ms) or later; None if there is none."""
        offset = self._at({partition: max(timestamp, 0)})[partition]
        return None if offset < 0 else offset

    def committed(self, partitions: Sequence[TopicPartition]) -> dict[TopicPartition, int]:
        """What the consumer's group has committed, where it has."""
        places = [Place(*name) for name in partitions]
        found = self._ask(self._librdkafka.committed, places, "read what the group committed")
        return {name: offset for name, offset in found.items() if offset >= 0}

    def _at(self, times: Mapping[TopicPartition, int]) -> dict[TopicPartition, int]:
        places = [Place(*name, at) for name, at in times.items()]
        doing = f"find offsets of {', '.join(map(str, times))}"
        return self._ask(self._librdkafka.offsets_for_times, places, doing)

    def _ask(
        self, question: Callable[..., list[Place]], places: list[Place], doing: str
    ) -> dict[TopicPartition, int]:
        """Ask again while a partition has no leader that knows it, as when it was made a moment ago."""
        deadline = time.monotonic() + self._timeout
        while True:
            try:
                with translating(doing):
                    found = question(places, timeout=self._timeout)
                return checked(found, doing)
            except BrokerUnavailable:
                if time.monotonic() >= deadline:
                    raise
            time.sleep(_PAUSE_SECONDS)
