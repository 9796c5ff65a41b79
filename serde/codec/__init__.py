"""Avro compiled: a schema, or a pair of writer's and reader's schema, into two functions.

``compile_encoder(schema)`` gives ``encode(value) -> bytes`` and
``compile_decoder(writer, reader)`` gives ``decode(data, start) -> value``. Both
check everything and raise `Fault` with the path. They keep no state: share them
between threads.
"""

from serde.codec import pure
from serde.codec.fault import Fault
from serde.codec.pure import Decode, Encode
from serde.codec.schema import AvroSchema, parse_schema

__all__ = ["AvroSchema", "Decode", "Encode", "Fault", "compile_decoder", "compile_encoder", "parse_schema"]


def compile_encoder(schema: AvroSchema, *, bare_bytes: bool = False, prefix: bytes = b"") -> Encode:
    """Compile a schema into ``encode(value) -> bytes``, Avro's binary encoding.

    bare_bytes: a schema that is just ``bytes`` is written without its length, as
    Confluent's serializers do.
    prefix: what to put in front of each value.

    Raises InvalidSchema if it is nested too deep. `encode` raises Fault.
    """
    return pure.compile_encoder(schema, bare_bytes=bare_bytes, prefix=prefix)


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
    return pure.compile_decoder(writer, reader, bare_bytes=bare_bytes)
