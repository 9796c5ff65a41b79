"""Which partitions librdkafka reads for a consumer, from which offset on, and what of it nobody had yet.

For one thread at a time, as the consumer that it belongs to.
"""

from collections import deque
from collections.abc import Container, Iterable, Mapping, Sequence
from typing import Final

from confluent_kafka import Consumer as Librdkafka
from confluent_kafka import KafkaError
from confluent_kafka import TopicPartition as Place

from broker_adapter.broker import RawRecord, TopicPartition
from broker_adapter.kafka.translation import translating

_UNPLACED: Final = 0
"""librdkafka wants an offset even of a partition that is paused until its place is known."""


class Places:
    """A consumer's partitions and its place in each. Raises what librdkafka refuses, translated."""

    def __init__(self, librdkafka: Librdkafka, *, incremental: bool) -> None:
        """`incremental`: whether a group gives and takes single partitions, not all at once."""
        self._librdkafka = librdkafka
        self._incremental = incremental
        self.positions: dict[TopicPartition, int | None] = {}
        """The next offset of each assigned partition; None where it could not be found out yet."""
        self.paused: set[TopicPartition] = set()
        """By the caller. Partitions without a place are paused, too, and not named here."""
        self.ahead: deque[RawRecord] = deque()
        """Fetched, and not had by the caller."""
        self.trouble: tuple[TopicPartition, KafkaError] | None = None
        """An error that came with records, which the caller has to have first."""

    # ---------------------------------------------------------------- coming and going

    def take(self, partitions: Sequence[TopicPartition], starts: Mapping[TopicPartition, int]) -> None:
        """Begin to read `partitions` at `starts`; those that are not in it wait for a place."""
        self.positions.update({name: starts.get(name) for name in partitions})
        places = [Place(*name, starts.get(name, _UNPLACED)) for name in partitions]
        unplaced = [Place(*name) for name in partitions if name not in starts]
        with translating("assign partitions"):
            if self._incremental:
                self._librdkafka.incremental_assign(places)
            else:
                self._librdkafka.assign(places)
            if unplaced:
                self._librdkafka.pause(unplaced)

    def drop(self, partitions: Iterable[TopicPartition]) -> None:
        """Forget `partitions`, which librdkafka has let go of or is about to."""
        for name in list(partitions):
            self.positions.pop(name, None)
            self.paused.discard(name)
            self._forget_trouble(name)
        self._keep_ahead(self.positions)

    def replace(self) -> None:
        """Forget all, where the next that are taken come instead and not besides."""
        if not self._incremental:
            self.drop(self.positions)

    # ---------------------------------------------------------------- moving

    def unplaced(self) -> list[TopicPartition]:
        """The partitions that wait for a place."""
        return [name for name, offset in self.positions.items() if offset is None]

    def go_to(self, name: TopicPartition, offset: int | None) -> None:
        """Read `name` from `offset` on, which becomes its position."""
        was_unplaced = self.positions[name] is None
        self.positions[name] = offset
        self._forget_trouble(name)
        self._keep_ahead(self.positions.keys() - {name})
        with translating(f"seek in {name}"):
            # Not seek(), which fails where nothing is being fetched: right after an assignment, or an error.
            if self._incremental:
                self._librdkafka.incremental_unassign([Place(*name)])
                self._librdkafka.incremental_assign([Place(*name, offset or _UNPLACED)])
            else:
                self.ahead.clear()
                self._librdkafka.assign(
                    [Place(*each, at or _UNPLACED) for each, at in self.positions.items()]
                )
            if was_unplaced and name not in self.paused:
                self._librdkafka.resume([Place(*name)])
        self._pause_again()

    def passed(self, record: RawRecord) -> None:
        """Note that the caller has `record`."""
        self.positions[TopicPartition(record[0], record[1])] = record[2] + 1

    def _keep_ahead(self, names: Container[TopicPartition]) -> None:
        # In place: it may happen while something waits to be added.
        kept = [each for each in self.ahead if TopicPartition(*each[:2]) in names]
        self.ahead.clear()
        self.ahead.extend(kept)

    def _forget_trouble(self, name: TopicPartition) -> None:
        if self.trouble is not None and self.trouble[0] == name:
            self.trouble = None

    # ---------------------------------------------------------------- pausing

    def pause(self, names: Sequence[TopicPartition]) -> None:
        """Bring nothing of `names` until they are resumed."""
        self.paused.update(names)
        self._pause_again()
        for name in names:  # what was fetched ahead is fetched again
            if any(TopicPartition(*each[:2]) == name for each in self.ahead):
                self.go_to(name, self.positions[name])

    def resume(self, names: Sequence[TopicPartition]) -> None:
        """Go on with `names`."""
        self.paused.difference_update(names)
        placed = [Place(*name) for name in names if self.positions[name] is not None]
        if placed:
            with translating("resume partitions"):
                self._librdkafka.resume(placed)

    def _pause_again(self) -> None:
        if still := self.paused.union(self.unplaced()):
            with translating("pause partitions"):
                self._librdkafka.pause([Place(*name) for name in still])
