"""The codec in C (Cython), built where there is a C compiler.

It gives what the pure codec gives, and refuses what it refuses, in its words:
what is not plainly right is handed to the pure codec, which decides. The import
of this package fails with ImportError where it was not built.
"""

import threading
from collections.abc import Callable
from typing import Final, TypeVar

from serde.codec import pure
from serde.codec.native.build import ReaderNodes, WriterNodes
from serde.codec.native.decode import Decoder
from serde.codec.native.encode import Encoder
from serde.codec.objects import ShapeOf, no_shape
from serde.codec.pure import Decode, Encode, is_bytes
from serde.codec.schema import TOO_DEEP, AvroSchema
from serde.errors import InvalidSchema

F = TypeVar("F")


class _Left:
    """Counts what the pure codec took and this one did not: right, but slow. See `left_to_pure`."""

    def __init__(self) -> None:
        self.count = 0

    def __call__(self, _what: object) -> None:
        self.count += 1


_LEFT: Final = _Left()


def left_to_pure() -> int:
    """How many values and messages this process left to the pure codec, which took them.

    Those it refused are not counted. More than a few mean that this codec lacks something.
    """
    return _LEFT.count


def compile_encoder(
    schema: AvroSchema,
    *,
    bare_bytes: bool = False,
    prefix: bytes = b"",
    strict: bool = True,
    shape_of: ShapeOf = no_shape,
) -> Encode:
    """See `serde.codec.compile_encoder`."""

    def make_pure() -> Encode:
        return pure.compile_encoder(
            schema, bare_bytes=bare_bytes, prefix=prefix, strict=strict, shape_of=shape_of
        )

    if bare_bytes and is_bytes(schema):
        return make_pure()
    nodes = WriterNodes(shape_of, strict=strict)
    try:
        root = nodes.writer(schema.root)
    except RecursionError:
        raise InvalidSchema(TOO_DEEP) from None
    nodes.settle()
    return Encoder(root, prefix, once(make_pure), _LEFT).encode


def compile_decoder(
    writer: AvroSchema,
    reader: AvroSchema | None = None,
    *,
    bare_bytes: bool = False,
    strict: bool = True,
    named_records: bool = False,
) -> Decode:
    """See `serde.codec.compile_decoder`."""

    def make_pure() -> Decode:
        return pure.compile_decoder(
            writer, reader, bare_bytes=bare_bytes, strict=strict, named_records=named_records
        )

    if bare_bytes and is_bytes(writer):
        return make_pure()
    nodes = ReaderNodes(named_records=named_records)
    try:
        root = nodes.reader(writer.root, (reader or writer).root)
    except RecursionError:
        raise InvalidSchema(TOO_DEEP) from None
    nodes.settle()
    return Decoder(root, once(make_pure), _LEFT, strict).decode


def once(make: Callable[[], F]) -> Callable[[], F]:
    """`make`, called when first needed, and never twice."""
    made: list[F] = []
    lock = threading.Lock()

    def get() -> F:
        with lock:
            if not made:
                made.append(make())
            return made[0]

    return get
