"""The codec in Python: what is there always, and what says why a value or a message is refused."""

from collections.abc import Callable
from typing import Any, TypeAlias

from serde.codec.binary import Reader, read_bytes, varint
from serde.codec.decode import Closures as ReaderClosures
from serde.codec.decode import Rationed
from serde.codec.encode import Closures as WriterClosures
from serde.codec.fault import FAULTS, Fault, as_fault
from serde.codec.objects import ShapeOf, no_shape
from serde.codec.schema import TOO_DEEP, AvroSchema, Primitive
from serde.errors import InvalidSchema

Encode: TypeAlias = Callable[[Any], bytes]
Decode: TypeAlias = Callable[[bytes, int], Any]


def compile_encoder(
    schema: AvroSchema,
    *,
    bare_bytes: bool = False,
    prefix: bytes = b"",
    strict: bool = True,
    shape_of: ShapeOf = no_shape,
) -> Encode:
    """See `serde.codec.compile_encoder`."""
    try:
        write = WriterClosures(shape_of, strict=strict).writer(schema.root)
    except RecursionError:
        raise InvalidSchema(TOO_DEEP) from None
    if bare_bytes and is_bytes(schema):
        with_length = write

        def write(value: Any) -> bytes:
            return read_bytes(with_length(value), 0)[0]

    def encode(value: Any) -> bytes:
        try:
            return prefix + write(value)
        except Fault:
            raise
        except FAULTS as error:
            raise as_fault(error) from None
        except RecursionError:
            raise Fault("the value is nested too deep, or holds itself") from None

    return encode


def compile_decoder(
    writer: AvroSchema,
    reader: AvroSchema | None = None,
    *,
    bare_bytes: bool = False,
    strict: bool = True,
    named_records: bool = False,
) -> Decode:
    """See `serde.codec.compile_decoder`."""
    closures = ReaderClosures(named_records=named_records)
    try:
        read = closures.reader(writer.root, (reader or writer).root)
    except RecursionError:
        raise InvalidSchema(TOO_DEEP) from None
    if bare_bytes and is_bytes(writer):
        read = without_length(read)
    return decoding(read, rationed=closures.rationed, strict=strict)


def decoding(read: Reader, *, rationed: bool, strict: bool) -> Decode:
    """What reads whole messages, and whatever is wrong is a Fault.

    rationed: see `decode.Closures`. strict: bytes that are left are a fault.
    """

    def decode(data: bytes, start: int) -> Any:
        if rationed:
            data = Rationed(data)
        try:
            value, end = read(data, start)
        except FAULTS as error:
            raise as_fault(error) from error.__cause__
        except RecursionError:
            raise Fault("the value is nested too deep") from None
        if strict and end != len(data):
            raise Fault(
                f"{len(data) - end} bytes are left after the value: it was written with another schema"
            )
        return value

    return decode


def is_bytes(schema: AvroSchema) -> bool:
    """Whether a schema is just ``bytes``."""
    return isinstance(schema.root, Primitive) and schema.root.kind == "bytes"


def without_length(read: Reader) -> Reader:
    """A reader of bytes for where the whole rest of a message is their body."""

    def read_bare(data: bytes, start: int) -> tuple[Any, int]:
        body = data[start:]
        value, _ = read(varint(len(body)) + body, 0)
        return value, len(data)

    return read_bare
