"""What a producer of any broker asks of the parts of a record."""

from collections.abc import Sequence
from typing import Final

from broker_adapter.errors import InvalidRecord
from broker_adapter.nouns import Header

_MAX_TIMESTAMP: Final = 0x7FFF_FFFF_FFFF_FFFF


def check_parts(topic: str, key: object, value: object, timestamp: object) -> None:
    """Raise `InvalidRecord` unless key and value are bytes or None and `timestamp` is one."""
    if key is not None and type(key) is not bytes:
        raise _wrong_type(topic, "key", key)
    if value is not None and type(value) is not bytes:
        raise _wrong_type(topic, "value", value)
    if type(timestamp) is not int or not 0 <= timestamp <= _MAX_TIMESTAMP:
        raise InvalidRecord(
            f"the timestamp {timestamp!r} of a record for {topic!r} is not milliseconds since 1970"
        )


def _wrong_type(topic: str, what: str, given: object) -> InvalidRecord:
    return InvalidRecord(
        f"the {what} of a record for {topic!r} is {type(given).__name__}; give bytes or None, "
        "or wrap the producer with serializers"
    )


def checked_headers(topic: str, headers: Sequence[Header]) -> tuple[tuple[Header, ...], int]:
    """The headers as they will be written, and the most bytes they can take. Raises `InvalidRecord`."""
    checked = []
    size = 5
    for header in headers:
        try:
            name, value = header
            size += 10 + len(name.encode()) + (0 if value is None else len(value))
        except (TypeError, ValueError, AttributeError) as error:
            raise _wrong_header(topic, header) from error
        if type(name) is not str or not isinstance(value, bytes | None):
            raise _wrong_header(topic, header)
        checked.append((name, value))
    return tuple(checked), size


def _wrong_header(topic: str, header: object) -> InvalidRecord:
    return InvalidRecord(f"a header of a record for {topic!r} is {header!r}; give (text, bytes or None)")
