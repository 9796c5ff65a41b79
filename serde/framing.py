"""The bytes in front of a message that say which schema wrote it.

V0, Confluent's wire format: the byte 0x00, then the schema's id as four bytes,
big-endian, unsigned; the body follows. Five bytes and no body are a whole
message: an empty record or a null. V1 carries the schema's GUID in a message
header and leaves the body bare.
"""

from struct import Struct
from typing import Final

from serde.errors import FramingError

MAGIC_V0: Final = 0
PREFIX_SIZE: Final = 5
MAX_ID: Final = (1 << 32) - 1
_PREFIX: Final = Struct(">BI")


def prefix(schema_id: int) -> bytes:
    """The five bytes for a schema's id, 0 to 2**32 - 1. Raises ValueError outside that."""
    if not 0 <= schema_id <= MAX_ID:
        raise ValueError(f"a schema id is a number from 0 to {MAX_ID}, not {schema_id}")
    return _PREFIX.pack(MAGIC_V0, schema_id)


def schema_id(data: bytes, topic: str | None = None, *, is_key: bool = False) -> int:
    """The schema's id from the first five bytes of a message.

    Raises FramingError, which names the byte met and keeps the message.
    """
    if not data:
        raise FramingError(
            "an empty message: it has no schema id in front", data=data, topic=topic, is_key=is_key
        )
    if data[0] != MAGIC_V0:
        raise FramingError(
            f"the message starts with the byte 0x{data[0]:02x}, not 0x00:"
            " it was not written by a schema registry's serializer",
            data=data,
            topic=topic,
            is_key=is_key,
        )
    if len(data) < PREFIX_SIZE:
        raise FramingError(
            f"the message is {len(data)} bytes long, too short for the {PREFIX_SIZE} of a schema id",
            data=data,
            topic=topic,
            is_key=is_key,
        )
    number: int = _PREFIX.unpack_from(data)[1]
    return number
