"""Avro compiled: a schema, or a pair of writer's and reader's schema, into two functions.

``compile_encoder(schema)`` gives ``encode(value) -> bytes`` and
``compile_decoder(writer, reader)`` gives ``decode(data, start) -> value``. Both
check everything and raise `Fault` with the path. They keep no state: share them
between threads.

There are two codecs, which give the same bytes, values and faults: `native`, in
C, and `pure`, in Python, for where the first was not built. ``FIVEBYTE_CODEC``
in the environment, ``native`` or ``pure``, decides; `codec_in_use` tells.
"""

import os
from collections.abc import Callable
from types import ModuleType
from typing import Any, Final

from serde.codec import pure
from serde.codec.fault import Fault
from serde.codec.logical import LOGICAL_TYPES
from serde.codec.objects import ShapeOf, no_shape
from serde.codec.pure import Decode, Encode
from serde.codec.schema import AvroSchema, parse_schema
from serde.codec.values import Duration, NanoDatetime

__all__ = [
    "LOGICAL_TYPES",
    "AvroSchema",
    "Decode",
    "Duration",
    "Encode",
    "Fault",
    "NanoDatetime",
    "codec_in_use",
    "compile_decoder",
    "compile_encoder",
    "parse_schema",
    "read_run",
]

CODEC_VARIABLE: Final = "FIVEBYTE_CODEC"


def _choose(wanted: str) -> ModuleType:
    if wanted not in {"", "native", "pure"}:
        raise ImportError(f"{CODEC_VARIABLE}={wanted}: give native or pure, or leave it out")
    if wanted == "pure":
        return pure
    try:
        from serde.codec import native
    except ImportError as error:
        if wanted:
            raise ImportError(
                f"{CODEC_VARIABLE}=native, but the native codec was not built ({error}):"
                " install fivebyte again where there is a C compiler"
            ) from error
        return pure
    return native


_codec = _choose(os.environ.get(CODEC_VARIABLE, ""))


def codec_in_use() -> str:
    """``native`` or ``pure``."""
    return _codec.__name__.rpartition(".")[2]


def compile_encoder(
    schema: AvroSchema,
    *,
    bare_bytes: bool = False,
    prefix: bytes = b"",
    strict: bool = True,
    shape_of: ShapeOf = no_shape,
) -> Encode:
    """Compile a schema into ``encode(value) -> bytes``, Avro's binary encoding.

    bare_bytes: a schema that is just ``bytes`` is written without its length, as
    Confluent's serializers do.
    prefix: what to put in front of each value.
    strict: False leaves out what a record has no field for, and writes null for a field
    that the value lacks, where the field may be null and has no default.
    shape_of: which classes' instances are written as records (`serde.classes.shape_of`);
    none are unless it says so.

    Raises InvalidSchema if it is nested too deep. `encode` raises Fault.
    """
    encode: Encode = _codec.compile_encoder(
        schema, bare_bytes=bare_bytes, prefix=prefix, strict=strict, shape_of=shape_of
    )
    return encode


def compile_decoder(
    writer: AvroSchema,
    reader: AvroSchema | None = None,
    *,
    bare_bytes: bool = False,
    strict: bool = True,
    named_records: bool = False,
) -> Decode:
    """Compile ``decode(data, start) -> value``, which reads all of `data` from `start` on.

    writer: the schema the data was written with.
    reader: the schema of the values given back; the writer's if None.
    bare_bytes: as for the encoder.
    strict: False ignores bytes that are left after the value.
    named_records: give a union's record as ``(name, value)``.

    Raises InvalidSchema if one is nested too deep. `decode` raises Fault: truncated,
    trailing bytes, no value of the writer's schema, or one that the reader's schema
    cannot take.
    """
    decode: Decode = _codec.compile_decoder(
        writer, reader, bare_bytes=bare_bytes, strict=strict, named_records=named_records
    )
    return decode


def read_run(decode: Decode, frame: bytes, messages: list[Any], found: list[Any]) -> None:
    """Read messages that begin with `frame`, from number ``len(found)`` on, and add their values to `found`.

    Stops before the first that is not bytes, begins otherwise, or cannot be read.
    """
    read: Callable[[bytes, list[Any], list[Any]], None] | None
    read = getattr(getattr(decode, "__self__", None), "read_run", None)
    if read is not None:
        read(frame, messages, found)
        return
    size, add = len(frame), found.append
    try:
        for index in range(len(found), len(messages)):
            data = messages[index]
            if type(data) is not bytes or not data.startswith(frame):
                return
            add(decode(data, size))
    except Fault:
        return  # which the caller meets again
