"""What a message carries to say which schema wrote it.

V0, Confluent's wire format: the byte 0x00, then the schema's id as four bytes,
big-endian, unsigned; the body follows. Five bytes and no body are a whole
message: an empty record or a null. V1: the byte 0x01, then the 16 bytes of the
schema's GUID, in a message header, ``__value_schema_id`` or
``__key_schema_id``; the message is the body alone, which may be empty. Readers
take either form in either place.
"""

from collections.abc import Mapping, MutableMapping, MutableSequence, Sequence
from struct import Struct
from typing import Any, Final, TypeAlias
from uuid import UUID

from serde.errors import FramingError

MAGIC_V0: Final = 0
MAGIC_V1: Final = 1
PREFIX_SIZE: Final = 5
GUID_SIZE: Final = 17
MAX_ID: Final = (1 << 32) - 1
_PREFIX: Final = Struct(">BI")

NO_HEADERS: Final = 'framing="header" sets a header: give the message\'s headers, a list or a dict'

Headers: TypeAlias = (
    MutableSequence[tuple[str, bytes | None]]
    | MutableSequence[tuple[str, bytes]]
    | MutableMapping[str, bytes]
    | MutableMapping[str, bytes | None]
)
"""A message's headers, to be added to: a list of names and values, or a dict."""

GivenHeaders: TypeAlias = Sequence[tuple[str, Any]] | Mapping[str, Any]
"""A message's headers, to be looked at."""


def header_name(*, is_key: bool) -> str:
    """The header that says which schema wrote a key, or a value."""
    return "__key_schema_id" if is_key else "__value_schema_id"


def prefix(schema_id: int) -> bytes:
    """The five bytes for a schema's id, 0 to 2**32 - 1. Raises ValueError outside that."""
    if not 0 <= schema_id <= MAX_ID:
        raise ValueError(f"a schema id is a number from 0 to {MAX_ID}, not {schema_id}")
    return _PREFIX.pack(MAGIC_V0, schema_id)


def guid_bytes(guid: str) -> bytes:
    """The seventeen bytes for a schema's GUID. Raises ValueError for text that is none."""
    return bytes([MAGIC_V1]) + UUID(guid).bytes


def read_frame(frame: bytes) -> int | str:
    """What five or seventeen bytes of a frame say: the schema's id, or its GUID."""
    if frame[0] == MAGIC_V1:
        return str(UUID(bytes=frame[1:]))
    number: int = _PREFIX.unpack(frame)[1]
    return number


def frame_of(data: bytes, topic: str | None = None, *, is_key: bool = False) -> bytes:
    """The frame in front of a message: its first five bytes, or seventeen where they are a GUID's.

    Raises FramingError, which names the byte met and keeps the message.
    """
    fault = _fault(data)
    if fault:
        raise FramingError(fault, data=data, topic=topic, is_key=is_key)
    return data[: GUID_SIZE if data[0] == MAGIC_V1 else PREFIX_SIZE]


def frame_in_headers(headers: GivenHeaders, name: str) -> bytes | None:
    """The frame in the last header of the name; None if there is none, or it is null.

    What is in it need not be a frame: see `check_frame`. Raises TypeError for a value that is no bytes.
    """
    found: Any = None
    if type(headers) is not list and isinstance(headers, Mapping):
        found = headers.get(name)
    else:
        for each in headers:
            if each[0] == name:
                found = each[1]
    if found is None or type(found) is bytes:
        return found
    if not isinstance(found, bytearray | memoryview):
        raise TypeError(f"the header {name} is bytes, not {type(found).__name__}")
    return bytes(found)


def check_frame(
    frame: bytes, name: str, data: bytes, topic: str | None = None, *, is_key: bool = False
) -> None:
    """Check what a header says. Raises FramingError, which keeps the message, if it is no frame."""
    fault = _fault(frame)
    if not fault and len(frame) != (GUID_SIZE if frame[0] == MAGIC_V1 else PREFIX_SIZE):
        fault = f"{len(frame)} bytes long, more than a schema's id or GUID"
    if fault:
        fault = fault.replace("the message", "it", 1)
        raise FramingError(f"the header {name}: {fault}", data=data, topic=topic, is_key=is_key)


def put_header(headers: Headers | None, name: str, frame: bytes) -> None:
    """Have the headers say which schema wrote the message, in place of what they said.

    Raises TypeError for what cannot be added to.
    """
    if type(headers) is not list:
        if isinstance(headers, MutableMapping):
            headers[name] = frame
            return
        if not isinstance(headers, MutableSequence):
            raise TypeError(NO_HEADERS)
    for each in headers:
        if each[0] == name:
            first, *others = _places(headers, name)
            for place in reversed(others):
                del headers[place]
            headers[first] = (name, frame)
            return
    headers.append((name, frame))


def drop_header(headers: Headers, name: str) -> None:
    """Take away what the headers say of another message's schema, which a reader would believe."""
    if type(headers) is not list and isinstance(headers, MutableMapping):
        headers.pop(name, None)
        return
    for each in headers:
        if each[0] == name:
            for place in reversed(_places(headers, name)):
                del headers[place]
            return


def _places(headers: MutableSequence[Any], name: str) -> list[int]:
    return [place for place, each in enumerate(headers) if each[0] == name]


def _fault(data: bytes) -> str:
    if not data:
        return "an empty message: it has no schema id in front"
    if data[0] not in {MAGIC_V0, MAGIC_V1}:
        return (
            f"the message starts with the byte 0x{data[0]:02x}, not 0x00:"
            " it was not written by a schema registry's serializer"
        )
    size, what = (GUID_SIZE, "GUID") if data[0] == MAGIC_V1 else (PREFIX_SIZE, "id")
    if len(data) < size:
        return f"the message is {len(data)} bytes long, too short for the {size} of a schema {what}"
    return ""
