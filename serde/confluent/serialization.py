"""What a (de)serializer of `confluent_kafka` is told of a message."""

from enum import Enum

from serde.confluent.error import SerializationError
from serde.framing import Headers

__all__ = ["MessageField", "SerializationContext", "SerializationError"]


class MessageField(str, Enum):  # noqa: UP042 - formatted it is its value, as there
    """Which part of a message."""

    NONE = "none"
    KEY = "key"
    VALUE = "value"

    def __str__(self) -> str:
        return self.value


class SerializationContext:
    """Where a value goes to or comes from. headers: the message's, a list or a dict, or None."""

    def __init__(self, topic: str, field: MessageField, headers: Headers | None = None) -> None:
        self.topic = topic
        self.field = field
        self.headers = headers
