"""What becomes of records that cannot be deserialized: ``on_error=`` of a consumer."""

import logging
from collections.abc import Callable
from typing import Final

from broker_adapter.broker import Header, Producer, RawRecord
from broker_adapter.errors import InvalidConfig, SerdeFailed
from broker_adapter.serializing import FailureHandler

_DEAD_LETTER: Final = "dead-letter:"
_PREFIX: Final = "fivebyte.error."

_log = logging.getLogger(__name__)


def dead_letter_headers(record: RawRecord, error: SerdeFailed) -> tuple[Header, ...]:
    """The headers of a dead letter: the record's own, and then where it was and what was wrong.

    Texts are UTF-8, numbers decimal: ``fivebyte.error.topic``, ``.partition``, ``.offset``, ``.class`` (of
    the deserializer's exception, with its module) and ``.message``.
    """
    cause = error.__cause__ or error
    kind = type(cause)
    found = {
        "topic": record.topic,
        "partition": str(record.partition),
        "offset": str(record.offset),
        "class": f"{kind.__module__}.{kind.__qualname__}",
        "message": str(cause),
    }
    return (
        *record.headers,
        *((_PREFIX + name, text.encode(errors="backslashreplace")) for name, text in found.items()),
    )


class Skip:
    """Logs the record's place and the error, and goes on."""

    def __call__(self, record: RawRecord, error: SerdeFailed) -> None:
        """See `FailureHandler`."""
        _log.warning("skipped: %s", error)


class DeadLetters:
    """Sends the record to another topic as it was, the cause in headers, and goes on once it is there."""

    def __init__(self, topic: str, open_producer: Callable[[], Producer[bytes, bytes]]) -> None:
        """`open_producer` is called with the first bad record: most consumers never see one."""
        self._topic = topic
        self._open_producer = open_producer
        self._producer: Producer[bytes, bytes] | None = None

    def __call__(self, record: RawRecord, error: SerdeFailed) -> None:
        """See `FailureHandler`. Raises what the producer raises: then nothing was passed over."""
        if self._producer is None:
            self._producer = self._open_producer()
        self._producer.send(
            self._topic,
            record.value,
            key=record.key,
            headers=dead_letter_headers(record, error),
            timestamp=record.timestamp,
        ).result()


def failure_handler(
    on_error: str, open_producer: Callable[[], Producer[bytes, bytes]]
) -> FailureHandler | None:
    """What ``on_error`` means; None for ``raise``. Raises `InvalidConfig`.

    `open_producer` makes a producer that writes at once and that the broker closes.
    """
    if on_error == "raise":
        return None
    if on_error == "skip":
        return Skip()
    topic = on_error.removeprefix(_DEAD_LETTER)
    if topic and topic != on_error:
        return DeadLetters(topic, open_producer)
    raise InvalidConfig(f"on_error={on_error!r} is not known; use 'raise', 'skip' or 'dead-letter:TOPIC'")
