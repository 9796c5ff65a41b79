"""A group's commits, waited for or not. For the consumer's thread, in which librdkafka reports them, too."""

import logging
from collections import deque
from collections.abc import Mapping

from confluent_kafka import Consumer as Librdkafka
from confluent_kafka import KafkaError
from confluent_kafka import TopicPartition as Place

from broker_adapter.broker import CommitCallback
from broker_adapter.errors import BrokerError
from broker_adapter.kafka.offsets import checked
from broker_adapter.kafka.translation import translated, translating
from broker_adapter.nouns import TopicPartition

_log = logging.getLogger(__name__)


class Commits:
    """What a consumer has committed for `group`, and who waits to hear of it."""

    def __init__(self, group: str | None) -> None:
        self._doing = f"commit for group {group!r}"
        self._listeners: deque[CommitCallback | None] = deque()
        """Of the commits under way that nobody waits for: librdkafka reports them in order."""

    def commit(self, librdkafka: Librdkafka, offsets: Mapping[TopicPartition, int]) -> None:
        """Commit, and wait until it is done."""
        with translating(self._doing):
            places = librdkafka.commit(offsets=_places(offsets), asynchronous=False)
        checked(places or [], self._doing)

    def commit_async(
        self, librdkafka: Librdkafka, offsets: Mapping[TopicPartition, int], on_commit: CommitCallback | None
    ) -> None:
        """Commit; `reported` tells `on_commit` how it went."""
        self._listeners.append(on_commit)
        try:
            with translating(self._doing):
                librdkafka.commit(offsets=_places(offsets), asynchronous=True)
        except BrokerError as error:
            tell(self._listeners.pop(), error)

    def reported(self, error: KafkaError | None, places: list[Place]) -> None:
        """librdkafka's ``on_commit``."""
        if not self._listeners:
            return
        failure = None if error is None else translated(error, self._doing)
        try:
            checked(places, self._doing)
        except BrokerError as found:
            failure = failure or found
        tell(self._listeners.popleft(), failure)


def tell(on_commit: CommitCallback | None, failure: BrokerError | None) -> None:
    """Call `on_commit`, or log a failure that nobody listens to."""
    try:
        if on_commit is not None:
            on_commit(failure)
        elif failure is not None:
            _log.warning("%s", failure)
    except Exception:  # noqa: BLE001 - it is theirs; librdkafka called us
        _log.exception("an on_commit raised")


def _places(offsets: Mapping[TopicPartition, int]) -> list[Place]:
    return [Place(*name, offset) for name, offset in offsets.items()]
