"""Questions about offsets, put to librdkafka for many partitions at once. Raises this package's errors."""

from collections.abc import Mapping, Sequence
from typing import Final

from confluent_kafka import Consumer as Librdkafka
from confluent_kafka import TopicPartition as Place

from broker_adapter.kafka.translation import translated, translating
from broker_adapter.nouns import TopicPartition

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
        doing = "read what the group committed"
        with translating(doing):
            found = self._librdkafka.committed([Place(*name) for name in partitions], timeout=self._timeout)
        return {name: offset for name, offset in checked(found, doing).items() if offset >= 0}

    def _at(self, times: Mapping[TopicPartition, int]) -> dict[TopicPartition, int]:
        doing = f"find offsets of {', '.join(map(str, times))}"
        with translating(doing):
            found = self._librdkafka.offsets_for_times(
                [Place(*name, at) for name, at in times.items()], timeout=self._timeout
            )
        return checked(found, doing)
