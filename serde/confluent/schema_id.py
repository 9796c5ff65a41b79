"""How a message says its schema: ``schema.id.serializer`` and ``schema.id.deserializer``."""

from collections.abc import Callable, MutableMapping, MutableSequence
from io import BytesIO
from typing import Any, TypeAlias
from uuid import UUID

from serde.confluent.error import SerializationError
from serde.confluent.serialization import SerializationContext
from serde.framing import (
    GUID_SIZE,
    PREFIX_SIZE,
    frame_in_headers,
    guid_bytes,
    header_name,
    prefix,
    put_header,
    read_frame,
)


class SchemaId:
    """A schema's id, its GUID, or both."""

    def __init__(self, schema_type: str, schema_id: int | None = None, guid: str | None = None) -> None:
        self.schema_type = schema_type
        self.id = schema_id
        self.guid = UUID(guid) if guid is not None else None

    def from_bytes(self, payload: BytesIO) -> BytesIO:
        """Read it from the front; what is left is the body."""
        start = payload.tell()
        size = GUID_SIZE if payload.read(1) == b"\x01" else PREFIX_SIZE
        payload.seek(start)
        frame = payload.read(size)
        if len(frame) < size or frame[0] > 1:
            raise SerializationError("Invalid magic byte")
        which = read_frame(frame)
        if isinstance(which, int):
            self.id = which
        else:
            self.guid = UUID(which)
        return payload

    def id_to_bytes(self) -> bytes:
        """The five bytes of a prefix."""
        if self.id is None:
            raise SerializationError("Schema ID is not set")
        return prefix(self.id)

    def guid_to_bytes(self) -> bytes:
        """The seventeen bytes of a header."""
        if self.guid is None:
            raise SerializationError("Schema GUID is not set")
        return guid_bytes(str(self.guid))


SchemaIdSerializer: TypeAlias = Callable[[bytes, Any, Any], bytes]
SchemaIdDeserializer: TypeAlias = Callable[[bytes, Any, Any], BytesIO]


def prefix_schema_id_serializer(
    payload: bytes,
    ctx: SerializationContext | None,
    schema_id: SchemaId,
) -> bytes:
    """Puts the id in front of the value; the default."""
    return schema_id.id_to_bytes() + payload


def header_schema_id_serializer(
    payload: bytes, ctx: SerializationContext | None, schema_id: SchemaId
) -> bytes:
    """Puts the GUID into the context's headers, in place of one that is there."""
    if ctx is None:
        raise SerializationError("SerializationContext is required for header_schema_id_serializer")
    if ctx.headers is None:
        raise SerializationError("Missing headers")
    if not isinstance(ctx.headers, MutableSequence | MutableMapping):
        raise SerializationError("Invalid headers type")
    put_header(ctx.headers, header_name(is_key=ctx.field == "key"), schema_id.guid_to_bytes())
    return payload


def prefix_schema_id_deserializer(
    payload: bytes,
    ctx: SerializationContext | None,
    schema_id: SchemaId,
) -> BytesIO:
    """Looks for the id in front of the value alone."""
    return schema_id.from_bytes(BytesIO(payload))


def dual_schema_id_deserializer(
    payload: bytes, ctx: SerializationContext | None, schema_id: SchemaId
) -> BytesIO:
    """Looks in the context's headers, the last one of the name, then in front of the value; the default."""
    frame = None
    if ctx is not None and ctx.headers:
        frame = frame_in_headers(ctx.headers, header_name(is_key=ctx.field == "key"))
    if frame is None:
        return schema_id.from_bytes(BytesIO(payload))
    schema_id.from_bytes(BytesIO(frame))
    return BytesIO(payload)
