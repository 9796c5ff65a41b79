"""Avro compiled: a schema, or a pair of writer's and reader's schema, into two functions.

``compile_encoder(schema)`` gives ``encode(value) -> bytes`` and
``compile_decoder(writer, reader)`` gives ``decode(data, start) -> value``. Both
check everything and raise `Fault` with the path. They keep no state: share them
between threads. A native codec goes behind these same two functions.
"""

from collections.abc import Callable
from typing import Any, TypeAlias

from serde.codec.binary import Reader, read_bytes, varint
from serde.codec.decode import Rationed, Readers
from serde.codec.encode import Writers
from serde.codec.fault import FAULTS, Fault, as_fault
from serde.codec.schema import TOO_DEEP, AvroSchema, Primitive, parse_schema
from serde.errors import InvalidSchema

Encode: TypeAlias = Callable[[Any], bytes]
Decode: TypeAlias = Callable[[bytes, int], Any]

__all__ = ["AvroSchema", "Decode", "Encode", "Fault", "compile_decoder", "compile_encoder", "parse_schema"]


def compile_encoder(schema: AvroSchema, *, bare_bytes: bool = False) -> Encode:
    """Compile a schema into ``encode(value) -> bytes``, Avro's binary encoding.

    bare_bytes: a schema that is just ``bytes`` is written without its length, as
    Confluent's serializers do.

    Raises InvalidSchema if it is nested too deep. `encode` raises Fault.
    """
    root = schema.root
    try:
        write = Writers().writer(root)
    except RecursionError:
        raise InvalidSchema(TOO_DEEP) from None
    if bare_bytes and isinstance(root, Primitive) and root.kind == "bytes":
        with_length = write

        def write(value: Any) -> bytes:
            return read_bytes(with_length(value), 0)[0]

    def encode(value: Any) -> bytes:
        try:
            return write(value)
        except Fault:
            raise
        except FAULTS as error:
            raise as_fault(error) from None
        except RecursionError:
            raise Fault("the value is nested too deep, or holds itself") from None

    return encode


def compile_decoder(
    writer: AvroSchema, reader: AvroSchema | None = None, *, bare_bytes: bool = False
) -> Decode:
    """Compile ``decode(data, start) -> value``, which reads all of `data` from `start` on.

    writer: the schema the data was written with.
    reader: the schema of the values given back; the writer's if None.
    bare_bytes: as for the encoder.

    Raises InvalidSchema if one is nested too deep. `decode` raises Fault: truncated,
    trailing bytes, no value of the writer's schema, or one that the reader's schema
    cannot take.
    """
    root = writer.root
    readers = Readers()
    try:
        read = readers.reader(root, root if reader is None else reader.root)
    except RecursionError:
        raise InvalidSchema(TOO_DEEP) from None
    if bare_bytes and isinstance(root, Primitive) and root.kind == "bytes":
        read = _without_length(read)

    rationed = readers.rationed

    def decode(data: bytes, start: int) -> Any:
        if rationed:
            data = Rationed(data)
        try:
            value, end = read(data, start)
        except FAULTS as error:
            raise as_fault(error) from None
        except RecursionError:
            raise Fault("the value is nested too deep") from None
        if end != len(data):
            raise Fault(
                f"{len(data) - end} bytes are left after the value: it was written with another schema"
            )
        return value

    return decode


def _without_length(read: Reader) -> Reader:
    def read_bare(data: bytes, start: int) -> tuple[Any, int]:
        body = data[start:]
        value, _ = read(varint(len(body)) + body, 0)
        return value, len(data)

    return read_bare
